"""The real PIM's recorded behaviour, against the simulator."""

import warnings
from pathlib import Path

import pytest

from tests.pim_vectors.__main__ import DEFAULT
from tests.pim_vectors.running import FAILED, PASSED, run_all, runner_for
from tests.pim_vectors.vectors import vectors_of

FEWEST_PASSED = 0.95


def recorded() -> Path:
    """The folder with the recordings; without it the test is skipped, and says so."""
    if not (DEFAULT / "INDEX.json").exists():
        warnings.warn(f"recorded PIM cases are not at {DEFAULT}", stacklevel=2)
        pytest.skip(f"NOT RUN: the recorded PIM cases are not at {DEFAULT}")
    return DEFAULT


@pytest.mark.filterwarnings("default")
def test_the_simulator_answers_as_the_recorded_pim() -> None:
    outcomes = list(run_all(recorded()))
    failures = [f"{o.vector.title}: {o.reason}" for o in outcomes if o.result == FAILED]
    passed = sum(outcome.result == PASSED for outcome in outcomes)
    assert not failures, "\n".join(failures)
    assert passed >= FEWEST_PASSED * len(outcomes)


@pytest.mark.filterwarnings("default")
def test_the_runner_sees_a_wrong_status_and_a_wrong_text() -> None:
    with runner_for(recorded()) as runner:
        vector = next(vectors_of(recorded(), "products_patch_list"))
        vector.expect["body_lines"][0]["status_code"] = 999
        assert runner.run(vector).result == FAILED
        vector.expect["body_lines"][0]["status_code"] = 204
        vector.expect["body_text"] += " "
        assert runner.run(vector).result == FAILED
