"""One word says how a run ended, and every door uses it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from cli.statuses import OF_OUTCOME
from cli.summary import as_json
from pim_connector.console.notifications import told_run
from pim_connector.console.rendering import outcome as shown
from pim_connector.outcomes import STATES
from pim_connector.reports import summary, verdict
from pim_connector.sync.runs import Outcome, Run, of_closed, outcome, why

RUN = Run(
    id="r",
    source="erp",
    bucket="b",
    key="incoming/erp/x.xml",
    version="1",
    size=1,
    order="o",
    turn="o",
    phase="finished",
    finished_at="2026-11-20T22:30:00Z",
    counts=dict.fromkeys(STATES, 0),
)


def run(**given: Any) -> Run:
    counts = {state: given.pop(state, 0) for state in STATES}
    return replace(RUN, counts=counts, records=sum(counts.values()), **given)


CASES: list[tuple[Run, Outcome]] = [
    (run(created=2, unchanged=3), "ok"),
    (run(), "ok"),
    (run(filtered=3), "ok"),
    (run(created=9, rejected=1), "ok with rejects"),
    (run(superseded=4, updated=1), "ok with rejects"),
    (run(superseded=4, updated=1, kind="replay"), "ok"),
    (run(unchanged=5, hold="3 of 4 are missing"), "needs approval"),
    (run(rejected=5, hold="all of them"), "needs approval"),
    (run(rejected=5), "failed"),
    (run(rejected=5, filtered=2), "failed"),
    (run(created=5, phase="failed", problem="cut short"), "failed"),
]


@pytest.mark.parametrize(("ended", "expected"), CASES)
def test_a_run_ends_in_one_outcome_which_every_door_tells(ended: Run, expected: Outcome) -> None:
    assert outcome(ended) == expected
    assert as_json(ended)["outcome"] == summary(ended)["outcome"] == shown(ended) == expected
    assert f"– {expected}." in told_run(summary(ended))
    assert (why(ended) is None) == (expected == "ok")
    assert (verdict(ended)[0] == "bad") == (expected == "failed")
    assert of_closed([ended])["RunsFailed"] == (expected == "failed")


def test_a_run_under_way_has_no_outcome_yet_unless_it_is_on_hold() -> None:
    assert outcome(run(phase="delivering", created=1)) is None
    assert outcome(run(phase="delivering", created=1, hold="too many")) == "needs approval"


def test_each_outcome_has_an_exit_status_of_its_own() -> None:
    assert OF_OUTCOME == {
        None: 0, "ok": 0, "ok with rejects": 3, "needs approval": 4, "failed": 1,
    }  # fmt: skip
