"""Repairs of the text that a mapping asks for, each counted: characters, entities, ampersands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final
from xml.parsers import expat
from xml.parsers.expat import XMLParserType

from msgspec import Struct, field

from pim_connector.records import UnreadableFileError

PREDEFINED: Final = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
_LONGEST: Final = 128
"""Bytes of the longest thing that is looked for; nothing shorter is cut by the pieces."""
_ILLEGAL: Final = rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf][\x80-\xbf]"
_IN_TEXT = re.compile(
    rb"(?P<open><!\[CDATA\[|<!--|<\?)"
    rb"|<!ENTITY\s+(?P<declared>[^\s%&;<>\"']{1,40})\s"
    rb"|&(?:\#(?:x(?P<hex>[0-9A-Fa-f]{1,8})|(?P<decimal>[0-9]{1,10}));|"
    rb"(?P<name>[A-Za-z_:\x80-\xff][\w.:\-\x80-\xff]{0,60});)?"
    rb"|(?P<illegal>" + _ILLEGAL + rb")"
)
_IN_SECTION = {
    opening: re.compile(rb"(?P<close>" + re.escape(closing) + rb")|(?P<illegal>" + _ILLEGAL + rb")")
    for opening, closing in ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"), (b"<?", b"?>"))
}


class Repairs(Struct, kw_only=True):
    """What is to be repaired in a text (UTF-8), and how often each was.

    Comments, CDATA sections and instructions keep their ampersands: there they are only text.
    """

    drop_illegal: bool = False
    html_entities: bool = False
    bare_ampersands: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    _section: bytes = b""
    _declared: set[bytes] = field(default_factory=set)

    @property
    def wanted(self) -> bool:
        """Whether there is anything to do."""
        return self.drop_illegal or self.html_entities or self.bare_ampersands

    def repaired(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The text, repaired; in other pieces than it came in."""
        held = b""
        for piece in pieces:
            data = held + piece
            done, text = self._repair(data, len(data) - _LONGEST)
            held = data[done:]
            yield text
        _, text = self._repair(held, len(held))
        yield text

    def _repair(self, data: bytes, until: int) -> tuple[int, bytes]:
        """Everything that begins before `until`: how far that is, and the text of it."""
        out: list[bytes] = []
        at = 0
        while True:
            pattern = _IN_SECTION[self._section] if self._section else _IN_TEXT
            found = pattern.search(data, at)
            if found is None or found.start() >= until:
                end = max(at, until)
                return end, b"".join([*out, data[at:end]])
            out += (data[at : found.start()], self._instead(found))
            at = found.end()

    def _instead(self, found: re.Match[bytes]) -> bytes:
        kind = found.lastgroup
        if kind == "illegal" or (kind in ("hex", "decimal") and _is_illegal(found)):
            if not self.drop_illegal:
                return found[0]
            self.counts["illegal_characters"] += 1
            return b""
        if kind == "open":
            self._section = found[0]
        elif kind == "close":
            self._section = b""
        elif kind == "declared":
            self._declared.add(found["declared"])
        elif kind == "name":
            return self._entity(found)
        elif kind is None and self.bare_ampersands:
            self.counts["bare_ampersands"] += 1
            return b"&amp;"
        return found[0]

    def _entity(self, found: re.Match[bytes]) -> bytes:
        name = found["name"]
        if not self.html_entities or name in PREDEFINED or name in self._declared:
            return found[0]
        characters = _html_entity(name.decode("utf-8", "replace"))
        if not characters:
            return found[0]
        self.counts["html_entities"] += 1
        return "".join(f"&#{ord(character)};" for character in characters).encode()


_TOLD: Final = {
    "illegal_characters": "illegal characters dropped",
    "leading_space": "bytes of white space before the XML declaration skipped",
    "trailing_garbage": "bytes behind the document or the archive skipped",
    "html_entities": "HTML entities read",
    "bare_ampersands": "bare ampersands read as text",
    "documents": "further documents in the file",
}


def told(repairs: Mapping[str, int]) -> list[str]:
    """Return what was repaired in a file, a phrase for each option that was of use."""
    return [f"{words}: {repairs[name]}" for name, words in _TOLD.items() if repairs.get(name)]


