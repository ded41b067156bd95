"""The report of a run: JSON for machines, CSV of what needs a person."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct, field

from pim_connector.outcomes import FINAL_STATES, Problem, RecordOutcome
from pim_connector.sync.runs import Run, why
from pim_connector.sync.runs import outcome as outcome_of

if TYPE_CHECKING:
    from jinja2 import Template

COLUMNS: Final = (
    "record",
    "line",
    "identifier",
    "state",
    "attribute",
    "source",
    "value",
    "reason",
    "what_to_do",
)
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠\t\r]")
_FORMULA_WITHIN = re.compile(r"(?<=[;\t\r\n])(\s*)(?=[=+\-@＝＋－＠])")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")


def summary(run: Run) -> dict[str, object]:
    """Return a run in numbers, as the report and the RunFinished event tell it.

    `exact` says that every record of the file has its state.
    """
    return {
        "run": run.id,
        "source": run.source,
        "file": run.file or run.key,
        "version": run.version,
        "order": run.order,
        "phase": run.phase,
        "outcome": outcome_of(run),
        "why": why(run),
        "problem": run.problem,
        "records": run.records,
        "counts": run.counts,
        "exact": run.accounted == run.records and run.counts["parked"] == 0,
        "duplicates": run.duplicates,
        "kind": run.kind,
        "of": run.of,
        "missing": run.missing,
        "hold": run.hold,
        "holes": run.holes,
        "notes": run.notes,
        "messages": {"sent": run.sent, "recorded": run.recorded, "dead": run.dead},
        "mapping": msgspec.to_builtins(run.mapping),
        "registered_at": run.registered_at,
        "started_at": run.started_at,
        "split_at": run.split_at,
        "finished_at": run.finished_at,
    }


class ReportWriter:
    """Writes both forms, record by record, so that a million rejections need no memory.

    CSV in UTF-8 with a byte order mark, for spreadsheets to know it by.
    """

    def __init__(self, run: Run, json_file: IO[bytes], csv_file: IO[bytes]) -> None:
        self._json = json_file
        self._csv = csv_file
        self._first = True
        self._json.write(json.dumps(summary(run), indent=1).encode()[:-2] + b',\n "outcomes": [')
        self._csv.write(codecs.BOM_UTF8)
        self._row(COLUMNS)

    def add(self, outcomes: Iterable[RecordOutcome]) -> None:
        """Write records that were rejected, or that wait."""
        for outcome in outcomes:
            self._json.write(b"\n  " if self._first else b",\n  ")
            self._first = False
            self._json.write(msgspec.json.encode(outcome))
            for problem in outcome.problems or (Problem(reason=""),):
                self._row(_cells(outcome, problem))

    def close(self) -> None:
        self._json.write(b"\n ]\n}\n")

    def _row(self, cells: Iterable[object]) -> None:
        line = io.StringIO()
        csv.writer(line).writerow([safe_cell(str(cell)) for cell in cells])
        self._csv.write(line.getvalue().encode())


def safe_cell(text: str) -> str:
    """Keep a spreadsheet from taking text for a formula, by an apostrophe before it.

    Also within the text, behind what a spreadsheet of another country may take for the end of a
    cell: where decimals have a comma, cells end with a semicolon, whatever the file says.
    https://owasp.org/www-community/attacks/CSV_Injection; plain numbers stay numbers.
    """
    if _NUMBER.fullmatch(text):
        return text
    inside = _FORMULA_WITHIN.sub(r"\1'", text)
    return f"'{inside}" if _FORMULA.match(text) else inside


def _cells(outcome: RecordOutcome, problem: Problem) -> tuple[object, ...]:
    return (
        outcome.number,
        outcome.line,
        outcome.identifier or "",
        outcome.state,
        problem.attribute or "",
        problem.source or "",
        problem.value or "",
        problem.reason,
        problem.advice or "",
    )


# What a person wants to know of a run, gathered record by record in bounded memory.


SHOWN_RECORDS: Final = 200
MAX_REASONS: Final = 2_000
MOST_STEPS: Final = 24
STEPS: Final = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 180, 360, 720, 1440))
"""Lengths that a run may be told in, in seconds."""
_VARYING = re.compile(r"\"[^\"]*\"|\[[^\]]*\]|\d[\d.,]*")


class Reason(Struct, kw_only=True):
    """One reason why records were rejected: how many, and one of them as an example.

    `identifier` and `number` are those of the example.
    """

    attribute: str
    example: str
    advice: str
    identifier: str
    number: int
    records: int = 0


class Digest(Struct):
    """Counts and samples of a run's outcomes.

    `reasons` are grouped by attribute and by text without its numbers and quoted values, as the
    same mistake names another value in each record. Of rejected and waiting records the first 200
    are kept whole; all of them are in the CSV.
    """

    reasons: dict[tuple[str, str], Reason] = field(default_factory=dict)
    records: list[RecordOutcome] = field(default_factory=list)
    left_over: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    minutes: dict[int, Counter[str]] = field(default_factory=dict)

    def count(self, outcomes: Iterable[RecordOutcome], at: int | None = None) -> None:
        """Count recorded records: what was changed of them and, where `at` is known, when.

        `at` is in seconds of the epoch.
        """
        minute = None if at is None else self.minutes.setdefault(at // 60, Counter())
        for outcome in outcomes:
            self.changed.update(outcome.changed)
            if minute is not None:
                minute[outcome.state] += 1

    def explain(self, outcome: RecordOutcome) -> None:
        """Take in one record that was rejected or waits, with its reasons."""
        if len(self.records) < SHOWN_RECORDS:
            self.records.append(outcome)
        else:
            self.left_over += 1
        seen: set[tuple[str, str]] = set()
        for problem in outcome.problems:
            key = (problem.attribute or "", _VARYING.sub("…", problem.reason))
            if key not in self.reasons and len(self.reasons) == MAX_REASONS:
                key = ("", "other reasons")
            found = self.reasons.setdefault(
                key,
                Reason(
                    attribute=key[0],
                    example=problem.reason if key[1] != "other reasons" else key[1],
                    advice=problem.advice or "",
                    identifier=outcome.identifier or "",
                    number=outcome.number,
                ),
            )
            found.records += key not in seen
            seen.add(key)

    def top_reasons(self, number: int) -> list[Reason]:
        """Return the most frequent reasons, the first first."""
        return sorted(self.reasons.values(), key=lambda reason: -reason.records)[:number]

    def timeline(self) -> tuple[int, dict[int, Counter[str]]]:
        """Return a step in seconds, and the states by the step they were reached in, without gaps.

        An hour at least for a night; less for what is over sooner, so that one sees its course.
        """
        if not self.minutes:
            return STEPS[0], {}
        first, last = 60 * min(self.minutes), 60 * max(self.minutes)
        fitting = (s for s in STEPS if last // s - first // s < MOST_STEPS)
        step = next(fitting, STEPS[-1])
        told = {at: Counter[str]() for at in range(first // step * step, last + 1, step)}
        for minute, states in self.minutes.items():
            told[60 * minute // step * step].update(states)
        return step, told


# The report of a run as one HTML page for people, without anything from elsewhere.


WORDS: Final = {
    "created": "new in the PIM",
    "updated": "changed in the PIM",
    "unchanged": "the PIM had it so already, nothing was sent",
    "superseded": "left alone: a newer file has something to say about it",
    "filtered": "left out on purpose, as the mapping says",
    "rejected": "not taken over; the reasons are below",
    "parked": "waiting for their product model, or with links for the rest of the file",
}
KINDS: Final = {
    "replay": "Records sent again",
    "revert": "An import undone",
    "withdrawal": "Products that left an export",
}
SECONDS_A_PRODUCT: Final = 0.055
CALLS_AT_ONCE: Final = 4
"""Akeneo's fair use is 4 calls at once per connection
(https://api.akeneo.com/documentation/good-practices.html); a product takes about 55 ms."""
SHOWN_REASONS: Final = 20
SHOWN_CHANGES: Final = 15
MAX_EXCERPT: Final = 1_500


class Step(Struct, frozen=True, kw_only=True):
    """One step of the run's course: its bar in per cent of the highest, from the bottom up."""

    name: str
    number: int
    states: str
    bars: tuple[tuple[str, float, float], ...]


def report_page(run: Run, digest: Digest, excerpts: Mapping[int, str]) -> str:
    """Draw the page. `excerpts` are the XML of rejected records, by record number.

    Everything that comes from a file or a PIM is escaped by the template engine.
    """
    return _template().render(
        run=run,
        kind=KINDS.get(run.kind, "Import"),
        verdict=verdict(run),
        outcome=outcome_of(run) or "not finished",
        states=_states(run),
        pace=_pace(run),
        course=_course(digest),
        reasons=digest.top_reasons(SHOWN_REASONS),
        more_reasons=max(0, len(digest.reasons) - SHOWN_REASONS),
        changes=_bars(digest.changed.most_common(SHOWN_CHANGES)),
        records=sorted(digest.records, key=lambda record: record.number),
        fate=_fate,
        left_over=digest.left_over,
        excerpts={number: _cut(text) for number, text in excerpts.items()},
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # 50 ms, and only the housekeeping needs it

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = _thousands
    environment.filters["moment"] = _moment
    source = resources.files("pim_connector").joinpath("report_page.html").read_text("utf-8")
    return environment.from_string(source)


def verdict(run: Run) -> tuple[str, str]:
    """Say in one sentence how the run went, with a word for its tone: good, mixed or bad."""
    if run.problem:
        return "bad", f"The run failed: {run.problem}"
    if run.finished_at is None:
        return "mixed", "The run is not finished yet."
    if outcome_of(run) == "failed":
        return "bad", f"The run failed: {why(run)}."
    rejected, taken = run.counts["rejected"], run.counts["created"] + run.counts["updated"]
    if run.records == 0:
        return "mixed", "The file held no records."
    if rejected == 0:
        dealt, changed = _thousands(run.records), _thousands(taken)
        return "good", f"All {dealt} records were dealt with; {changed} changed the PIM."
    told = f"{_thousands(rejected)} of {_thousands(run.records)}"
    return "mixed", (
        f"{told} records could not be taken over. All others were dealt with; "
        f"{_thousands(taken)} changed the PIM."
    )


def _states(run: Run) -> list[dict[str, Any]]:
    total, before, found = max(1, run.records), 0.0, []
    for state in (*FINAL_STATES, "parked"):
        number = run.counts[state]
        share = 100 * number / total
        if number or state != "parked":
            row = {"name": state, "number": number, "word": WORDS[state], "x": before}
            found.append(row | {"width": share, "share": _share(number, total)})
        before += share
    return found


def _share(number: int, total: int) -> str:
    if not number:
        return ""
    share = 100 * number / total
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %" if share >= 0.05 else "< 0.1 %"


def _pace(run: Run) -> dict[str, Any] | None:
    if not (run.registered_at and run.finished_at):
        return None
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.registered_at)
    seconds = took.total_seconds()
    sent = run.counts["created"] + run.counts["updated"]
    least = sent * SECONDS_A_PRODUCT / CALLS_AT_ONCE
    longest = max(seconds, least, 1)
    return {
        "took": _duration(seconds),
        "took_width": 100 * seconds / longest,
        "sent": sent,
        "least": _duration(least),
        "least_width": 100 * least / longest,
    }


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _moment(written: str) -> str:
    at = datetime.fromisoformat(written)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} second{'' if 0.5 <= seconds < 1.5 else 's'}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _course(digest: Digest) -> dict[str, Any]:
    seconds, told = digest.timeline()
    most = max((sum(states.values()) for states in told.values()), default=0)
    if not most:
        return {}
    steps = [_step(at, states, most, seconds) for at, states in told.items()]
    return {"steps": steps, "length": _length(seconds), "most": most}


def _step(at: int, states: Counter[str], most: int, seconds: int) -> Step:
    bars, top = [], 0.0
    for state in WORDS:
        if states[state]:
            height = 100 * states[state] / most
            top += height
            bars.append((state, 100 - top, height))
    begun = datetime.fromtimestamp(at, UTC)
    return Step(
        name=f"{begun:%Y-%m-%d}" if seconds >= 86_400 else f"{begun:%Y-%m-%d %H:%M}",
        number=sum(states.values()),
        states=", ".join(f"{_thousands(states[s])} {s}" for s in WORDS if states[s]),
        bars=tuple(bars),
    )


def _length(seconds: int) -> str:
    number, unit = (seconds // 3600, "hour") if seconds >= 3600 else (seconds // 60, "minute")
    return unit if number == 1 else f"{number} {unit}s"


def _bars(counts: list[tuple[str, int]]) -> list[dict[str, Any]]:
    most = max((number for _, number in counts), default=1)
    return [{"name": n, "number": number, "width": 100 * number / most} for n, number in counts]


def _fate(record: RecordOutcome) -> str:
    """Say what is otherwise than the heading says of the records below it."""
    if record.state == "parked":
        return "waits"
    return "" if record.state == "rejected" else "went in, but not all of it"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + "…"
