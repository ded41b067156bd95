"""JMESPath over a DAM's JSON (https://jmespath.org/specification.html), and text templates of it.

One thing is added to the standard: `to_map(list, 'name', 'value')` makes an object of a list of
name/value pairs, which JMESPath itself cannot (Frontify, Pimcore and Brandfolder list metadata so).
"""

from __future__ import annotations

import re
from typing import Any

import jmespath
from jmespath import exceptions, functions

from pim_connector.errors import ConfigurationError, RejectedError

_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class _Functions(functions.Functions):
    @functions.signature({"types": ["array", "null"]}, {"types": ["string"]}, {"types": ["string"]})
    def _func_to_map(self, items: list[Any] | None, name: str, value: str) -> dict[str, Any]:
        pairs = ((_search(name, item), _search(value, item)) for item in items or ())
        return {str(key): found for key, found in pairs if key is not None}


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def _search(expression: str, item: Any) -> Any:
    return jmespath.search(expression, item)


class Expression:
    """One compiled JMESPath expression. `where` names it in errors: file and key."""

    __slots__ = ("_compiled", "text", "where")

    def __init__(self, text: str, *, where: str) -> None:
        self.text = text
        self.where = where
        try:
            self._compiled = jmespath.compile(text)
        except exceptions.JMESPathError as error:
            reason = " ".join(str(error).split())
            raise ConfigurationError(f"{where}: {text!r} is not JMESPath: {reason}") from error

    def read(self, data: Any) -> Any:
        """Select from decoded JSON; None where nothing is there.

        Raises RejectedError where a function meets a value of the wrong type.
        """
        try:
            return self._compiled.search(data, options=_OPTIONS)
        except (exceptions.JMESPathError, TypeError, ValueError, RecursionError) as error:
            raise RejectedError(f"{self.where}: {self.text}: {error}") from error

    def holds(self, data: Any) -> bool:
        """Read as a condition, by JMESPath's own rule: null, false, "", [] and {} do not hold."""
        found = self.read(data)
        return not (found is None or found is False or found in ("", [], {}))


class Template:
    """Text with `{{JMESPath}}` in it. Reads as None as soon as one of its parts is missing."""

    __slots__ = ("_parts", "text")

    def __init__(self, text: str, *, where: str) -> None:
        self.text = text
        pieces = _PLACEHOLDER.split(text)
        self._parts: list[str | Expression] = [
            Expression(piece.strip(), where=where) if index % 2 else piece
            for index, piece in enumerate(pieces)
        ]

    def read(self, data: Any) -> str | None:
        """Fill the template in; raises RejectedError like `Expression.read`."""
        filled: list[str] = []
        for part in self._parts:
            found = part if isinstance(part, str) else part.read(data)
            if found is None:
                return None
            filled.append(as_text(found))
        return "".join(filled)


def as_text(value: Any) -> str:
    """Write a JSON scalar as a person would: 12 rather than 12.0, true rather than True."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)
