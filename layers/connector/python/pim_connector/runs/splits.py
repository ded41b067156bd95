"""What the splitter books: windows of 1,000 records, checkpoints, the end of the file.

A window is booked once. A splitter that comes to it again, after a crash or a time-out, takes the
dispositions that were booked then, whatever the ledger says by now; so it packs the same messages
with the same ids, and neither the queue nor the counts get anything twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.errors import TransientError
from pim_connector.messages import MappingPin
from pim_connector.runs.registry import Registry, begun_item, open_actions
from pim_connector.runs.run import Run, from_item, header_key
from pim_connector.runs.succession import last_key, succeeding, undisturbed
from pim_connector.runs.table import Change, RunTable

WINDOW: Final = 1_000
MOST_RACES: Final = 10
WINDOWS_KEPT: Final = timedelta(days=60)
"""From the start of a run: longer than SQS keeps a message and then its dead letter, 14 days each
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html),
so no run is open any more that could ask for its windows."""


class LostRunError(TransientError):
    """Another splitter took the run over; this one has nothing more to do."""


class Window(Struct, frozen=True, kw_only=True):
    """What became of up to 1,000 records at the split, one letter each.

    q queued · u unchanged · s superseded · f filtered · r rejected. `hashes` are the identity
    hashes of those that have an identity (8 bytes each), `prints` the beginnings of their
    fingerprints (as many), `duplicates` how many repeat a product of the file.
    """

    number: int
    dispositions: str
    hashes: bytes
    prints: bytes = b""
    duplicates: int = 0


class Splits:
    """The splitter's side of all runs. Every write names the run and its fence."""

    def __init__(self, table: RunTable) -> None:
        self._table = table

    def begin(self, run: Run, pin: MappingPin, now: str, *, order: str = "") -> Run:
        """Take the run over from whoever split it before, under the `order` that its file names.

        Raises LostRunError if it is split already.
        """
        started = run.started_at or now
        change = Change(
            put={
                "phase": "splitting",
                "mapping": msgspec.to_builtins(pin),
                "order": order or run.order,
                "started_at": started,
            },
            add={"fence": 1, "tries": 1},
            condition="#phase IN (:waiting, :splitting)",
            given={"waiting": "waiting", "splitting": "splitting"},
        )
        item = self._table.update(header_key(run.id), change)
        if item is None:
            raise LostRunError(f"run {run.id} is not there to be split")
        begun = from_item(item)
        self._table.put(begun_item(begun))
        return begun if begun.follows is not None else self._succeeded(begun)

    def _succeeded(self, run: Run) -> Run:
        """Enter the run as the last that may write to the ledger, and which one it comes after."""
        registry = Registry(self._table)
        for _ in range(MOST_RACES):
            last = self._table.get(last_key(run.source)) or {}
            before = registry.get(last["run"]) if last else None
            alone = registry.alone(run) and (before is None or before.finished_at is not None)
            place = {"follows": last["run"] if last.get("alone") else "", "first": not last}
            change = Change(put=place, condition="#fence = :fence", given={"fence": run.fence})
            failed = self._table.transact(
                succeeding(self._table, run, last.get("run"), alone=alone),
                self._table.updating(header_key(run.id), change),
            )
            if 1 in failed:
                raise LostRunError(f"another splitter has taken over run {run.id}")
            if not failed:
                return replace(run, **place)
        raise TransientError(f"other runs of source {run.source} keep beginning; try again")

    def worn_out(self, run: str, most: int) -> bool:
        """Say whether more than `most` splitters took the run over since its last checkpoint.

        Also once `exhaust` was called, whatever is taken back afterwards.
        """
        item = self._table.get(header_key(run)) or {}
        return bool(item.get("exhausted")) or int(item.get("tries", 0)) > most

    def exhaust(self, run: Run) -> None:
        """Enter, before the last messages go, that the file is read no further.

        A splitter that repeats this end then packs the same messages; were it to read on, ids that
        are on their way already would name other records.
        """
        change = Change(
            put={"exhausted": True}, condition="#fence = :fence", given={"fence": run.fence}
        )
        if self._table.update(header_key(run.id), change) is None:
            raise LostRunError(f"another splitter has taken over run {run.id}")

    def take_back(self, run: Run) -> None:
        """Do not count this take-over: it ended because AWS could not answer."""
        self._table.update(header_key(run.id), Change(add={"tries": -1}))

    def windows(self, run: str) -> Iterator[Window]:
        """Give all windows that are booked, in the order of the file."""
        return map(_window, self._table.query(f"run#{run}", prefix="window#"))

    def book(self, run: Run, window: Window, *, if_undisturbed: bool = False) -> bool:
        """Book the window and add it to the run's counts, in one transaction.

        The fence keeps a window from being booked twice: who takes a run over raises it first and
        reads what is booked then. Raises LostRunError when another splitter has done so. False,
        and nothing booked, where the window is to be booked only `if_undisturbed` and another run
        has begun that may write to the ledger.
        """
        item: dict[str, Any] = {
            **_window_key(run.id, window.number),
            **msgspec.to_builtins(window, builtin_types=(bytes,)),
            "expires_at": _expiry(run),
        }
        counted = Change(
            add=_counts(window), condition="#fence = :fence", given={"fence": run.fence}
        )
        actions = [self._table.putting(item), self._table.updating(header_key(run.id), counted)]
        if if_undisturbed:
            actions.append(undisturbed(self._table, run))
        failed = self._table.transact(*actions)
        if failed and failed != (2,):
            raise LostRunError(f"another splitter has taken over run {run.id}")
        return not failed

    def checkpoint(self, run: Run, key: str) -> None:
        """Enter where the state of this split lies, for the one that goes on with it."""
        change = Change(
            put={"checkpoint": key, "tries": 0},
            condition="#fence = :fence",
            given={"fence": run.fence},
        )
        if self._table.update(header_key(run.id), change) is None:
            raise LostRunError(f"another splitter has taken over run {run.id}")

    def complete(
        self,
        run: Run,
        *,
        sent: int,
        problem: str | None,
        now: str,
        missing: int | None = None,
        hold: str | None = None,
    ) -> None:
        """Enter that the file is read and `sent` messages are on their way."""
        end = {"sent": sent, "problem": problem, "missing": missing, "hold": hold, "split_at": now}
        change = Change(
            put={"phase": "delivering"} | end,
            condition="#fence = :fence",
            given={"fence": run.fence},
        )
        header = self._table.updating(header_key(run.id), change)
        if self._table.transact(header, *open_actions(self._table, run)):
            raise LostRunError(f"another splitter has taken over run {run.id}")


def _counts(window: Window) -> dict[str, int]:
    letters = {"unchanged": "u", "superseded": "s", "filtered": "f", "rejected": "r"}
    counts = {state: window.dispositions.count(letter) for state, letter in letters.items()}
    counts |= {"records": len(window.dispositions), "duplicates": window.duplicates}
    return {name: number for name, number in counts.items() if number}


def _expiry(run: Run) -> int:
    assert run.started_at is not None  # noqa: S101 - a run with windows was begun
    return int((datetime.fromisoformat(run.started_at) + WINDOWS_KEPT).timestamp())


def _window_key(run: str, number: int) -> dict[str, str]:
    return {"pk": f"run#{run}", "sk": f"window#{number:06d}"}


def _window(item: dict[str, Any]) -> Window:
    return Window(
        number=int(item["number"]),
        dispositions=item["dispositions"],
        hashes=item["hashes"],
        prints=item.get("prints", b""),
        duplicates=int(item["duplicates"]),
    )
