"""A round of polls: every source in its turn, each alone, each with its share of the time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pim_connector.dam.asset_messages import AssetMessage, asset_group, encode
from pim_connector.dam.client import DamClient
from pim_connector.dam.cursor import CursorTable
from pim_connector.dam.http import Clocks
from pim_connector.dam.polling import Poll
from pim_connector.errors import ConfigurationError, ConnectorError
from pim_connector.log_keys import about
from pim_connector.queues import FifoQueue, Outgoing
from pim_connector.runs.leases import Leases
from pim_connector.source_files import SourceFiles

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

RESERVE_SECONDS = 20
"""What stays for the last request, the last messages and the cursor, beside the DAM's time-out."""


class Round(Struct, frozen=True, kw_only=True):
    """What a round works with. `owner` is unlike that of any other round."""

    files: SourceFiles
    cursors: CursorTable
    leases: Leases
    queue: FifoQueue
    lanes: int
    owner: str
    clocks: Clocks
    transport: httpx.BaseTransport | None = None

    def run(self, only: str | None = None) -> list[dict[str, Any]]:
        """Poll all sources, or one. Gives what is to be logged of each.

        One source's trouble does not keep the others from their turn: see `refuse_misconfigured`.
        """
        names = [only] if only else self.files.names()
        done = []
        for number, name in enumerate(names):
            share = self.clocks.time_left() / (len(names) - number)
            try:
                with about(source=name):
                    done.append(self._source(name, share))
            except ConfigurationError as error:
                done.append({"source": name, "outcome": "misconfigured", "reason": str(error)})
            except ConnectorError as error:
                done.append({"source": name, "outcome": "postponed", "reason": str(error)})
        for outcome in done:
            log.info("polled", extra=outcome)
        return done

    def lag(self) -> int | None:
        """Give how long ago, in seconds, the source that is furthest behind was read to its end.

        None if no source ever was: a first load that takes days is no fault.
        """
        ends = [self.cursors.finished_at(name) for name in self.files.names()]
        known = [end for end in ends if end is not None]
        return max(0, int(self.clocks.now()) - min(known)) if known else None

    def _source(self, name: str, share: float) -> dict[str, Any]:
        stored = self.files.get(name)
        if stored is None:
            raise ConfigurationError(f"there is no file config/dam/{name}.yaml")
        held = self.leases.acquire(f"dam-{name}", self.owner, self.clocks.now())
        if not held:
            return {"source": name, "outcome": "busy"}
        try:
            client = DamClient(
                stored.source, stored.secret, transport=self.transport, clocks=self.clocks
            )
            with client:
                report = self._poll(client, share).run()
            if report.finished:
                self.cursors.note_finished(name, self.clocks.now())
        finally:
            self.leases.release(f"dam-{name}", self.owner)
        return {"outcome": "finished" if report.finished else "goes on", **report.as_log()}

    def _poll(self, client: DamClient, share: float) -> Poll:
        until = self.clocks.time_left() - share
        reserve = RESERVE_SECONDS + client.source.rate.timeout_s
        return Poll(
            client=client,
            cursors=self.cursors,
            send=self._sender(client.source.source),
            lanes=self.lanes,
            time_left=lambda: min(
                self.clocks.time_left() - until, self.clocks.time_left() - reserve
            ),
            still_alone=self.leases.renewal(
                f"dam-{client.source.source}", self.owner, self.clocks.now
            ),
        )

    def _sender(self, source: str) -> Callable[[AssetMessage], None]:
        numbers = count(1)

        def send(message: AssetMessage) -> None:
            # Never of the content: an asset changed back within five minutes is a change too.
            deduplication = f"{self.owner}-{source}-{next(numbers)}"[-128:]
            group, body = asset_group(message.lane), encode(message).encode("ascii")
            self.queue.send([Outgoing(group=group, deduplication=deduplication, body=body)])

        return send


def refuse_misconfigured(outcomes: Sequence[dict[str, Any]]) -> None:
    """Raise ConfigurationError with all that somebody has to mend, so that an alarm goes off."""
    broken = [one["reason"] for one in outcomes if one["outcome"] == "misconfigured"]
    if broken:
        raise ConfigurationError("\n".join(broken))


def totals(outcomes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add up what the sources' polls did, as metrics."""
    return {
        "AssetsQueued": sum(outcome.get("assets", 0) for outcome in outcomes),
        "AssetsUnreadable": sum(outcome.get("unreadable", 0) for outcome in outcomes),
        "DamRequests": sum(outcome.get("requests", 0) for outcome in outcomes),
        "DamPollsPostponed": sum(outcome["outcome"] == "postponed" for outcome in outcomes),
    }
