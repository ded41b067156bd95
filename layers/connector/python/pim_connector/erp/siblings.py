"""Cuts elements that follow one another under one parent out of the text, without a parser.

Each call from expat into Python costs more than the parsing itself. Where nothing inside an element
is asked for, its bytes are found by its start tag and its end tag instead, and expat goes over them
afterwards without a word. That is certain as long as

- the place before is in the content of the parent, and not in a comment or CDATA section,
- what stands there is well-formed, which expat says,
- no second start tag and no other end tag of the name stands in it, no comment, CDATA section or
  instruction is open at its end, and no limit can be passed.

`<` begins a tag then, wherever it stands outside of those three, because XML allows it in no
attribute. In every doubt the element is not cut, and the parser announces its tags.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple, TypeAlias

from pim_connector.erp.cuts import Tag

MAX_DEPTH = 240
"""Nesting that no export has; the record reader (libxml2) would refuse it at 256."""
MAX_ATTRIBUTES = 10_000
_CDATA: Final = (b"<![CDATA[", b"]]>")
_COMMENT: Final = (b"<!--", b"-->")
_INSTRUCTION: Final = (b"<?", b"?>")
_SLASH: Final = 47
_SHORTEST_NEST = 7
"""Bytes of `<a></a>`."""
_REST_OF_TAG: Final = rb"""[^<>"']*+(?:"[^<"]*+"[^<>"']*+|'[^<']*+'[^<>"']*+)*+>"""
_TAG: Final = re.compile(b"<(/?)" + _REST_OF_TAG)


class Kind(NamedTuple):
    """Children of one name: the paths they are at, and how their tags begin in the text."""

    tag: Tag
    paths: tuple[int, ...]
    start: bytes
    end: bytes
    either: re.Pattern[bytes]


Found: TypeAlias = tuple[int, int, Kind]
"""Where an element begins and ends in the text, and what it is."""


class Siblings:
    """The names of those children of an element that may be cut out, as far as they are known."""

    def __init__(self) -> None:
        self._kinds: dict[bytes, Kind] = {}
        self._first = self._next = re.compile(b"(?!)")

    def learn(self, name: str, paths: tuple[int, ...]) -> None:
        """Note that children of this name are at these paths, and nothing in them is asked for."""
        written = name.encode()
        if written in self._kinds:
            return
        start, end = b"<" + written, b"</" + written
        either = re.compile(b"</?" + re.escape(written) + rb"[ \t\r\n/>]")
        self._kinds[written] = Kind(Tag(name, {}), paths, start, end, either)
        names = b"|".join(re.escape(each) for each in self._kinds)
        self._next = re.compile(b"<(?:" + names + rb")[ \t\r\n/>]")
        self._first = re.compile(rb"[ \t\r\n]*+<(" + names + rb")(?=[ \t\r\n/>])" + _REST_OF_TAG)

    def next_start(self, data: bytes, at: int) -> int:
        """Where the next of them may begin; the end of the data where none does."""
        found = self._next.search(data, at)
        return found.start() if found else len(data)

    def run(self, data: bytes, at: int, until: int, room: int) -> list[Found]:
        """The whole elements that follow one another, with white space before each.

        They lie from `at` to `until`; `room` is how deep elements may be nested there.
        """
        found: list[Found] = []
        most = min(_SHORTEST_NEST * room, 2 * MAX_ATTRIBUTES)
        match, kinds = self._first.match, self._kinds
        while (tag := match(data, at, until)) is not None:
            kind = kinds[tag[1]]
            start, at = tag.start(1) - 1, tag.end()
            if data.find(b"xmlns", start, at) >= 0:
                break
            if data[at - 2] != _SLASH:
                end = data.find(kind.end, at, until)
                if end < 0 or not _is_certain(data, at, end, kind):
                    break
                at = end + len(kind.end) + 1
            if at - start >= most and not _is_within_limits(data, start, at, room):
                break
            found.append((start, at, kind))
        return found


def _is_certain(data: bytes, start: int, end: int, kind: Kind) -> bool:
    """Whether the end tag at `end` is that of the element whose start tag ends at `start`.

    One byte is looked for five times as fast as two, and most elements have neither `!` nor `?`.
    """
    find = data.find
    if not data.startswith(b">", end + len(kind.end)):
        return False
    if find(kind.start, start, end) >= 0 and kind.either.search(data, start, end):
        return False
    if find(b"?", start, end) >= 0 and find(b"<?", start, end) >= 0:
        return not _may_be_open(data, start, end)
    at = start if find(b"!", start, end) >= 0 else end
    while (mark := find(b"<!", at, end)) >= 0:
        opening, closing = _COMMENT if data.startswith(b"<!--", mark) else _CDATA
        at = find(closing, mark + len(opening), end)
        if at < 0:
            return False
    return True


def _may_be_open(data: bytes, start: int, end: int) -> bool:
    """Whether one of the three could be open at `end`, whichever of them stands in another."""
    for opening, closing in (_CDATA, _COMMENT, _INSTRUCTION):
        last = data.rfind(opening, start, end)
        if last >= 0 and data.find(closing, last + len(opening), end) < 0:
            return True
    return False


def _is_within_limits(data: bytes, start: int, end: int, room: int) -> bool:
    """Whether no limit can be passed there: by the number of tags, or else by each of them."""
    if end - start >= 2 * MAX_ATTRIBUTES and data.count(b"=", start, end) > MAX_ATTRIBUTES:
        return False
    return data.count(b"<", start, end) < 2 * room - 2 or _is_shallow(data, start, end, room)


def _is_shallow(data: bytes, start: int, end: int, room: int) -> bool:
    """Whether elements are nested less deep than that, where nothing but tags begins with `<`."""
    if data.find(b"<!", start, end) >= 0 or data.find(b"<?", start, end) >= 0:
        return False
    depth = 0
    for tag in _TAG.finditer(data, start, end):
        if tag[1]:
            depth -= 1
        elif data[tag.end() - 2] != _SLASH:
            depth += 1
            if depth >= room - 1:
                return False
    return True
