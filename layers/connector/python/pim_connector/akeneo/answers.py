"""What became of each line of a bulk upsert.

The PIM answers a collection PATCH with 200 before it has processed anything, and then with one
line per line; the answer may stop in the middle. So a line has three ends, not two:
https://api.akeneo.com/documentation/update.html and
https://api.akeneo.com/api-reference.html#patch_products
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from pim_connector.errors import ConfigurationError, ConnectorError, RejectedError, TransientError

if TYPE_CHECKING:
    import httpx


class Problem(Struct, frozen=True, kw_only=True):
    """One entry of the PIM's `errors`: which property, and for a product value which one of them.

    `property` is `values` for a product value, then `attribute`, `locale`, `scope` (and `currency`
    of a price) say which; a main identifier comes as `identifier` without attribute.
    """

    property: str
    message: str
    attribute: str | None = None
    locale: str | None = None
    scope: str | None = None
    currency: str | None = None


class Upserted(Struct, frozen=True, kw_only=True):
    """The PIM took the line. `created` is False for an update, even one that changed nothing."""

    line: int
    created: bool


class Refused(Struct, frozen=True, kw_only=True):
    """The PIM (or, for a line that it never takes, this client) says no; trying again is no use.

    `message` is the PIM's own sentence, `errors` its details where there are any.
    """

    line: int
    status: int
    message: str
    errors: tuple[Problem, ...] = ()


class Unanswered(Struct, frozen=True, kw_only=True):
    """Nobody knows whether the PIM took the line: send it again later, a PATCH does no harm twice.

    `status` and `message` say what the last try ended with, where there was an answer at all.
    """

    line: int
    status: int | None = None
    message: str = "The PIM's answer ended before this line."


LineOutcome = Upserted | Refused | Unanswered
"""`line` is 1-based: the position in the list that was handed in."""


def problems(answer: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Read `errors` of an answer; what has another form is passed over, never a crash."""
    entries = answer.get("errors")
    if not isinstance(entries, list):
        return ()
    return tuple(_problem(entry) for entry in entries if isinstance(entry, dict))


def _problem(entry: Mapping[str, Any]) -> Problem:
    def text(key: str) -> str | None:
        value = entry.get(key)
        return None if value is None else str(value)

    return Problem(
        property=text("property") or "",
        message=text("message") or "",
        attribute=text("attribute"),
        locale=text("locale"),
        scope=text("scope"),
        currency=text("currency"),
    )


# What the PIM's whole-call answers mean, in the three consequences of `pim_connector.errors`.
#
# TransientError            429, 408, 409, 425, 5xx, time-outs, broken connections
# └── LinesFailedError      a 200, but no line of it was done: each answered with 5xx
#     └── CutShortError     a 200 that ended before its first line
# RejectedError
# └── RefusedError          one object in a call of its own: 400, 404, 413, 422
# ConfigurationError        3xx, 404, 405, 406, 415: not the Akeneo, or not the path, we think it is
# ├── CredentialsError      401 after a renewal, or the token route refuses what it was given
# └── ForbiddenError        403: the API user's role lacks a permission


class LinesFailedError(TransientError):
    """The PIM is there and took the call, but answered its lines with failures of its own."""


class CutShortError(LinesFailedError):
    """A 200 that ended before its last line, as often as it was tried."""


class RefusedError(RejectedError):
    """The PIM refuses the one object of a single-resource call, with its words and details."""

    def __init__(self, message: str, *, status: int, errors: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.errors = errors


class CredentialsError(ConfigurationError):
    """The PIM does not know these credentials: regenerated, mistyped, or the connection is gone."""


class ForbiddenError(ConfigurationError):
    """The credentials are right, but the API user's role may not do this."""


# How long to wait, how often to try, and when to stop.
#
# Akeneo asks for exponential back-off with jitter, five to eight tries, and `Retry-After` first
# where it is given: https://api.akeneo.com/documentation/good-practices.html


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


class RateLimiter(Protocol):
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


class RetryPolicy(Struct, frozen=True, kw_only=True):
    """Decides after a transient failure: pause and try again, or let it be the caller's.

    `tries` counts calls in a row without any progress. `jitter` gives a number from 0 to 1.
    """

    tries: int
    deadline: Deadline
    now: Callable[[], float]
    sleep: Callable[[float], None]
    jitter: Callable[[], float]

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
        return self.jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (failures - 1))


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


# Reads the PIM's answers: what a status means, and what each line of a bulk answer says.
#
# The only place where status codes become consequences. Texts are shown, never compared: they are
# English today and differ between releases (https://api.akeneo.com/documentation/responses.html).


ABOUT_THE_OBJECT = frozenset({400, 404, 413, 422})
LONGEST_MESSAGE = 500


def is_transient(status: int) -> bool:
    return status in (408, 409, 425, 429) or status >= 500


def failure(response: httpx.Response, what: str, *, now: float) -> ConnectorError:
    """Turn a whole-call answer that is not 2xx into the error to raise; its body must be read."""
    status = response.status_code
    body = _object(response)
    message = _message(body) or response.reason_phrase
    text = f"{what}: {status} {message}".rstrip()
    if is_transient(status):
        return TransientError(
            text, retry_after=retry_after(response.headers.get("Retry-After"), now)
        )
    if status == 401:
        return CredentialsError(
            f"{text} The PIM does not accept the token, not even a new one: was the connection"
            " deleted, its secret regenerated, or the app disconnected?"
        )
    if status == 403:
        return ForbiddenError(
            f"{text} Return the role of the connection's user this right: System > Roles > Web API"
            " permissions in the PIM."
        )
    if status in ABOUT_THE_OBJECT:
        errors = problems(body)
        details = " ".join(error.message for error in errors)[:LONGEST_MESSAGE]
        return RefusedError(f"{text} {details}".rstrip(), status=status, errors=errors)
    if 300 <= status < 400:
        return ConfigurationError(f"{text}: the PIM's URL redirects; use the one it redirects to.")
    return ConfigurationError(f"{text} Is this the URL of an Akeneo PIM?")


class LineAnswer(Struct, frozen=True, kw_only=True):
    """One line of a bulk answer. `line` is None in JSON-array answers, `code` in some errors."""

    line: int | None
    code: str | None
    status: int
    message: str
    errors: tuple[Problem, ...]


def line_answer(entry: object) -> LineAnswer | None:
    """Read one decoded line; None if it is not an answer to a line.

    Early 7.0 builds give a failed uuid line's status as an integer `code` (PIM-10768).
    """
    if not isinstance(entry, dict):
        return None
    code = entry.get("code")
    status = entry.get("status_code", code)
    if type(status) is not int:
        return None
    line = entry.get("line")
    return LineAnswer(
        line=line if type(line) is int else None,
        code=code if isinstance(code, str) else None,
        status=status,
        message=_message(entry) or f"status {status}, without a message",
        errors=problems(entry),
    )


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _message(body: dict[str, Any]) -> str:
    message = body.get("message")
    return message[:LONGEST_MESSAGE] if isinstance(message, str) else ""
