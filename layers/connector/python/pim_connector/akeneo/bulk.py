"""The two forms of a bulk upsert: NDJSON lines, and one JSON array.

NDJSON for everything but assets and measurement families, which take arrays:
https://api.akeneo.com/documentation/update.html
"""

from __future__ import annotations

import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from math import isfinite
from typing import TYPE_CHECKING, Any, Final

import httpx
import msgspec
from msgspec import Struct, field

from pim_connector.akeneo.answers import (
    CutShortError,
    ForbiddenError,
    LineAnswer,
    LineOutcome,
    LinesFailedError,
    Refused,
    RefusedError,
    Unanswered,
    Upserted,
    failure,
    is_transient,
    line_answer,
)
from pim_connector.akeneo.http import not_a_page_for_people
from pim_connector.errors import ConfigurationError, ConnectorError, TransientError

if TYPE_CHECKING:
    from pim_connector.akeneo.http import Connection

logger = logging.getLogger(__name__)

LINES_PER_CALL = 100
BYTES_PER_LINE = 1_000_000
_ENCODER: Final = msgspec.json.Encoder()
"""Seven times as fast as the standard library's, which builds an encoder for each line."""


def encode_line(item: dict[str, Any]) -> bytes:
    """Write one object as one line. ValueError for what JSON or UTF-8 does not have (NaN, half a
    surrogate pair).
    """
    line = _ENCODER.encode(item)
    if b"null" in line:
        _refuse_not_finite(item.values())
    return line


def _refuse_not_finite(values: Iterable[Any]) -> None:
    """The encoder has written null, and the PIM would empty the value."""
    for value in values:
        kind = type(value)
        if kind is dict:
            _refuse_not_finite(value.values())
        elif kind is list or kind is tuple:
            _refuse_not_finite(value)
        elif kind is float and not isfinite(value):
            raise ValueError(f"{value} is no number")


class Form(Struct, frozen=True, kw_only=True):
    """How lines become a body, and the pieces of a body answers, by their place in the call.

    `answers` gives (0-based place, answer) as they arrive and never fails: what it cannot read is
    a line without an answer.
    """

    content_type: str
    line_limit: int | None
    join: Callable[[Sequence[bytes]], bytes]
    answers: Callable[[Iterable[bytes], Sequence[str]], Iterator[tuple[int, LineAnswer]]]


def _ndjson_answers(
    pieces: Iterable[bytes], codes: Sequence[str]
) -> Iterator[tuple[int, LineAnswer]]:
    """Correlate by `line`: an error may lack the key, and a key may come twice."""
    for text in _split_lines(pieces):
        answer = line_answer(_decoded(text))
        if answer is not None and answer.line is not None and 1 <= answer.line <= len(codes):
            yield answer.line - 1, answer


def _array_answers(
    pieces: Iterable[bytes], codes: Sequence[str]
) -> Iterator[tuple[int, LineAnswer]]:
    """Correlate by place, and check the code: an entry under another code answers another line.

    A malformed item is answered with an empty code.
    """
    entries = _decoded(b"".join(pieces))
    if not isinstance(entries, list):
        return
    for place, entry in enumerate(entries[: len(codes)]):
        answer = line_answer(entry)
        if answer is None:
            continue
        if not answer.code or answer.code.casefold() == codes[place].casefold():
            yield place, answer


def _split_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    yield rest


def _decoded(text: bytes) -> object:
    """Decode JSON; None for what was cut off in the middle."""
    try:
        return json.loads(text)
    except ValueError:
        return None


NDJSON = Form(
    content_type="application/vnd.akeneo.collection+json",
    line_limit=BYTES_PER_LINE,
    join=b"\n".join,
    answers=_ndjson_answers,
)
ARRAY = Form(
    content_type="application/json",
    line_limit=None,
    join=lambda lines: b"[" + b",".join(lines) + b"]",
    answers=_array_answers,
)


# Bulk upserts in which every line ends with exactly one outcome.
#
# What the PIM does to a call, and what is done about it:
#
# =====================================  ===========================================================
# 200, all lines answered                done
# 200, cut in the middle                 the unanswered lines again, in a call with only them
# 200, nothing answered                  the same, the first line (it may be what breaks the PIM)
# last
# a line answered with 5xx, 429, 409     that line again
# 429, 408, 5xx, time-out, disconnect    wait, then the same call again
# 413, 403, 400, 422 for the whole call  halves, down to the one line that causes it
# 403 for a single line, none answered   an empty call tells a missing right (ForbiddenError) from a
#                                        line that something before the PIM will not let pass
# anything else                          ConfigurationError
# =====================================  ===========================================================


