"""Requests side by side: results in order, errors when all have ended, log keys that go along."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

import pytest

from pim_connector.aws.threads import Threads, ended
from pim_connector.logs import about, label


def failing(text: str) -> Callable[[], str]:
    def wait() -> str:
        raise ValueError(text)

    return wait


def test_calls_are_under_way_together_and_their_results_in_order() -> None:
    begin, met = Threads(), threading.Barrier(3)

    def meet(name: str) -> str:
        met.wait(timeout=30)  # nobody passes alone
        return name

    assert ended([begin(partial(meet, name)) for name in "abc"]) == ["a", "b", "c"]


def test_an_error_is_told_when_all_calls_have_ended_and_of_several_the_first() -> None:
    done: list[str] = []

    with pytest.raises(ValueError, match="first"):
        ended([failing("first"), failing("second"), lambda: done.append("third")])

    assert done == ["third"]


def test_what_a_thread_logs_is_about_the_same_message() -> None:
    def labelled() -> logging.LogRecord:
        record = logging.makeLogRecord({})
        label(record)
        return record

    with about(run="run-1"):
        wait = Threads()(labelled)

    assert vars(wait())["run"] == "run-1"
