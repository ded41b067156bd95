"""How long to wait before a DAM is asked again: what it says, in all the ways DAMs say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT_S = 1.0
LONGEST_BACKOFF_S = 60.0
MOST_DOUBLINGS = 10
_YEAR_S = 31_536_000


def wait_named(headers: Mapping[str, str], names: Iterable[str], now: float) -> float | None:
    """Give the seconds to wait that the answer names, None where it names none.

    Seen: seconds (`Retry-After: 30`), an HTTP date, epoch seconds or milliseconds, ISO 8601
    (Acquia's `X-Ratelimit-Reset`), all by the DAM's clock: its `Date` header is now, where there
    is one. `now` is our clock, in epoch seconds.
    """
    there = _moment(headers.get("Date", "")) or now
    found = [_seconds(value, there) for name in names if (value := headers.get(name))]
    waits = [max(0.0, wait) for wait in found if wait is not None]
    return max(waits) if waits else None


def backoff(attempt: int, chance: float) -> float:
    """Full jitter for an answer that names no time: `chance` (0 ≤ chance < 1) of a growing wait.

    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    longest = FIRST_WAIT_S * 2 ** min(attempt, MOST_DOUBLINGS)
    return float(min(LONGEST_BACKOFF_S, longest)) * chance


def _seconds(value: str, now: float) -> float | None:
    text = value.strip()
    try:
        number = float(text)
    except ValueError:
        moment = _moment(text)
        return None if moment is None else moment - now
    if number > 1000 * _YEAR_S:  # milliseconds of the epoch
        return number / 1000 - now
    return number - now if number > _YEAR_S else number


def _moment(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = read(text)
        except (ValueError, TypeError, IndexError):
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
