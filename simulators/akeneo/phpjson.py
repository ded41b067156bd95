"""JSON as PHP reads and writes it, because a client compares the PIM's text."""

import json
import math
import re
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder()
_NUMERIC = re.compile(r"^[ \t\n\r\v\f]*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?[ \t\n\r\v\f]*$")
_TYPE_NAMES = {
    type(None): "NULL",
    bool: "boolean",
    int: "integer",
    float: "double",
    str: "string",
    list: "array",
    dict: "array",
}


class InvalidJsonError(ValueError):
    """The text is not JSON as PHP's `json_decode` understands it."""


def decode(text: bytes) -> Any:
    """Decode one JSON text; raises `InvalidJsonError`.

    Strict UTF-8, no byte order mark, no NaN; the last of repeated keys wins. An empty object
    comes back as an empty list, because PHP arrays do not know the difference.
    """
    try:
        return _as_php(_DECODER.decode(text))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidJsonError(str(error)) from error


def _as_php(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_php(item) for key, item in value.items()} if value else []
    if isinstance(value, list):
        return [_as_php(item) for item in value]
    return value


def encode(value: Any) -> str:
    """Write JSON with PHP's defaults: slashes and all but ASCII escaped, no white space."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("/", "\\/")


def type_name(value: Any) -> str:
    """PHP's name for the type of a decoded value, as the PIM's messages quote it."""
    return _TYPE_NAMES[type(value)]


def is_array(value: Any) -> bool:
    """PHP's `is_array`: JSON objects and lists alike."""
    return isinstance(value, (dict, list))


def is_scalar(value: Any) -> bool:
    """PHP's `is_scalar`: true for everything but null, objects and lists."""
    return value is not None and not isinstance(value, (dict, list))


def items_of(value: Any) -> list[tuple[Any, Any]]:
    """Keys and values of a PHP array: list positions count as keys."""
    return list(value.items()) if isinstance(value, dict) else list(enumerate(value))


def elements_of(value: Any) -> list[Any]:
    """The values of a PHP array, whatever its keys."""
    return list(value.values()) if isinstance(value, dict) else list(value)


def is_numeric(value: Any) -> bool:
    """PHP's `is_numeric`: numbers and numeric strings, surrounding white space allowed."""
    if isinstance(value, bool):
        return False
    if isinstance(value, (int, float)):
        return math.isfinite(value)
    return isinstance(value, str) and _NUMERIC.match(value) is not None


def to_text(value: Any) -> str:
    """PHP's string form of a scalar: true is "1", false and null are empty."""
    if value is None or value is False:
        return ""
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
