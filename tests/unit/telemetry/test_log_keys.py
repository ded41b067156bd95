"""A line of the log says what it is about, whoever logs it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pim_connector.logs import about, label, log_outcome
from pim_connector.outcomes import Problem, RecordOutcome


class Lines(logging.Handler):
    """Keeps what is logged, as a handler with the filter would write it."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(label)
        self.kept: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.kept.append(vars(record))


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def logger(lines: Lines) -> logging.Logger:
    logger = logging.getLogger("pim_connector_tests.log_keys")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [lines]
    return logger


def test_lines_carry_the_keys_of_all_that_is_around_them(
    lines: Lines, logger: logging.Logger
) -> None:
    with about(run="run-1", source="shop"):
        with about(message_id="000001", source=""):
            logger.warning("inside")
        logger.warning("outside")
    logger.warning("after")

    inside, outside, after = lines.kept
    assert (inside["run"], inside["source"], inside["message_id"]) == ("run-1", "shop", "000001")
    assert (outside["run"], "message_id" in outside) == ("run-1", False)
    assert "run" not in after


def test_a_line_that_says_it_itself_is_left_alone(lines: Lines, logger: logging.Logger) -> None:
    with about(run="run-1"):
        logger.warning("x", extra={"run": "run-2"})

    assert lines.kept[0]["run"] == "run-2"


def test_keys_end_also_when_work_fails(lines: Lines, logger: logging.Logger) -> None:
    with pytest.raises(ValueError, match="broken"), about(run="run-1"):
        raise ValueError("broken")
    logger.warning("after")

    assert "run" not in lines.kept[0]


def test_records_that_need_somebody_are_logged_and_the_others_when_asked_for(
    lines: Lines, logger: logging.Logger
) -> None:
    fine = RecordOutcome(number=1, line=10, state="created", identifier="a")
    problem = Problem(reason="too long", value="…")
    bad = RecordOutcome(number=2, line=20, state="rejected", identifier="b", problems=(problem,))

    log_outcome(logger, fine)
    log_outcome(logger, bad)
    logger.setLevel(logging.DEBUG)
    log_outcome(logger, fine)

    said = [(line["msg"] % line["args"], line["record"], line["line"]) for line in lines.kept]
    assert said == [("record rejected", 2, 20), ("record created", 1, 10)]
    assert lines.kept[0]["reasons"] == ["too long"]