def _html_entity(name: str) -> str:
    """The characters that HTML means by an entity, "" for a name it does not know."""
    from html.entities import html5  # only for files that use them

    return html5.get(f"{name};", "")


def _is_illegal(reference: re.Match[bytes]) -> bool:
    code = int(reference["hex"], 16) if reference["hex"] else int(reference["decimal"])
    return (
        (code < 0x20 and code not in (0x9, 0xA, 0xD))
        or 0xD800 <= code <= 0xDFFF
        or code in (0xFFFE, 0xFFFF)
        or code > 0x10FFFF
    )


# What is wrong at a spot that is not well-formed, and where reading can go on behind it.


MISMATCH: Final = 7
_ENDS_IN_THE_MIDDLE: Final = frozenset({3, 5, 6, 20})
_REFERENCE = re.compile(rb"&([^#;&<>\s\"'][^;&<>\s\"']{0,60});")
_PREDEFINED: Final = frozenset({b"amp", b"lt", b"gt", b"quot", b"apos"})
_RECOVERY_ILLEGAL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
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
    illegal = _RECOVERY_ILLEGAL.match(data) if code == 4 else None
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
    if _html_entity(name):
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


# What the DTD inside a document declares, as far as records need it: expat does the rest.


ENTITIES_PREDEFINED: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
MAX_ENTITIES: Final = 10_000
_ENTITIES_REFERENCE = re.compile(r"&([^#;&<>\s][^;&<>\s]*);")


class Dtd:
    """The entities and attribute defaults of one document.

    `is_written` says that records have to be written anew, because they travel without the DTD.
    References that the file does not declare are an error: expat skips those that a part of the DTD
    might declare that is never fetched, in attributes without a word.
    """

    def __init__(self, parser: XMLParserType, token: Callable[[], bytes]) -> None:
        self.is_written = False
        self._parser, self._token = parser, token
        self._general: dict[str, str | None] = {}
        self._parameters: dict[str, str | None] = {}
        self._good: set[str] = set(ENTITIES_PREDEFINED)
        self._in_attlist = False
        parser.EntityDeclHandler = self._entity
        parser.AttlistDeclHandler = self._attribute
        parser.DefaultHandlerExpand = self._unread

    def end(self) -> None:
        """The DTD is over."""
        parser = self._parser
        parser.EntityDeclHandler = parser.AttlistDeclHandler = parser.DefaultHandlerExpand = None

    def check(self, text: str) -> None:
        """Raise UnreadableFileError for a reference in the text that cannot be expanded."""
        for name in _ENTITIES_REFERENCE.findall(text):
            if name in self._good:
                continue
            if name not in self._general:
                raise UnreadableFileError(undeclared(name))
            value = self._general[name]
            if value is None:
                raise external(name)
            self._good.add(name)
            self.check(value)

    def _entity(self, name: str, is_parameter: int, value: str | None, *_: str | None) -> None:
        declared = self._parameters if is_parameter else self._general
        if len(declared) >= MAX_ENTITIES:
            raise UnreadableFileError(f"more than {MAX_ENTITIES} entities are declared")
        declared.setdefault(name, value)
        if value is not None and not is_parameter:
            self.is_written = True

    def _attribute(self, _: str, __: str, ___: str, default: str | None, ____: int) -> None:
        if default is None:
            return
        self.is_written = True
        token = self._token().decode("utf-8", "replace")
        if token.startswith("%"):
            token = self._parameters.get(token[1:-1]) or ""
        self.check(token)

    def _unread(self, part: str) -> None:
        """A part of the DTD that expat leaves out, behind an entity that is not fetched."""
        if part == "<!ATTLIST":
            self._in_attlist = True
        elif part == ">":
            self._in_attlist = False
        elif self._in_attlist and part[:1] in ("'", '"'):
            raise UnreadableFileError(
                f"the DTD inside the file gives an attribute the default {part} behind a parameter "
                "entity that is not fetched; such defaults are not read, write the attribute out"
            )


def external(name: str) -> UnreadableFileError:
    """The error of an entity that is outside of the file."""
    return UnreadableFileError(f"&{name}; is an external entity; those are never fetched")
