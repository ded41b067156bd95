"""The header of a run: one file version, or a job, on its way into the PIM, with its counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.table import ItemChange, Table
from pim_connector.errors import ConfigurationError
from pim_connector.outcomes import FINAL_STATES, STATES, State
from pim_connector.sync.messages import MappingPin

Phase = Literal[
    "noted", "waiting", "splitting", "preparing", "sending", "delivering", "finished", "failed"
]
"""noted: waits for the night · waiting: for its turn · splitting: is being read · preparing: the
messages of a job are being written down · sending: they are being sent · delivering: is read,
the mapper works · finished: every record has its state · failed: see `problem`."""
Kind = Literal["file", "withdrawal", "replay", "revert", "assets"]
"""What a run is about: a file, or a job that concerns the run `of` (see `jobs`)."""
Decision = Literal["approved", "discarded"]
"""What somebody decided about a run on hold."""


class Run(Struct, frozen=True, kw_only=True):
    """One version of one file, or one job, and what became of it so far.

    `records` are those read from the file; `sent` and `recorded` count messages. `order` compares
    as text with that of other runs of the source and says which is newer; `turn` is the order in
    which files came and are read, the same unless the file itself says when it was exported.
    `retryable` is said of a run that failed before it sent anything, for a reason outside the
    file: the file still lies in the inbox. `missing`, of a full export, counts the products that
    the last complete one held and this one does not; `hold` says why they were not disabled
    although the mapping asks for it, and waits for an operator's word; `decision` is that word, and
    `decided_by` says whose. `forced` says what is sent
    although it has not changed. `follows` names the run of the source that alone may have written
    to the sync state before this file, "" where nobody knows (see `succession`); `first` says that
    no run of the source began before it, so that the sync state had nothing of the source. `fence`
    grows each time a splitter takes the run over; what an earlier one still writes is refused.
    Times are ISO 8601 in UTC.
    """

    id: str
    source: str
    bucket: str
    key: str
    version: str
    size: int
    order: str
    turn: str
    phase: Phase
    mapping: MappingPin | None = None
    counts: dict[State, int]
    records: int = 0
    sent: int = 0
    recorded: int = 0
    duplicates: int = 0
    dead: int = 0
    missing: int | None = None
    problem: str | None = None
    retryable: bool = False
    fence: int = 0
    checkpoint: str | None = None
    registered_at: str | None = None
    started_at: str | None = None
    split_at: str | None = None
    finished_at: str | None = None
    file: str | None = None
    report: str | None = None
    kind: Kind = "file"
    of: str | None = None
    hold: str | None = None
    forced: str | None = None
    follows: str | None = None
    first: bool = False
    holes: int = 0
    notes: str | None = None
    decision: Decision | None = None
    decided_by: str | None = None
    decided_at: str | None = None

    @property
    def settled(self) -> bool:
        """Whether no record can change its state any more."""
        read = self.phase in ("delivering", "finished")
        return read and self.recorded == self.sent and self.counts["parked"] == 0

    @property
    def accounted(self) -> int:
        """The sum of the end states; of a settled run it equals `records`."""
        return sum(self.counts[state] for state in FINAL_STATES)


Outcome = Literal["ok", "ok with rejects", "needs approval", "failed"]
"""How a run ended, in the one word that every page, command, mail, event and metric uses."""


def outcome(run: Run) -> Outcome | None:
    """Return how a run ended; None while it goes on. Pure.

    A run that is on hold needs approval, also before its last record is delivered. One of which
    nothing was taken over has failed, although every record has its state: what the mapping left
    out on purpose does not make it a success. A file that is mostly older than what the PIM
    already has is no plain success either: somebody should know that it came too late.
    """
    if run.phase == "failed":
        return "failed"
    if run.hold:
        return "needs approval"
    if run.phase != "finished":
        return None
    rejected, superseded = run.counts["rejected"], run.counts["superseded"]
    if rejected and rejected == run.records - run.counts["filtered"]:
        return "failed"
    late = run.kind == "file" and 2 * superseded > run.records
    return "ok with rejects" if rejected or late else "ok"


def why(run: Run) -> str | None:
    """Return in a sentence why a run is not plainly `ok`; None where there is nothing to say."""
    if run.problem or run.hold:
        return run.problem or run.hold
    rejected, superseded = run.counts["rejected"], run.counts["superseded"]
    if outcome(run) == "failed":
        return f"every record was rejected ({rejected:,}): nothing of the file was taken over"
    if outcome(run) != "ok with rejects":
        return None
    parts = [f"{rejected:,} of {run.records:,} records were rejected"] if rejected else []
    if run.kind == "file" and 2 * superseded > run.records:
        parts.append(f"{superseded:,} of {run.records:,} records are older than what the PIM has")
    return "; ".join(parts)


def header_key(run: str) -> dict[str, str]:
    """Name the item that holds a run's header."""
    return {"pk": f"run#{run}", "sk": "run"}


