"""The two forms of a bulk upsert: NDJSON lines, and one JSON array.

NDJSON for everything but assets and measurement families, which take arrays:
https://api.akeneo.com/documentation/update.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import Struct

from pim_connector.akeneo.answers import LineAnswer, line_answer

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
