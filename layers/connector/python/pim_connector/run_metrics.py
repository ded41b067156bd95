"""Runs as numbers for alarms and the dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from pim_connector.runs.run import Phase, Run
from pim_connector.states import FINAL_STATES

UNDER_WAY: Final[frozenset[Phase]] = frozenset(
    {"waiting", "splitting", "preparing", "sending", "delivering"}
)


def of_closed(runs: Iterable[Run]) -> Counter[str]:
    """Count runs that have ended: how, and their records by state."""
    numbers: Counter[str] = Counter(RunsFinished=0, RunsFailed=0)
    for run in runs:
        numbers["RunsFailed" if run.phase == "failed" else "RunsFinished"] += 1
        for state in FINAL_STATES:
            numbers[f"RunRecords{state.capitalize()}"] += run.counts[state]
    return numbers


def of_open(runs: Iterable[Run], now: datetime) -> dict[str, int]:
    """Count the runs under way, and for how many minutes the oldest of them has been.

    Those that wait for the night or for an operator's word are not under way.
    """
    ages = [
        (now - datetime.fromisoformat(run.registered_at)).total_seconds() / 60
        for run in runs
        if run.phase in UNDER_WAY and not run.hold and run.registered_at
    ]
    return {"RunsUnderWay": len(ages), "OldestRunMinutes": int(max(ages, default=0))}