def from_item(item: dict[str, Any]) -> Run:
    """Read a header; what a newer release added is passed over."""
    fields: dict[str, Any] = {name: item[name] for name in _PLAIN if name in item}
    counts = {state: int(item.get(state, 0)) for state in STATES}
    pin = msgspec.convert(item["mapping"], MappingPin) if item.get("mapping") else None
    numbers: dict[str, Any] = {name: int(item.get(name, 0)) for name in _NUMBERS}
    missing = item.get("missing")
    numbers["missing"] = None if missing is None else int(missing)
    return Run(**fields, **numbers, counts=counts, mapping=pin)


_NUMBERS: Final = ("size", "records", "sent", "recorded", "duplicates", "dead", "fence", "holes")
_PLAIN: Final = (
    "id",
    "source",
    "bucket",
    "key",
    "version",
    "order",
    "turn",
    "phase",
    "problem",
    "retryable",
    "checkpoint",
    "registered_at",
    "started_at",
    "split_at",
    "finished_at",
    "file",
    "report",
    "kind",
    "of",
    "hold",
    "notes",
    "forced",
    "follows",
    "first",
    "decision",
    "decided_by",
    "decided_at",
)


# Which run of a source was the last that may have written to the sync state, and whether alone.
#
# Every run says so before its first message: `last#<source>` names it. A file that finds the run
# before it there, which began alone and is settled, knows all that the sync state holds of that
# run's products; and a chunk that relies on it is only recorded while the file itself is still the
# last.


UNDER_WAY = frozenset({"splitting", "preparing", "sending", "delivering"})


def last_key(source: str) -> dict[str, str]:
    """Name the item that says which run of a source began last."""
    return {"pk": f"last#{source}", "sk": "run"}


def _disturbing(table: Table, job: Run) -> dict[str, Any]:
    """Make the action that says that a job will write what no file says."""
    return table.putting(last_key(job.source) | {"run": job.id, "alone": False})


def succeeding(table: Table, run: Run, before: str | None, *, alone: bool) -> dict[str, Any]:
    """Make the action that puts a file in the place of `before`, if that is still the last."""
    change = ItemChange(
        put={"run": run.id, "alone": alone},
        condition="attribute_not_exists(pk)" if before is None else "#run = :before",
        given={} if before is None else {"before": before},
    )
    return table.updating(last_key(run.source), change)


def undisturbed(table: Table, run: Run) -> dict[str, Any]:
    """Make the condition that nothing began after `run`."""
    change = ItemChange(condition="#run = :run", given={"run": run.id})
    return table.checking(last_key(run.source), change)


# Which runs there are, which of them are not done, and whose turn it is.
#
# Items beside the headers: `runs`/<run> for every run, `open`/<run> for those that are not done,
# `waiting#<source>`/<turn>#<run> for files that have not been split,
# `source#<source>`/<order>#<run>
# for those that have.


DeadRecord: TypeAlias = tuple[int, int, str]
"""Number, line and identifier of a record whose message lies in the dead-letter queue."""


class RunName(Struct, frozen=True, kw_only=True):
    """A run as the indices know it."""

    run: str
    source: str
    order: str