Group = tuple[int, ...]
"""Places (0-based) in the list handed in, that go into one call."""
Passed = Callable[[Upserted], None]
"""Hears of each line that the PIM has taken, while it may still answer for others."""


def upsert(
    connection: Connection,
    path: str,
    items: Sequence[dict[str, Any]],
    form: Form,
    *,
    before_call: Callable[[], None] | None = None,
    passed: Passed | None = None,
) -> list[LineOutcome]:
    """Create and update up to 100 objects; one outcome per object, in order.

    Objects of one call are sent in order, and in order again where some have to be repeated, but a
    repeated one comes after those that passed: do not send one key twice in a call.

    Raises ValueError for more than 100; TransientError if the PIM answered no line at all within
    the tries or the deadline; ConfigurationError if the whole call can never pass. Once any line
    is answered nothing is raised any more: the others are then `Unanswered`.
    """
    if len(items) > LINES_PER_CALL:
        raise ValueError(f"{len(items)} lines; the PIM takes {LINES_PER_CALL} in a call")
    upserting = _Upsert(
        connection=connection, path=path, form=form, before_call=before_call, passed=passed
    )
    upserting.take(items)
    upserting.run()
    return upserting.result(len(items))


class _Upsert(Struct, kw_only=True):
    connection: Connection
    path: str
    form: Form
    before_call: Callable[[], None] | None
    passed: Passed | None
    lines: dict[int, bytes] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    outcomes: dict[int, LineOutcome] = field(default_factory=dict)
    groups: deque[Group] = field(default_factory=deque)
    last_words: dict[int, LineAnswer] = field(default_factory=dict)
    server_errors: Counter[int] = field(default_factory=Counter)
    too_early: dict[int, set[int]] = field(default_factory=dict)
    failures: int = 0
    answered: bool = False

    def take(self, items: Sequence[dict[str, Any]]) -> None:
        """Encode the lines; what no call could carry is refused here and now."""
        for place, item in enumerate(items):
            try:
                line = encode_line(item)
            except ValueError as error:
                self._refuse(place, 400, f"The record cannot be written as JSON: {error}.")
                continue
            limit = self.form.line_limit
            if limit is not None and len(line) > limit:
                self._refuse(
                    place,
                    413,
                    f"The record is {len(line)} bytes long; the PIM takes {limit} a line."
                    " Map fewer or shorter values.",
                )
                continue
            self.lines[place] = line
            self.codes[place] = str(item.get("code", ""))
        if self.lines:
            self.groups.append(tuple(self.lines))

    def run(self) -> None:
        try:
            while self.groups:
                self._send(self.groups.popleft())
        except ConnectorError as error:
            if not self.answered:
                raise
            logger.warning("bulk upsert of %s ended early: %s", self.path, error)
            self._leave_open(error)

    def result(self, count: int) -> list[LineOutcome]:
        return [self.outcomes.get(place) or self._unanswered(place, None) for place in range(count)]

    def _send(self, group: Group) -> None:
        before = len(self.outcomes)
        try:
            refusal = self._call(group)
        except TransientError as error:
            self._again(group, error, progress=len(self.outcomes) > before)
            return
        if refusal is not None:
            self._narrow(group, refusal)
            return
        if any(place not in self.outcomes for place in group):
            self._again(group, self._why_open(group), progress=len(self.outcomes) > before)
            return
        self.failures = 0
        self._repeat_what_came_too_early()

    def _call(self, group: Group) -> RefusedError | ForbiddenError | None:
        """Send one call and note its answers; give why the whole of it was refused, if it was."""
        body = self.form.join([self.lines[place] for place in group])
        with self._answering(body) as response:
            if response.status_code == 200:
                not_a_page_for_people(response)
                codes = [self.codes[place] for place in group]
                pieces = self._pieces(response)
                for index, answer in self.form.answers(pieces, codes):
                    self._note(group[index], answer)
                self._remember_too_early(group)
                return None
            error = self._failure(response)
        if isinstance(error, RefusedError) and error.status == 404:
            raise ConfigurationError(str(error)) from error
        if isinstance(error, RefusedError | ForbiddenError):
            return error
        raise error

    def _answering(self, body: bytes) -> AbstractContextManager[httpx.Response]:
        headers = {"Content-Type": self.form.content_type}
        return self.connection.answering(
            "PATCH", self.path, before_call=self.before_call, content=body, headers=headers
        )

    def _failure(self, response: httpx.Response) -> ConnectorError:
        try:
            response.read()
        except httpx.RequestError as error:
            return TransientError(f"the PIM's answer broke off ({type(error).__name__})")
        return failure(response, f"PATCH {self.path}", now=self.connection.retry_policy.now())

    def _pieces(self, response: httpx.Response) -> Iterator[bytes]:
        """Return the body until it ends, breaks off, or the time is up: what was answered
        counts.
        """
        try:
            for piece in response.iter_bytes():
                yield piece
                if self.connection.retry_policy.deadline() <= 0:
                    return
        except httpx.RequestError as error:
            logger.warning("the PIM's answer broke off: %s", type(error).__name__)

    def _note(self, place: int, answer: LineAnswer) -> None:
        if place in self.outcomes:
            return
        if answer.status in (200, 201, 204):
            upserted = Upserted(line=place + 1, created=answer.status == 201)
            self.outcomes[place] = upserted
            if self.passed is not None:
                self.passed(upserted)
        elif answer.status == 401 or is_transient(answer.status):
            self.last_words[place] = answer
            self.server_errors[place] += answer.status >= 500
            return
        else:
            self._refuse(place, answer.status, answer.message, answer)
        self.answered = True

    def _remember_too_early(self, group: Group) -> None:
        """Note which lines before a refused one are still open: it may depend on them."""
        still_open = self.lines.keys() - self.outcomes.keys()
        for place in group:
            before = {other for other in still_open if other < place}
            if before and isinstance(self.outcomes.get(place), Refused):
                self.too_early.setdefault(place, before)

    def _repeat_what_came_too_early(self) -> None:
        """Send a refused line once more if one before it has passed since: a model's sub-model."""
        if self.groups:
            return
        again = tuple(
            place
            for place, before in sorted(self.too_early.items())
            if any(isinstance(self.outcomes.get(other), Upserted) for other in before)
        )
        self.too_early = {place: set() for place in self.too_early}
        for place in again:
            del self.outcomes[place]
        if again:
            self.groups.append(again)

    def _why_open(self, group: Group) -> TransientError:
        for place in group:
            words = self.last_words.get(place)
            if words is not None and place not in self.outcomes:
                return LinesFailedError(f"PATCH {self.path}: {words.status} {words.message}")
        return CutShortError(f"PATCH {self.path}: the PIM's answer ended before its last line")

    def _again(self, group: Group, error: TransientError, *, progress: bool) -> None:
        """Line up what is still open, then wait or give up."""
        self.failures = 1 if progress else self.failures + 1
        rest = tuple(place for place in group if place not in self.outcomes)
        if isinstance(error, CutShortError) and not progress and len(rest) > 1:
            self.groups.appendleft(rest[1:])
            self.groups.append(rest[:1])
        else:
            self.groups.appendleft(rest)
        self.connection.retry_policy.pause(self.failures, error)

    def _narrow(self, group: Group, error: RefusedError | ForbiddenError) -> None:
        """Halve a call that was refused as a whole; a single line bears the refusal."""
        if len(group) > 1:
            middle = (len(group) + 1) // 2
            self.groups.extendleft((group[middle:], group[:middle]))
            return
        if isinstance(error, RefusedError):
            self._refuse(group[0], error.status, str(error))
            return
        if not self.answered and self._may_not_write():
            raise error
        self._refuse(group[0], 403, f"{error} (other lines pass: it is this one's size or content)")

    def _may_not_write(self) -> bool:
        """Ask with an empty call, which changes nothing, whether even that is forbidden."""
        with self._answering(self.form.join([])) as response:
            return response.status_code == 403

    def _refuse(
        self, place: int, status: int, message: str, answer: LineAnswer | None = None
    ) -> None:
        errors = answer.errors if answer else ()
        self.outcomes[place] = Refused(
            line=place + 1, status=status, message=message, errors=errors
        )

    def _leave_open(self, error: ConnectorError) -> None:
        """Close the run table: a line that alone fails while others pass is at fault itself."""
        others_pass = any(isinstance(outcome, Upserted) for outcome in self.outcomes.values())
        for place, before in self.too_early.items():
            if any(not isinstance(self.outcomes.get(other), Refused) for other in before):
                self.outcomes.pop(place, None)
        for place in self.lines.keys() - self.outcomes.keys():
            words = self.last_words.get(place)
            at_fault = self.server_errors[place] >= self.connection.retry_policy.tries
            if words is not None and words.status >= 500 and others_pass and at_fault:
                self._refuse(place, words.status, words.message, words)
            else:
                self.outcomes[place] = self._unanswered(place, str(error))

    def _unanswered(self, place: int, message: str | None) -> Unanswered:
        words = self.last_words.get(place)
        if words is not None:
            return Unanswered(line=place + 1, status=words.status, message=words.message)
        return (
            Unanswered(line=place + 1)
            if message is None
            else Unanswered(line=place + 1, message=message)
        )
