"""Repairs of the text that a mapping asks for, each counted: characters, entities, ampersands."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, field

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
        characters = html_entity(name.decode("utf-8", "replace"))
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


def html_entity(name: str) -> str:
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
