"""A run in a few lines: for people, and as the one JSON object that scripts read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pim_connector.outcomes import FINAL_STATES

if TYPE_CHECKING:
    from rich.table import Table

    from pim_connector.outcomes import Problem, RecordOutcome
    from pim_connector.sync.runs import Run

SHOWN_CHARACTERS = 120
"""So much of a value is shown in a table; --json and the report have all of it."""
MEANINGS = {
    "created": "new in the PIM",
    "updated": "changed in the PIM",
    "unchanged": "the PIM has it so already",
    "superseded": "the PIM has something newer",
    "filtered": "left out by the mapping",
    "rejected": "not taken over; see the reasons",
}


def outcome_line(run: Run) -> dict[str, object]:
    """The run, its number of records, its counts by state, and its duration: nothing else.

    This is what `make demo` ends with, as one line.
    """
    counts: dict[str, object] = {state: run.counts[state] for state in FINAL_STATES}
    return {"run": run.id, "records": run.records, **counts, "seconds": seconds(run)}


def as_json(run: Run) -> dict[str, object]:
    """The counts, and beside them what a script decides by: `outcome`, and `why` it is not `ok`.

    `outcome` is None while the run goes on; `hold` says that it waits for `approve` or `discard`.
    """
    from pim_connector.sync.runs import outcome, why

    return outcome_line(run) | {
        "source": run.source,
        "kind": run.kind,
        "of": run.of,
        "phase": run.phase,
        "outcome": outcome(run),
        "why": why(run),
        "problem": run.problem,
        "hold": run.hold,
        "holes": run.holes,
        "notes": run.notes,
        "missing": run.missing,
        "file": run.file or run.key,
        "report": run.report,
    }


def seconds(run: Run) -> float | None:
    """How long the run took from the time its file was noticed; None while it has not ended."""
    if not (run.registered_at and run.finished_at):
        return None
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.registered_at)
    return round(took.total_seconds(), 1)


def counts_table(run: Run) -> Table:
    """Draw the counts by state."""
    from rich.table import Table

    table = Table(title=f"Run {run.id}", title_justify="left")
    for heading, justify in (("state", "left"), ("records", "right"), ("meaning", "left")):
        table.add_column(heading, justify="right" if justify == "right" else "left")
    for state, meaning in MEANINGS.items():
        table.add_row(state, f"{run.counts[state]:,}", meaning)  # type: ignore[index]  # the states
    if run.counts["parked"]:
        table.add_row("parked", f"{run.counts['parked']:,}", "waiting for a model, or with links")
    table.add_row("all", f"{run.records:,}", "in the file", style="bold")
    return table


def rejections_table(outcomes: list[RecordOutcome]) -> Table:
    """Draw the rejected records with their reasons."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Rejected records", title_justify="left")
    for heading in ("record", "line", "identifier", "attribute", "value", "reason"):
        table.add_column(heading, justify="right" if heading in ("record", "line") else "left")
    for outcome in outcomes:
        for place, problem in enumerate(outcome.problems):
            first = place == 0
            cells = (
                str(outcome.number) if first else "",
                str(outcome.line) if first else "",
                (outcome.identifier or "(none)") if first else "",
                problem.attribute or "",
                _shortened(problem.value or ""),
                _told(problem),
            )
            table.add_row(*map(Text, cells))
    return table


def _told(problem: Problem) -> str:
    """Say the reason, where in the record it stands, and what to do, a line each."""
    place = f"at {problem.source}" if problem.source else None
    return "\n".join(filter(None, (problem.reason, place, problem.advice)))


def _shortened(value: str) -> str:
    return value if len(value) <= SHOWN_CHARACTERS else f"{value[: SHOWN_CHARACTERS - 1]}…"


def runs_table(runs: list[Run]) -> Table:
    """Draw the runs, one per line, with the states that occur; ids are never cut."""
    from rich.table import Table

    from pim_connector.sync.runs import outcome

    table = Table(title="Runs", title_justify="left")
    table.add_column("run", no_wrap=True, min_width=max((len(run.id) for run in runs), default=3))
    table.add_column("outcome")
    states = [state for state in FINAL_STATES if any(run.counts[state] for run in runs)]
    for heading in ("records", *states, "seconds"):
        table.add_column(heading, justify="right")
    for run in runs:
        counts = [f"{run.counts[state]:,}" for state in states]
        took = seconds(run)
        table.add_row(
            run.id,
            outcome(run) or run.phase,
            f"{run.records:,}",
            *counts,
            "" if took is None else str(took),
        )
    return table
