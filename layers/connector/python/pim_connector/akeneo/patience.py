"""How long to wait, how often to try, and when to stop.

Akeneo asks for exponential back-off with jitter, five to eight tries, and `Retry-After` first
where it is given: https://api.akeneo.com/documentation/good-practices.html
"""

from __future__ import annotations

import math
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Protocol

from msgspec import Struct

from pim_connector.errors import TransientError

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LONGEST_ASKED_PAUSE = 300.0
"""Seconds. A PIM that asks for more is down for the caller: the message comes back later."""
SHORTEST_CALL = 1.0
"""Seconds that must be left after a pause for another try to make sense."""

Deadline = Callable[[], float]
"""Tells how many seconds are left; what is in progress when it reaches 0 is broken off."""


def unlimited() -> float:
    return math.inf


class Pace(Protocol):
    """Keeps calls apart that the PIM allows only so often."""

    def wait(self) -> None:
        """Return when the next call may be made."""


class NoPace:
    """For whoever creates no options, or few."""

    def wait(self) -> None:
        return


class LocalPace:
    """Keeps the calls of one process apart; `per_second` is 3 for option writes."""

    def __init__(
        self, per_second: float, *, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._gap = 1 / per_second
        self._now = now
        self._sleep = sleep
        self._next = 0.0

    def wait(self) -> None:
        now = self._now()
        pause = max(0.0, self._next - now)
        self._next = now + pause + self._gap
        if pause:
            self._sleep(pause)


class Patience(Struct, frozen=True, kw_only=True):
    """Decides after a transient failure: pause and try again, or let it be the caller's.

    `tries` counts calls in a row without any progress. `chance` gives a number from 0 to 1.
    """

    tries: int
    deadline: Deadline
    now: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]

    def pause(self, failures: int, error: TransientError) -> None:
        """Sleep before the next try, or raise `error` if there shall be none."""
        if failures >= self.tries:
            raise error
        pause = self._length(failures, error.retry_after)
        if pause > LONGEST_ASKED_PAUSE or self.deadline() - pause < SHORTEST_CALL:
            raise error
        self.sleep(pause)

    def check(self) -> None:
        """Raise TransientError if there is no time left to begin a call."""
        if self.deadline() <= 0:
            raise TransientError("there was no time left for a call to the PIM")

    def _length(self, failures: int, asked: float | None) -> float:
        """Full jitter: anything from nothing to the doubled limit, so that workers spread out."""
        if asked:
            return asked
        return self.chance() * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (failures - 1))


def retry_after(value: str | None, now: float) -> float | None:
    """Read a `Retry-After` header: seconds or an HTTP date (RFC 9110 §10.2.3), else None."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value, now)
    return seconds if 0 <= seconds < math.inf else None


def _seconds_until(date: str, now: float) -> float:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return math.nan
