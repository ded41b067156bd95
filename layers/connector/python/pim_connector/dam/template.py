"""`{{placeholders}}` in a source file's requests.

`{{name}}` is replaced as text; a text that is nothing but one placeholder takes the value as it
is, and `{{name:int}}` (also `float`, `bool`, `json`, `str`) says as what: a GraphQL variable
must not be a text. What has no value now (no cursor on the first page) is left out with its key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pim_connector.errors import ConfigurationError

Values = Mapping[str, Any]

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][\w.-]*)\s*(?::\s*(\w+)\s*)?\}\}")
_CASTS: dict[str, Callable[[Any], Any]] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": lambda value: str(value).lower() in ("true", "1"),
    "json": lambda value: json.loads(value) if isinstance(value, str) else value,
}


class _Absent:
    """Says that a placeholder has no value, and so its key goes."""


ABSENT = _Absent()


def fill(template: Any, values: Values) -> Any:
    """Put values into text, list or object; ABSENT where all there was is a missing value.

    ConfigurationError for a placeholder nobody knows or a value that is not of the type asked for.
    """
    if isinstance(template, str):
        return _fill_text(template, values)
    if isinstance(template, Mapping):
        filled = {key: fill(value, values) for key, value in template.items()}
        return {key: value for key, value in filled.items() if value is not ABSENT}
    if isinstance(template, list | tuple):
        return [value for item in template if (value := fill(item, values)) is not ABSENT]
    return template


def fill_text(template: str, values: Values, *, quote: Callable[[str], str] = str) -> str:
    """Put values into text; what has no value becomes nothing. `quote` makes a value fit in."""

    def replace(match: re.Match[str]) -> str:
        value = _value(match, values)
        return "" if value is ABSENT else quote(_text(value))

    return _PLACEHOLDER.sub(replace, template)


def names_in(template: Any) -> Iterator[str]:
    """Give the names of all placeholders in text, list or object."""
    if isinstance(template, str):
        yield from (match.group(1) for match in _PLACEHOLDER.finditer(template))
    elif isinstance(template, Mapping):
        for value in template.values():
            yield from names_in(value)
    elif isinstance(template, list | tuple):
        for item in template:
            yield from names_in(item)


def _fill_text(template: str, values: Values) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    return _value(whole, values) if whole else fill_text(template, values)


def _value(match: re.Match[str], values: Values) -> Any:
    name, cast = match.group(1), match.group(2)
    if name not in values:
        known = ", ".join(sorted(values))
        raise ConfigurationError(f"{{{{{name}}}}}: no such placeholder here; there are: {known}")
    value = values[name]
    if value is None or value is ABSENT:
        return ABSENT
    if cast is None:
        return value
    if cast not in _CASTS:
        raise ConfigurationError(
            f"{{{{{name}:{cast}}}}}: no such type; there are: {', '.join(_CASTS)}"
        )
    try:
        return _CASTS[cast](value)
    except ValueError as error:
        raise ConfigurationError(f"{{{{{name}:{cast}}}}}: the value is not of that type") from error


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
