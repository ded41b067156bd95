"""The report of a run: JSON for machines, CSV of what needs a person."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterable
from typing import IO, Final

import msgspec

from pim_connector.runs.run import Run
from pim_connector.states import Problem, RecordOutcome

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
    """Give a run in numbers, as the report and the RunFinished event tell it.

    `exact` says that every record of the file has its state.
    """
    return {
        "run": run.id,
        "source": run.source,
        "file": run.file or run.key,
        "version": run.version,
        "order": run.order,
        "phase": run.phase,
        "problem": run.problem,
        "records": run.records,
        "counts": run.counts,
        "exact": run.accounted == run.records and run.counts["parked"] == 0,
        "duplicates": run.duplicates,
        "kind": run.kind,
        "of": run.of,
        "missing": run.missing,
        "hold": run.hold,
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
