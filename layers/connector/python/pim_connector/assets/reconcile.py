"""How far a reconciliation has read the DAM's full list, from one invocation to the next.

An object in the bucket, `cache/reconcile/<source>`: there while a reconciliation is asked for or
under way. What the list had is remembered as eight bytes per asset: a million are 8 MB.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from pim_connector.assets.removal import announce_waiting
from pim_connector.assets.state import AssetSyncState
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.table import Leases, Table
from pim_connector.dam.client import DamClient
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import SourceFiles, StoredSource
from pim_connector.dam.pages import Position, Step
from pim_connector.dam.polling import AssetQueue, Buffer, Send
from pim_connector.errors import ConfigurationError, ConnectorError, RejectedError, TransientError
from pim_connector.sync.messages import Change

if TYPE_CHECKING:
    import httpx

FOLDER = "cache/reconcile/"
MARK_BYTES = 8


class Walk(Struct, frozen=True, kw_only=True):
    """Where to read on, and the marks of what was listed, one after another."""

    position: Position = Position()
    seen: bytes = b""

    def marks(self) -> set[bytes]:
        """Return the marks one by one."""
        places = range(0, len(self.seen), MARK_BYTES)
        return {self.seen[place : place + MARK_BYTES] for place in places}


class Walks:
    """The reconciliations under way. Raises what `Bucket` raises."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def begin(self, source: str) -> None:
        """Ask for a reconciliation; one that is under way goes on as it is."""
        if self.load(source) is None:
            self.save(source, Position(), set())

    def under_way(self) -> Iterator[str]:
        """Name the sources whose reconciliation has to go on."""
        return (key.removeprefix(FOLDER) for key in self._bucket.keys(FOLDER))

    def load(self, source: str) -> Walk | None:
        """Return the walk of a source; None where none was asked for.

        One that cannot be read is begun anew.
        """
        try:
            return msgspec.msgpack.decode(self._bucket.get(FOLDER + source), type=Walk)
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError:
            return Walk()

    def save(self, source: str, position: Position, marks: set[bytes]) -> None:
        """Note how far the list was read."""
        walk = Walk(position=position, seen=b"".join(marks))
        self._bucket.put(FOLDER + source, msgspec.msgpack.encode(walk))

    def forget(self, source: str) -> None:
        """End the walk of a source."""
        self._bucket.delete(FOLDER + source)


def mark(dam_id: str) -> bytes:
    """Remember an id in a few bytes: a million of them must fit into a function's memory."""
    return blake2b(dam_id.encode("utf-8", "surrogatepass"), digest_size=MARK_BYTES).digest()


# Finds what polls and events have missed: the DAM's full list against the sync state.
#
# Everything in the list goes to the asset queue once more (what did not change is dropped there).
# What the sync state has and the list has not is announced as deleted, and the asset mapper asks
# the DAM
# for each by its id before it believes it. When more than a set share would go, nothing goes until
# an operator has said so: a list that ends too early looks like a DAM that was emptied.


SMALLEST_LIMIT = 1
"""One missing asset is never too many, whatever the share."""


