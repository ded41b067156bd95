"""Says whether a value that was sent and the one that the PIM shows now are the same.

The PIM shows values in another dress than it takes them: amounts as texts with four decimals,
dates with a time, lists in an order of its own
(https://api.akeneo.com/concepts/products.html#focus-on-the-products-values).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")
_DAY: Final = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(\+00:00|Z)?")
_EMPTY: Final[tuple[object, ...]] = (None, "", [], {})


def same(one: Any, other: Any) -> bool:
    """Compare two values of a slot; nothing, an empty text and an empty list are the same."""
    return bool(_plain(one) == _plain(other))


def value_of(product: Mapping[str, Any] | None, key: Sequence[str]) -> Any:
    """Give what a product of the REST API holds in a slot; None where it holds nothing.

    `add_categories` is read from `categories`, which it adds to.
    """
    if product is None:
        return None
    if key[0] == "values":
        _, attribute, locale, scope = key
        for value in (product.get("values") or {}).get(attribute, ()):
            if ((value.get("locale") or ""), (value.get("scope") or "")) == (locale, scope):
                return value.get("data")
        return None
    found: Any = product
    for part in ("categories",) if key[0] == "add_categories" else key:
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if value in _EMPTY:
        return None
    if isinstance(value, int | float):
        return ("number", Decimal(str(value)).normalize())
    if isinstance(value, str):
        return _plain_text(value)
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return sorted((_plain(each) for each in value), key=_sorting)
    return value


def _plain_text(text: str) -> Any:
    if _NUMBER.fullmatch(text):
        return ("number", Decimal(text).normalize())
    day = _DAY.fullmatch(text)
    return day[1] if day else text


def _sorting(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)
