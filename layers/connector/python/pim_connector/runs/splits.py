"""What the splitter books: windows of 1,000 records, checkpoints, the end of the file.

A window is booked once. A splitter that comes to it again, after a crash or a time-out, takes the
dispositions that were booked then, whatever the ledger says by now; so it packs the same messages
with the same ids, and neither the queue nor the counts get anything twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from pim_connector.errors import TransientError
from pim_connector.messages import MappingPin
from pim_connector.runs.registry import begun_item, open_actions
from pim_connector.runs.run import Run, from_item, header_key
from pim_connector.runs.table import Change, RunTable

WINDOW: Final = 1_000


class LostRunError(TransientError):
    """Another splitter took the run over; this one has nothing more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What became of up to 1,000 records at the split, one letter each.

    q queued · u unchanged · s superseded · f filtered · r rejected. `hashes` are the identity
    hashes of those that have an identity (8 bytes each), `duplicates` how many repeat a product of
    the file.
    """

    number: int
    dispositions: str
    hashes: bytes
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
        return begun

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

    def windows(self, run: str) -> dict[int, Window]:
        """Give all windows that are booked, by number."""
        found = map(_window, self._table.query(f"run#{run}", prefix="window#"))
        return {window.number: window for window in found}

    def book(self, run: Run, window: Window) -> None:
        """Book the window and add it to the run's counts, in one transaction.

        The fence keeps a window from being booked twice: who takes a run over raises it first and
        reads what is booked then. Raises LostRunError when another splitter has done so.
        """
        item: dict[str, Any] = _window_key(run.id, window.number) | msgspec.to_builtins(
            window, builtin_types=(bytes,)
        )
        counted = Change(
            add=_counts(window), condition="#fence = :fence", given={"fence": run.fence}
        )
        header = self._table.updating(header_key(run.id), counted)
        if self._table.transact(self._table.putting(item), header):
            raise LostRunError(f"another splitter has taken over run {run.id}")

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


def _window_key(run: str, number: int) -> dict[str, str]:
    return {"pk": f"run#{run}", "sk": f"window#{number:06d}"}


def _window(item: dict[str, Any]) -> Window:
    return Window(
        number=int(item["number"]),
        dispositions=item["dispositions"],
        hashes=item["hashes"],
        duplicates=int(item["duplicates"]),
    )
