"""Stands in for threads where it matters which request comes when."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

T = TypeVar("T")


def in_turn(call: Callable[[], T], /) -> Callable[[], T]:
    """Make a call here and now (`pim_connector.aws.threads.Begin`)."""
    try:
        result = call()
    except Exception as error:
        return _raising(error)
    return lambda: result


def _raising(error: Exception) -> Callable[[], NoReturn]:
    def wait() -> NoReturn:
        raise error

    return wait
