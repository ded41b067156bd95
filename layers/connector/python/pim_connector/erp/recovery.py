"""What is wrong at a spot that is not well-formed, and where reading can go on behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from xml.parsers import expat

from pim_connector.erp.repairs import html_entity

MISMATCH: Final = 7
_ENDS_IN_THE_MIDDLE: Final = frozenset({3, 5, 6, 20})
_REFERENCE = re.compile(rb"&([^#;&<>\s\"'][^;&<>\s\"']{0,60});")
_PREDEFINED: Final = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
_ILLEGAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_NO_XML: Final = (
    "this is not XML, or not well-formed XML: a `<` or `&` that is not escaped, or a tag that "
    "is not written as XML wants it"
)
_EXPLAINED: Final = {
    2: _NO_XML,
    4: _NO_XML,
    MISMATCH: "an end tag does not belong to the element that is open",
    8: "an attribute is there twice in one tag",
    9: "there is something after the end of the document; if it is another document, set "
    "`file: {documents: several}` in the mapping, if it is of no use, "
    "`file: {trailing_garbage: skip}`",
    12: "an entity contains itself",
    14: "a reference to a character that XML does not allow; repair the export, or set "
    "`file: {illegal_characters: drop}` in the mapping",
    16: "an external entity in an attribute; those are never fetched",
    17: "something stands before the XML declaration, perhaps an empty line; repair the export, or "
    "set `file: {leading_space: skip}` in the mapping",
    43: "the entities of the file expand to far more than the file holds: that is an attack or "
    "a mistake, and is not read",
}
_RECOVER: Final = "to have only this record rejected, set `file: {recover: records}`"
_SECTIONS: Final = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


def is_cut_off(code: int, *, at_end: bool) -> bool:
    """Whether expat misses the rest of the file, of which nothing more will come."""
    return at_end and code in _ENDS_IN_THE_MIDDLE


def explain(code: int, data: bytes, before: bytes, *, at_end: bool, is_over: bool) -> str:
    """Say what is wrong, and which option helps.

    `code` is expat's, `data` what stands at the place and `before` a few bytes before it; `is_over`
    says that the document was complete.
    """
    said = expat.ErrorString(code) or "not well-formed"
    if is_cut_off(code, at_end=at_end) and not is_over:
        return f"the file ends in the middle: the export or the upload was not finished ({said})"
    if is_over:
        return f"{_EXPLAINED[9]} ({said})"
    illegal = _ILLEGAL.match(data) if code == 4 else None
    if illegal:
        character = illegal[0].decode("utf-8", "surrogatepass")
        return (
            f"the character U+{ord(character):04X} is not allowed in XML; repair the export, or "
            "set `file: {illegal_characters: drop}` in the mapping"
        )
    if code == 11:
        return _undeclared(data)
    if code == 4 and data.startswith(b"\xef\xbb\xbf<?xml"):
        return f"{_EXPLAINED[17]} ({said})"
    if code == 4 and before.endswith(b"&"):
        return (
            "this is not XML, or not well-formed XML: a `&` that is not escaped; repair the "
            f"export, or set `file: {{bare_ampersands: read}}` in the mapping ({said})"
        )
    what = f"{_EXPLAINED[code]} ({said})" if code in _EXPLAINED else said
    return f"{what}; {_RECOVER}" if code in (2, 4, MISMATCH, 8) else what


def undeclared(name: str) -> str:
    """Say that an entity has no declaration; external ones are not known here."""
    what = f"the entity &{name}; is not declared in the file (external DTDs are never fetched)"
    if html_entity(name):
        return f"{what}; to have it read as HTML means it, set `file: {{html_entities: read}}`"
    return what


def _undeclared(data: bytes) -> str:
    tag = data[: data.find(b">") + 1 or len(data)]
    names = [name for name in _REFERENCE.findall(tag) if name not in _PREDEFINED]
    if not names:
        return "an entity is used that the file does not declare (external DTDs are never fetched)"
    return undeclared(names[0].decode("utf-8", "replace"))


class Search:
    """The next place where an element can begin, behind one that is not well-formed.

    That is behind the end tag of the bad element (`own`), or at the start tag of one of its
    `siblings`, or at the end tag of what is around them (`parent`), whichever comes first; never in
    a comment, a CDATA section or an instruction.
    """

    def __init__(
        self, *, own: str | None, siblings: Iterable[str], parent: str, not_before: int
    ) -> None:
        starts = b"|".join(re.escape(name.encode()) for name in siblings)
        ends = re.escape(own.encode()) if own else b"(?!)"
        self._tokens = re.compile(
            rb"(?P<section><!--|<!\[CDATA\[|<\?)|(?P<own></" + ends + rb"[ \t\r\n]*>)"
            rb"|(?P<start><(?:" + starts + rb")(?=[ \t\r\n/>]))"
            rb"|(?P<parent></" + re.escape(parent.encode()) + rb"(?=[ \t\r\n>]))"
        )
        self._longest = max(map(len, [*starts.split(b"|"), ends, parent.encode(), b""])) + 64
        self._not_before = not_before
        self._closing = b""

    def find(self, data: bytearray, at: int, base: int) -> tuple[int, bool]:
        """Where in the data to go on, and whether with reading; otherwise with more bytes.

        `at` is where to begin, `base` the offset of the data in the file.
        """
        while True:
            if self._closing:
                end = data.find(self._closing, at)
                if end < 0:
                    return max(at, len(data) - 2), False
                at, self._closing = end + len(self._closing), b""
            found = self._tokens.search(data, at)
            if found is None:
                return max(at, len(data) - self._longest), False
            if found.lastgroup == "section":
                at, self._closing = found.end(), _SECTIONS[found[0]]
                continue
            place = found.end() if found.lastgroup == "own" else found.start()
            if found.end() > self._not_before - base:
                return place, True
            at = found.end()
