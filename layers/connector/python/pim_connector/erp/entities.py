"""What the DTD inside a document declares, as far as records need it: expat does the rest."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from xml.parsers.expat import XMLParserType

from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.recovery import undeclared

PREDEFINED: Final = frozenset({"amp", "lt", "gt", "quot", "apos"})
MAX_ENTITIES: Final = 10_000
_REFERENCE = re.compile(r"&([^#;&<>\s][^;&<>\s]*);")


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
        self._good: set[str] = set(PREDEFINED)
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
        for name in _REFERENCE.findall(text):
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
