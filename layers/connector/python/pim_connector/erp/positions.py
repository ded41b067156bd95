"""Where something is in a file, for people: lines and columns.

XML ends lines by CR, LF, or both together (https://www.w3.org/TR/xml/#sec-line-ends).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

_LF: Final = 10
_CR: Final = 13


class Position(NamedTuple):
    """Line and column in the decoded text; both count from 1, columns in characters.

    `after_return` says that a CR stands before it, so that an LF there ends no further line.
    """

    line: int
    column: int
    after_return: bool = False

    def after(self, data: bytes) -> Position:
        """The position behind a text (UTF-8) that begins here."""
        if not data:
            return self
        last = max(data.rfind(b"\n"), data.rfind(b"\r"))
        characters = len(data[last + 1 :].decode("utf-8", "surrogatepass"))
        if last < 0:
            return Position(self.line, self.column + characters)
        line = self.line + _ended(data, 0, len(data), after_return=self.after_return)
        return Position(line, characters + 1, data.endswith(b"\r"))


START: Final = Position(1, 1)


class LineCount:
    """Tells the lines of places in a stream of bytes; each question lies behind the one before."""

    def __init__(self, line: int = 1, offset: int = 0) -> None:
        self._line = line
        self._offset = offset
        self._after_return = False

    def lines_at(self, data: bytes, base: int, offsets: Sequence[int]) -> list[int]:
        """The lines of these offsets in the stream, of which `data` begins at `base`."""
        found: list[int] = []
        line, start, count = self._line, self._offset - base, data.count
        last = offsets[-1] - base if offsets else start
        has_returns = self._after_return or data.find(b"\r", start, last) >= 0
        has_feeds = data.find(b"\n", start, last) >= 0
        for offset in offsets:
            end = offset - base
            if not has_returns:
                line += count(b"\n", start, end) if has_feeds else 0
            elif end > start:
                line += _ended(data, start, end, after_return=self._after_return)
                self._after_return = data[end - 1] == _CR
            start = end
            found.append(line)
        self._line, self._offset = line, last + base
        return found


def _ended(data: bytes, start: int, end: int, *, after_return: bool) -> int:
    """How many lines end between two places, the first of which may stand behind a CR."""
    feeds, returns = data.count(b"\n", start, end), data.count(b"\r", start, end)
    both = data.count(b"\r\n", start, end) if returns else 0
    return feeds + returns - both - (after_return and data[start] == _LF)