class Registry:
    """All runs of the stack."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def register(self, run: Run, *, disturbs: bool = False) -> bool:
        """Enter a new run, `noted` or `waiting`. False says that it is known and as it was.

        One that `disturbs` will write to the sync state without a file that says what.
        """
        actions = [self._table.putting(_header(run), if_absent=True)]
        actions.append(self._table.putting(_open_key(run.id) | _name(run)))
        actions.append(self._table.putting({"pk": "runs", "sk": run.id} | _name(run)))
        if run.phase == "waiting":
            actions.append(self._table.putting(_waiting_key(run) | _name(run)))
        if disturbs:
            actions.append(_disturbing(self._table, run))
        return not self._table.transact(*actions)

    def get(self, run: str) -> Run | None:
        item = self._table.get(header_key(run))
        return from_item(item) if item else None

    def each(self, names: Iterable[str]) -> Iterator[Run]:
        """Return the runs of these ids, as far as they are known."""
        return filter(None, map(self.get, names))

    def open_runs(self) -> Iterator[RunName]:
        """Return all runs that are not done, in no order that means anything."""
        return map(_read_name, self._table.query("open"))

    def each_open(self) -> Iterator[Run]:
        """Return the runs that are not done, as they are now."""
        return self.each([name.run for name in self.open_runs()])

    def all_runs(self) -> Iterator[RunName]:
        """Return all runs there have been, the newest first."""
        return map(_read_name, self._table.query("runs", newest_first=True))

    def waiting(self, source: str) -> Iterator[RunName]:
        """Return the files of a source that have not been split, the oldest first."""
        return map(_read_name, self._table.query(f"waiting#{source}"))

    def begun(self, source: str) -> Run | None:
        """Return the run of a source whose split was begun and not ended.

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
        """Return the newer files of the source that were split before this one: it comes late."""
        return self.split_after(run.source, run.order)

    def split_after(self, source: str, order: str = "") -> list[RunName]:
        """Return the split files of a source that are newer than `order`, the oldest first."""
        found = self._table.query(f"source#{source}", after=f"{order}$" if order else "")
        return [name for name in map(_read_name, found) if name.order > order]

    def wake(self, run: Run) -> Run:
        """Have a run wait for its turn: a noted one, or one that failed for want of a mapping."""
        change = ItemChange(
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
        change = ItemChange(put={"phase": "failed", "problem": problem, "retryable": True})
        self._table.transact(
            self._table.updating(header_key(run.id), change),
            self._table.deleting(_open_key(run.id)),
            self._table.deleting(_waiting_key(run)),
            self._table.deleting(_begun_key(run.source, run.id)),
            self._table.putting(_aside_key(run.id) | _name(run)),
        )

    def aside(self) -> Iterator[RunName]:
        """Return the runs that were set aside.

        A newer version of the file may lie in its place by now: the inbox does not show them all.
        """
        return map(_read_name, self._table.query("aside"))

    def finish(
        self, run: Run, phase: Phase, *, file: str, report: str, problem: str | None, now: str
    ) -> None:
        """Enter the end of a run; it stays open until `close`, so that the end is announced."""
        end = {"phase": phase, "file": file, "report": report, "finished_at": now}
        self._table.update(
            header_key(run.id), ItemChange(put=end | {"problem": problem, "dead": 0})
        )

    def close(self, run: str) -> None:
        """Forget that the run was open."""
        self._table.delete(_open_key(run))

    def prepared(self, job: Run) -> None:
        """Enter that a job is written down; nothing if that is known, or it was given up."""
        change = ItemChange(
            put={"phase": "sending"},
            condition="#phase = :preparing",
            given={"preparing": "preparing"},
        )
        self._table.update(header_key(job.id), change)

    def give_up(self, job: Run, problem: str, now: str) -> None:
        """Enter that a job ends without anything sent, unless it was written down by now."""
        change = ItemChange(
            put={"phase": "delivering", "problem": problem, "split_at": now},
            condition="#phase = :preparing",
            given={"preparing": "preparing"},
        )
        self._table.update(header_key(job.id), change)

    def sent(
        self, job: Run, *, sent: int, records: int, counts: Mapping[State, int], now: str
    ) -> None:
        """Enter that all messages of a job are on their way; entering it again changes nothing.

        `counts` are the records that no message carries.
        """
        end = {"phase": "delivering", "sent": sent, "records": records, "split_at": now}
        change = ItemChange(
            put=end,
            add={state: number for state, number in counts.items() if number},
            condition="#phase = :sending",
            given={"sending": "sending"},
        )
        self._table.update(header_key(job.id), change)

    def decide(self, run: str, decision: Decision, who: str, now: str) -> None:
        """Enter what somebody has decided about a run on hold; it is on hold no longer."""
        put = {"hold": None, "decision": decision, "decided_by": who, "decided_at": now}
        self._table.update(header_key(run), ItemChange(put=put))

    def disturb(self, source: str, job: Run) -> None:
        """Enter that a job of another source will write to the sync state of this one.

        Nothing where no run of the source has ever begun: there is nothing to be relied on.
        """
        if self._table.get(last_key(source)):
            self._table.put(last_key(source) | {"run": job.id, "alone": False})

    def note_dead_letters(self, run: str, messages: dict[str, list[DeadRecord]]) -> None:
        """Enter which messages of the run lie in the dead-letter queue, and whose records."""
        for message, records in messages.items():
            key = {"pk": f"run#{run}", "sk": f"dead#{message}"}
            self._table.put(key | {"message": message, "records": list(map(list, records))})
        self._table.update(header_key(run), ItemChange(put={"dead": len(messages)}))

    def dead_letters(self, run: str) -> Iterator[tuple[str, list[DeadRecord]]]:
        """Return the messages that were found there, some of which may have been redriven since."""
        for item in self._table.query(f"run#{run}", prefix="dead#"):
            records = [(int(n), int(line), str(name)) for n, line, name in item["records"]]
            yield item["message"], records


def open_actions(table: Table, run: Run) -> list[dict[str, Any]]:
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


# Runs as numbers for alarms and the dashboard.


LATE_AFTER: Final = timedelta(hours=1)
NEWEST_RUNS: Final = 50
"""How many are looked at for a decision: only the newest export of a source can be confirmed."""
OPEN_PHASES: Final[frozenset[Phase]] = frozenset(
    {"waiting", "splitting", "preparing", "sending", "delivering"}
)


def of_closed(runs: Iterable[Run]) -> Counter[str]:
    """Count runs that have ended: how, and their records by state.

    `RunsFailed` has those of outcome `failed`. Those that need approval are counted as long as
    they do, by `of_all`.
    """
    numbers: Counter[str] = Counter(RunsFinished=0, RunsFailed=0)
    for run in runs:
        numbers["RunsFailed" if outcome(run) == "failed" else "RunsFinished"] += 1
        for state in FINAL_STATES:
            numbers[f"RunRecords{state.capitalize()}"] += run.counts[state]
    return numbers


def _of_open(
    runs: Iterable[Run], now: datetime, finished_by: datetime | None = None
) -> dict[str, int]:
    """Return for how many minutes the oldest run has been under way, and how many are late.

    Those that wait for the night or for a decision are not under way. Late are those that began
    more than an hour before `finished_by`, a time that has passed.
    """
    begun = [
        datetime.fromisoformat(run.registered_at)
        for run in runs
        if run.phase in OPEN_PHASES and not run.hold and run.registered_at
    ]
    ages = [int((now - began).total_seconds() / 60) for began in begun]
    late = [began for began in begun if finished_by and began < finished_by - LATE_AFTER]
    return {"OldestRunMinutes": max(ages, default=0), "LateRuns": len(late)}


def last_deadline(now: datetime, hour: int, time_zone: str) -> datetime:
    """Return when it was last `hour` o'clock (0 to 23) in the zone, an IANA name.

    ConfigurationError for a zone that is not known.
    """
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        local = now.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"TIME_ZONE is {time_zone!r}, which is no IANA time zone such as Europe/Paris: correct "
            "the stack's parameter TimeZone"
        ) from error
    deadline = local.replace(hour=hour, minute=0, second=0, microsecond=0)
    return deadline if deadline <= local else deadline - timedelta(days=1)


def of_all(
    registry: Registry, now: datetime, finished_by: datetime | None, breaker_since: int | None
) -> dict[str, int]:
    """Return what only a look at everything can tell, as metrics that alarms look at.

    `breaker_since` is when the PIM was last reached, in epoch seconds, None if it is. What is 0 is
    left out: CloudWatch charges for each metric in each hour that has it.
    """
    newest = islice(registry.all_runs(), NEWEST_RUNS)
    pending = sum(bool(run.hold) for run in registry.each([name.run for name in newest]))
    waiting = 0 if breaker_since is None else int((now.timestamp() - breaker_since) / 60)
    numbers = {
        **_of_open(registry.each_open(), now, finished_by),
        "DecisionsPending": pending,
        "BreakerOpenMinutes": waiting,
    }
    return {name: number for name, number in numbers.items() if number}
