"""Which runs there are, which of them are not done, and whose turn it is.

Items beside the headers: `runs`/<run> for every run, `open`/<run> for those that are not done,
`waiting#<source>`/<turn>#<run> for files that have not been split, `source#<source>`/<order>#<run>
for those that have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.runs.run import Phase, Run, from_item, header_key
from pim_connector.runs.succession import UNDER_WAY, disturbing
from pim_connector.runs.table import Change, RunTable
from pim_connector.states import State

DeadRecord: TypeAlias = tuple[int, int, str]
"""Number, line and identifier of a record whose message lies in the dead-letter queue."""


class RunName(Struct, frozen=True, kw_only=True):
    """A run as the indices know it."""

    run: str
    source: str
    order: str


class Registry:
    """All runs of the stack."""

    def __init__(self, table: RunTable) -> None:
        self._table = table

    def register(self, run: Run, *, disturbs: bool = False) -> bool:
        """Enter a new run, `noted` or `waiting`. False says that it is known and as it was.

        One that `disturbs` will write to the ledger without a file that says what.
        """
        actions = [self._table.putting(_header(run), if_absent=True)]
        actions.append(self._table.putting(_open_key(run.id) | _name(run)))
        actions.append(self._table.putting({"pk": "runs", "sk": run.id} | _name(run)))
        if run.phase == "waiting":
            actions.append(self._table.putting(_waiting_key(run) | _name(run)))
        if disturbs:
            actions.append(disturbing(self._table, run))
        return not self._table.transact(*actions)

    def get(self, run: str) -> Run | None:
        item = self._table.get(header_key(run))
        return from_item(item) if item else None

    def each(self, names: Iterable[str]) -> Iterator[Run]:
        """Give the runs of these ids, as far as they are known."""
        return filter(None, map(self.get, names))

    def open_runs(self) -> Iterator[RunName]:
        """Give all runs that are not done, in no order that means anything."""
        return map(_read_name, self._table.query("open"))

    def each_open(self) -> Iterator[Run]:
        """Give the runs that are not done, as they are now."""
        return self.each([name.run for name in self.open_runs()])

    def all_runs(self) -> Iterator[RunName]:
        """Give all runs there have been, the newest first."""
        return map(_read_name, self._table.query("runs", newest_first=True))

    def waiting(self, source: str) -> Iterator[RunName]:
        """Give the files of a source that have not been split, the oldest first."""
        return map(_read_name, self._table.query(f"waiting#{source}"))

    def begun(self, source: str) -> Run | None:
        """Give the run of a source whose split was begun and not ended.

        It goes on before any other file is split, also an older one that came meanwhile: what it
        has called unchanged holds only if that one is told which products it has.
        """
        for name in list(map(_read_name, self._table.query(f"begun#{source}"))):
            run = self.get(name.run)
            if run is not None and run.phase == "splitting":
                return run
            self._table.delete(_begun_key(source, name.run))
        return None

    def older_unfinished(self, run: Run) -> bool:
        """Say whether an older file of the source still has records without an end state."""
        others = (name.run for name in self.open_runs() if name.source == run.source)
        headers = (self.get(other) for other in others if other != run.id)
        return any(header and header.order < run.order for header in headers)

    def alone(self, run: Run) -> bool:
        """Say whether no other run of the source may have messages on their way."""
        others = (name.run for name in self.open_runs() if name.source == run.source)
        headers = (self.get(other) for other in others if other != run.id)
        return not any(header and header.phase in UNDER_WAY for header in headers)

    def newer_split(self, run: Run) -> list[RunName]:
        """Give the newer files of the source that were split before this one: it comes late."""
        return self.split_after(run.source, run.order)

    def split_after(self, source: str, order: str = "") -> list[RunName]:
        """Give the split files of a source that are newer than `order`, the oldest first."""
        found = self._table.query(f"source#{source}", after=f"{order}$" if order else "")
        return [name for name in map(_read_name, found) if name.order > order]

    def wake(self, run: Run) -> Run:
        """Have a run wait for its turn: a noted one, or one that failed for want of a mapping."""
        change = Change(
            put={"phase": "waiting", "problem": None, "retryable": False},
            condition="#phase = :noted OR (#phase = :failed AND #retryable = :yes)",
            given={"noted": "noted", "failed": "failed", "yes": True},
        )
        self._table.transact(
            self._table.updating(header_key(run.id), change),
            self._table.putting(_open_key(run.id) | _name(run)),
            self._table.putting(_waiting_key(run) | _name(run)),
            self._table.deleting(_aside_key(run.id)),
        )
        return replace(run, phase="waiting", problem=None, retryable=False)

    def set_aside(self, run: Run, problem: str) -> None:
        """End a run that sent nothing, for a reason outside its file, which stays in the inbox."""
        change = Change(put={"phase": "failed", "problem": problem, "retryable": True})
        self._table.transact(
            self._table.updating(header_key(run.id), change),
            self._table.deleting(_open_key(run.id)),
            self._table.deleting(_waiting_key(run)),
            self._table.deleting(_begun_key(run.source, run.id)),
            self._table.putting(_aside_key(run.id) | _name(run)),
        )

    def aside(self) -> Iterator[RunName]:
        """Give the runs that were set aside.

        A newer version of the file may lie in its place by now: the inbox does not show them all.
        """
        return map(_read_name, self._table.query("aside"))

    def finish(
        self, run: Run, phase: Phase, *, file: str, report: str, problem: str | None, now: str
    ) -> None:
        """Enter the end of a run; it stays open until `close`, so that the end is announced."""
        end = {"phase": phase, "file": file, "report": report, "finished_at": now}
        self._table.update(header_key(run.id), Change(put=end | {"problem": problem, "dead": 0}))

    def close(self, run: str) -> None:
        """Forget that the run was open."""
        self._table.delete(_open_key(run))

    def prepared(self, errand: Run) -> None:
        """Enter that an errand is written down; nothing if that is known, or it was given up."""
        change = Change(
            put={"phase": "sending"},
            condition="#phase = :preparing",
            given={"preparing": "preparing"},
        )
        self._table.update(header_key(errand.id), change)

    def give_up(self, errand: Run, problem: str, now: str) -> None:
        """Enter that an errand ends without anything sent, unless it was written down by now."""
        change = Change(
            put={"phase": "delivering", "problem": problem, "split_at": now},
            condition="#phase = :preparing",
            given={"preparing": "preparing"},
        )
        self._table.update(header_key(errand.id), change)

    def sent(
        self, errand: Run, *, sent: int, records: int, counts: Mapping[State, int], now: str
    ) -> None:
        """Enter that all messages of an errand are on their way; entering it again changes nothing.

        `counts` are the records that no message carries.
        """
        end = {"phase": "delivering", "sent": sent, "records": records, "split_at": now}
        change = Change(
            put=end,
            add={state: number for state, number in counts.items() if number},
            condition="#phase = :sending",
            given={"sending": "sending"},
        )
        self._table.update(header_key(errand.id), change)

    def release_hold(self, run: str) -> None:
        """Enter that an operator has decided about the missing products of a full export."""
        self._table.update(header_key(run), Change(put={"hold": None}))

    def note_dead_letters(self, run: str, messages: dict[str, list[DeadRecord]]) -> None:
        """Enter which messages of the run lie in the dead-letter queue, and whose records."""
        for message, records in messages.items():
            key = {"pk": f"run#{run}", "sk": f"dead#{message}"}
            self._table.put(key | {"message": message, "records": list(map(list, records))})
        self._table.update(header_key(run), Change(put={"dead": len(messages)}))

    def dead_letters(self, run: str) -> Iterator[tuple[str, list[DeadRecord]]]:
        """Give the messages that were found there, some of which may have been redriven since."""
        for item in self._table.query(f"run#{run}", prefix="dead#"):
            records = [(int(n), int(line), str(name)) for n, line, name in item["records"]]
            yield item["message"], records


def open_actions(table: RunTable, run: Run) -> list[dict[str, Any]]:
    """Make the actions that move a run from the files that wait to those that were split."""
    split_key = {"pk": f"source#{run.source}", "sk": f"{run.order}#{run.id}"}
    return [
        table.deleting(_waiting_key(run)),
        table.deleting(_begun_key(run.source, run.id)),
        table.putting(split_key | _name(run)),
    ]


def begun_item(run: Run) -> dict[str, str]:
    """Make the item that says that the split of a run was begun."""
    return _begun_key(run.source, run.id) | _name(run)


def _header(run: Run) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(run)
    counts: dict[str, Any] = fields.pop("counts")
    return header_key(run.id) | counts | fields


def _name(run: Run) -> dict[str, str]:
    return {"run": run.id, "source": run.source, "order": run.order}


def _read_name(item: dict[str, Any]) -> RunName:
    return RunName(run=item["run"], source=item["source"], order=item["order"])


def _open_key(run: str) -> dict[str, str]:
    return {"pk": "open", "sk": run}


def _begun_key(source: str, run: str) -> dict[str, str]:
    return {"pk": f"begun#{source}", "sk": run}


def _aside_key(run: str) -> dict[str, str]:
    return {"pk": "aside", "sk": run}


def _waiting_key(run: Run) -> dict[str, str]:
    return {"pk": f"waiting#{run.source}", "sk": f"{run.turn}#{run.id}"}