class Reconciled(Struct, frozen=True, kw_only=True):
    """What a reconciliation found. `refused` says why nothing is deleted, `share` is in percent.

    While `finished` is False the list was not read to its end, and nothing else is known yet.
    """

    source: str
    listed: int
    finished: bool = True
    known: int = 0
    missing: int = 0
    share: float = 0.0
    announced: int = 0
    refused: str = ""


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What a reconciliation of one source works with. Times are in seconds.

    It stops when `time_left` falls under `reserve`, and goes on when it is run again.
    `still_alone` renews the lease and says whether it may go on.
    """

    client: DamClient
    sync_state: AssetSyncState
    state: Table
    walks: Walks
    send: Send
    groups: int
    time_left: Callable[[], float]
    max_share: float
    reserve: float = 60.0
    still_alone: Callable[[], bool] = lambda: True

    def run(self) -> Reconciled:
        """Read the list as far as time allows, and compare once it was read to its end.

        TransientError where the DAM or AWS does not answer: the next run goes on from there.
        RejectedError for a list that proves nothing: the next run begins anew.
        """
        source = self.client.source.source
        walk = self.walks.load(source) or Walk()
        seen = walk.marks()
        if not self._read(walk.position, seen):
            return Reconciled(source=source, listed=len(seen), finished=False)
        report = self._compare(source, seen)
        self.walks.forget(source)
        return report

    def _read(self, position: Position, seen: set[bytes]) -> bool:
        """Read on from `position`; say whether the end was reached. All that was read is queued."""
        source = self.client.source.source
        buffer = Buffer(source, self.groups, self.send)
        safe = position
        try:
            for step in self.client.everything(position):
                seen.update(_taken(step, buffer))
                safe = step.position
                if safe.started is None:
                    buffer.flush()
                    return True
                if self.time_left() < self.reserve:
                    break
                if not self.still_alone():
                    raise TransientError(f"{source}: another poll of this source took over")
            buffer.flush()
        except TransientError:
            buffer.flush()
            self.walks.save(source, safe, seen)
            raise
        except Exception:
            self.walks.forget(source)
            raise
        self.walks.save(source, safe, seen)
        return False

    def _compare(self, source: str, seen: set[bytes]) -> Reconciled:
        missing: list[str] = []
        known = 0
        for dam_id in self.sync_state.in_use(source):
            known += 1
            if mark(dam_id) not in seen:
                missing.append(dam_id)
        share = 100.0 * len(missing) / known if known else 0.0
        refused = self._refusal(source, len(missing), share)
        if not refused:
            buffer = Buffer(source, self.groups, self.send)
            for dam_id in missing:
                change = Change(id=dam_id, kind="deleted", origin="reconcile")
                buffer.put(change, Position())
            buffer.flush()
        return Reconciled(
            source=source,
            listed=len(seen),
            known=known,
            missing=len(missing),
            share=round(share, 2),
            announced=0 if refused else len(missing),
            refused=refused,
        )

    def _refusal(self, source: str, missing: int, share: float) -> str:
        key = {"pk": f"reconcile#{source}"}
        if share <= self.max_share or missing <= SMALLEST_LIMIT:
            self.state.delete(key)
            return ""
        waiting = self.state.get(key)
        if waiting and waiting.get("approved") and missing <= int(waiting.get("missing", 0)):
            self.state.delete(key)
            return ""
        self.state.put(key | {"missing": missing, "share": str(round(share, 2))})
        return (
            f"{missing} assets ({share:.1f} %) are missing from the DAM's list, and more than"
            f" {self.max_share} % wait for an operator; look at the DAM, then run"
            f" `pim-connector assets approve {source}`"
        )


def approve(state: Table, source: str) -> int:
    """Let the next reconciliation take out as many assets as the last one found missing.

    Gives their number, 0 where nothing waits.
    """
    key = {"pk": f"reconcile#{source}"}
    waiting = state.get(key)
    if waiting is None:
        return 0
    state.put(waiting | {"approved": True})
    return int(waiting["missing"])


def _taken(step: Step, buffer: Buffer) -> set[bytes]:
    """Hand over what one step of the list has; give the marks of it."""
    marks: set[bytes] = set()
    for row in step.rows:
        if row.problem:
            raise RejectedError(
                f"the full list has an item that cannot be read ({row.problem}); while that is"
                " so, nobody can say what is missing from it"
            )
        for asset_id in row.ids if not row.deleted else ():
            marks.add(mark(asset_id))
            change = Change(
                id=asset_id,
                origin="reconcile",
                stamp=row.printed,
                properties=row.properties or None,
            )
            buffer.put(change, Position())
    return marks


# Reconciles every source that asks for it, each alone, while no poll of it runs.


log = logging.getLogger(__name__)

RESERVE_SECONDS = 60.0
"""What stays for the comparison with the sync state, beside the DAM's time-out."""


