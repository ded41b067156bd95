"""JMESPath over a DAM's JSON (https://jmespath.org/specification.html), and text templates of it.

Added to the standard is what DAMs need and JMESPath cannot do:

* `to_map(list, 'name', 'value')` makes an object of a list of name/value pairs (Frontify, Pimcore);
* `entries(object)` makes a list of `{key, value}` of an object, for lists that are keyed by id;
* `extract(text, 'pattern')` gives the first group of a regular expression, or the whole match;
* `from_json(text)` reads JSON that stands in a text;
* `json_api(document)` gives the resources of a JSON:API document with what they relate to in place.
"""

from __future__ import annotations

import json
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

    @functions.signature({"types": ["object", "null"]})
    def _func_entries(self, found: dict[str, Any] | None) -> list[dict[str, Any]]:
        return [{"key": key, "value": value} for key, value in (found or {}).items()]

    @functions.signature({"types": ["string", "number", "null"]}, {"types": ["string"]})
    def _func_extract(self, text: str | float | None, pattern: str) -> str | None:
        match = None if text is None else re.search(pattern, as_text(text))
        return match and (match.group(1) if match.re.groups else match.group())

    @functions.signature({"types": ["string", "null"]})
    def _func_from_json(self, text: str | None) -> Any:
        return None if text is None or not text.strip() else json.loads(text)

    @functions.signature({"types": ["object", "null"]})
    def _func_json_api(self, document: dict[str, Any] | None) -> Any:
        return _resources(document or {})


_OPTIONS = jmespath.Options(custom_functions=_Functions())


def _resources(document: dict[str, Any]) -> Any:
    """Put the attributes of `included` where relationships point to them, one level deep.

    https://jsonapi.org/format/#document-compound-documents
    """
    data, included = document.get("data"), document.get("included") or []
    known = {(one.get("type"), one.get("id")): one for one in included if isinstance(one, dict)}

    def related(linked: Any) -> Any:
        if isinstance(linked, list):
            return [related(one) for one in linked]
        if not isinstance(linked, dict):
            return linked
        return known.get((linked.get("type"), linked.get("id")), linked)

    def resolved(resource: Any) -> Any:
        if not isinstance(resource, dict):
            return resource
        relations = resource.get("relationships") or {}
        placed = {
            name: related(one.get("data"))
            for name, one in relations.items()
            if isinstance(one, dict)
        }
        return resource | {"relationships": placed}

    return [resolved(one) for one in data] if isinstance(data, list) else resolved(data)


def _search(expression: str, item: Any) -> Any:
    return jmespath.search(expression, item)


def _fields(node: Any) -> list[dict[str, Any]]:
    """Return the fields that an expression names directly."""
    found = [node] if node.get("type") == "field" else []
    for child in node.get("children", ()):
        found += _fields(child)
    return found


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
        except exceptions.JMESPathTypeError as error:
            raise RejectedError(
                f"{self.where}: `{self.text}`: {self._wrong(error, data)}"
            ) from error
        except (exceptions.JMESPathError, TypeError, ValueError, RecursionError) as error:
            raise RejectedError(
                f"{self.where}: `{self.text}` cannot be worked out for this item: {error}"
            ) from error

    def _wrong(self, error: exceptions.JMESPathTypeError, data: Any) -> str:
        """Say in the DAM's words which of its values a function cannot use."""
        names = {node["value"] for node in _fields(self._compiled.parsed)}
        empty = sorted(name for name in names if isinstance(data, dict) and data.get(name) is None)
        if error.current_value is None:
            what = ", ".join(empty) or "one of its values"
            return f"{what} has no value here, and {error.function_name}() needs one"
        wanted = " or ".join(error.expected_types)
        shown = str(error.current_value)[:60]
        return f"{error.function_name}() needs {wanted}, and the DAM gives {shown!r}"

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
