"""Entities of the internal subset, expanded where records use them, within a budget of our own."""

from __future__ import annotations

import re

from msgspec import Struct, field

from pim_connector.erp.record import UnreadableFileError

PREDEFINED = frozenset({"amp", "lt", "gt", "quot", "apos"})
MAX_ENTITIES = 10_000
MAX_DEPTH = 16
FREE_CHARACTERS = 1_000_000
MAX_GROWTH = 4
"""Expanded text may be a million characters, and beyond that four times what was read."""

_PARTS = re.compile(
    r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<\?.*?\?>"
    r"""|<(?:[^<>"']|"[^"]*"|'[^']*')*>"""
    r"|&([^#;&<>\s][^;&<>\s]*);",
    re.DOTALL,
)
_REFERENCE = re.compile(r"&([^#;&<>\s][^;&<>\s]*);")
_FOREIGN_TEXT = re.compile(f"&(?!#|(?:{'|'.join(sorted(PREDEFINED))});)")
_FOREIGN = re.compile(_FOREIGN_TEXT.pattern.encode())


class Entities(Struct):
    """The general entities a document declares.

    References are replaced in the text of each record, because a record travels without its DTD.
    """

    declared: dict[str, str] = field(default_factory=dict)
    external: set[str] = field(default_factory=set)
    has_dtd: bool = False
    _expanded: int = 0
    _read: int = 0

    def declare(self, name: str, text: str | None) -> None:
        """Notes an entity; the first declaration counts. External ones have no text."""
        if len(self.declared) + len(self.external) >= MAX_ENTITIES:
            raise UnreadableFileError(f"more than {MAX_ENTITIES} entities are declared")
        if name in self.declared or name in self.external:
            return
        if text is None:
            self.external.add(name)
        else:
            self.declared[name] = text

    def note_entity(self, name: str, is_parameter: int, value: str | None, *_: str | None) -> None:
        """Takes what expat says of an entity; parameters of the DTD itself are not followed."""
        if not is_parameter:
            self.declare(name, value)

    def expand(self, xml: str) -> str:
        """The XML with all entities replaced but the five that need no declaration.

        Raises UnreadableFileError for unknown and external entities, circles and blow-ups.
        """
        if not self.has_dtd:
            return xml
        self._read += len(xml)
        if not _FOREIGN_TEXT.search(xml):
            return xml
        return _PARTS.sub(self._part, xml)

    def first_reference(self, data: bytes, start: int) -> int:
        """Where an entity may be referred to that only a DTD declares; the end where none is.

        Without a DTD expat itself refuses such references.
        """
        found = _FOREIGN.search(data, start) if self.has_dtd else None
        return found.start() if found else len(data)

    def check(self, name: str) -> None:
        """Raises UnreadableFileError for a reference that cannot be expanded."""
        if name not in PREDEFINED:
            self._text_of(name, ())

    def _part(self, found: re.Match[str]) -> str:
        if found[1] is not None:
            return self._reference(found[1])
        part = found[0]
        if part.startswith(("<!", "<?")) or "&" not in part:
            return part
        return _REFERENCE.sub(lambda inside: self._in_attribute(inside[1]), part)

    def _reference(self, name: str) -> str:
        return f"&{name};" if name in PREDEFINED else self._count(self._text_of(name, ()))

    def _in_attribute(self, name: str) -> str:
        text = self._reference(name)
        if name in PREDEFINED:
            return text
        if "<" in text:
            raise UnreadableFileError(f"the entity &{name}; holds `<` and is used in an attribute")
        return text.replace('"', "&quot;").replace("'", "&apos;")

    def _text_of(self, name: str, inside: tuple[str, ...]) -> str:
        if name in self.external:
            raise UnreadableFileError(f"&{name}; is an external entity; those are never fetched")
        if name not in self.declared:
            raise UnreadableFileError(
                f"the entity &{name}; is not declared in the file (external DTDs are never fetched)"
            )
        if name in inside or len(inside) >= MAX_DEPTH:
            raise UnreadableFileError(
                f"the entity &{name}; contains itself or is nested too deeply"
            )

        def nested(found: re.Match[str]) -> str:
            inner = found[1]
            return found[0] if inner in PREDEFINED else self._text_of(inner, (*inside, name))

        return self._count(_REFERENCE.sub(nested, self.declared[name]))

    def _count(self, text: str) -> str:
        self._expanded += len(text)
        if self._expanded > FREE_CHARACTERS + MAX_GROWTH * self._read:
            raise UnreadableFileError(
                "the entities of the file expand to far more than the file holds: that is an "
                "attack or a mistake, and is not read"
            )
        return text


def refuse_default(element: str, attribute: str, _: str, default: str | None, __: int) -> None:
    """Takes what expat says of an attribute in the DTD: records travel without it."""
    if default is not None:
        raise UnreadableFileError(
            f"the DTD inside the file gives {element}/@{attribute} the default {default!r}; "
            "such defaults are not supported, write the attribute out"
        )