class ReconcileRound(Struct, frozen=True, kw_only=True):
    """What a round works with. `state` is the state table; `owner` is unlike any other's."""

    files: SourceFiles
    sync_state: AssetSyncState
    state: Table
    walks: Walks
    queue: AssetQueue
    groups: int
    owner: str
    clocks: Clocks
    transport: httpx.BaseTransport | None = None

    def begin(self, only: str | None = None) -> list[dict[str, Any]]:
        """Ask for a reconciliation of all sources that say `absent: reconcile`, or of one.

        `go_on` does it, now and at later ticks. Gives what is to be logged of sources that cannot
        be reconciled; one source's trouble is not another's.
        """
        outcomes: list[dict[str, Any]] = []
        for name in [only] if only else self.files.names():
            try:
                stored = self.files.get(name)
                if only or (stored and stored.source.deleted.absent == "reconcile"):
                    self._stored(name)
                    self.walks.begin(name)
            except ConnectorError as error:
                outcomes.append(_failed(name, error))
        return outcomes

    def go_on(self) -> list[dict[str, Any]]:
        """Go on with what was begun, as far as time allows. Gives what is to be logged of each."""
        outcomes: list[dict[str, Any]] = []
        for name in list(self.walks.under_way()):
            try:
                outcomes.append(self._source(self._stored(name)))
            except ConfigurationError as error:
                self.walks.forget(name)
                outcomes.append(_failed(name, error))
            except ConnectorError as error:
                outcomes.append(_failed(name, error))
        for outcome in outcomes:
            log.info("reconciled", extra=outcome)
        return outcomes

    def link_late(self, only: str | None = None) -> int:
        """Have links tried whose product was missing; give the number of assets that wait."""
        names = [only] if only else self.files.names()
        return sum(announce_waiting(name, self.sync_state, self.queue.send) for name in names)

    def _stored(self, name: str) -> StoredSource:
        stored = self.files.get(name)
        if stored is None:
            raise ConfigurationError(f"there is no file config/dam/{name}.yaml")
        if stored.source.assets is None:
            raise ConfigurationError(f"{stored.key} has no `assets`")
        if stored.source.item is None:
            raise ConfigurationError(
                f"{stored.key} has no `item`: without asking for an asset by its id nobody can"
                " tell one that is gone from one that a list left out"
            )
        return stored

    def _source(self, stored: StoredSource) -> dict[str, Any]:
        name, leases = stored.source.source, Leases(self.state)
        reserve = RESERVE_SECONDS + stored.source.rate.timeout_s
        if self.clocks.time_left() < reserve:
            return {"source": name, "outcome": "goes on"}
        if not leases.acquire(f"dam-{name}", self.owner, self.clocks.now()):
            return {"source": name, "outcome": "busy"}
        client = DamClient(
            stored.source, stored.secret, transport=self.transport, clocks=self.clocks
        )
        assert stored.source.assets is not None  # noqa: S101 - _stored has looked
        try:
            with client:
                report = Reconciliation(
                    client=client,
                    sync_state=self.sync_state,
                    state=self.state,
                    walks=self.walks,
                    send=lambda message: self.queue.send(message.source, message.changes),
                    groups=self.groups,
                    time_left=self.clocks.time_left,
                    max_share=stored.source.assets.on_delete.max_share,
                    reserve=reserve,
                    still_alone=leases.renewal(f"dam-{name}", self.owner, self.clocks.now),
                ).run()
        finally:
            leases.release(f"dam-{name}", self.owner)
        ended = "refused" if report.refused else "done"
        return {"outcome": ended if report.finished else "goes on", **asdict(report)}


def totals(outcomes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add up what reconciliations found, as metrics."""
    return {
        "AssetsMissing": sum(outcome.get("missing", 0) for outcome in outcomes),
        "ReconcileRefused": sum(outcome["outcome"] == "refused" for outcome in outcomes),
        "ReconcileFailed": sum(outcome["outcome"] == "failed" for outcome in outcomes),
    }


def _failed(name: str, error: ConnectorError) -> dict[str, Any]:
    return {"source": name, "outcome": "failed", "reason": str(error)}
