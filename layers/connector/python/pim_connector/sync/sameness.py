"""Says whether a value that was sent and the one that the PIM shows now are the same.

The PIM shows values in another dress than it takes them: amounts as texts with four decimals,
dates with a time in its own zone, units with their symbol, lists in an order of its own
(https://api.akeneo.com/concepts/products.html#focus-on-the-products-values). What is dress and what
is value follows from the attribute's type alone: `00123` and `123` are two texts and one number.

Whoever compares asks here: the plan, a revert, `if_empty`, the console's list of changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pim_connector.mapping.values import TYPES

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import Structure

_MIDNIGHT: Final = re.compile(r"(\d{4}-\d\d-\d\d)(T00:00(:00)?(\.0+)?([+-]\d\d:?\d\d|Z)?)?")
_NOTHING: Final[tuple[object, ...]] = (None, "", [], {}, ())


class Kind(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What decides sameness: the mapping's name of the attribute's type, a table's column types.

    An empty type is one that nobody knows: texts are then compared exactly.
    """

    type: str = ""
    columns: dict[str, str] = {}


UNKNOWN: Final = Kind()


def kind_of(key: Sequence[str], structure: Structure | None) -> Kind:
    """Return the kind of a slot's data; `UNKNOWN` where the structure lacks its attribute."""
    if key[0] != "values":
        return Kind(type=_FIELDS.get(key[0], ""))
    attribute = structure.attribute(key[1]) if structure is not None else None
    if attribute is None:
        return UNKNOWN
    columns = {
        str(column.get("code")): str(column.get("data_type"))
        for column in attribute.table_configuration
    }
    return Kind(type=TYPES.get(attribute.type, ""), columns=columns)


def same(one: Any, other: Any, kind: Kind = UNKNOWN) -> bool:
    """Compare two values of a slot; nothing, an empty text and an empty list are the same."""
    return bool(_value(one, kind) == _value(other, kind))


def value_of(product: Mapping[str, Any] | None, key: Sequence[str]) -> Any:
    """Return what a product of the REST API holds in a slot; None where it holds nothing.

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


def _value(data: Any, kind: Kind) -> Any:
    if data in _NOTHING:
        return None
    if kind.type == "table" and isinstance(data, list | tuple):
        return [_row(row, kind.columns) for row in data]
    return _READERS.get(kind.type, _exact)(data)


def _exact(data: Any) -> Any:
    if isinstance(data, bool):
        return data
    if isinstance(data, int | float):
        return _number(data)
    if isinstance(data, Mapping):
        return {name: _exact(each) for name, each in data.items()}
    if isinstance(data, list | tuple):
        return [_exact(each) for each in data]
    return data


def _number(data: Any) -> Any:
    """Read an amount by value: `12.5` and `12.5000` are one, and so are 0 and -0."""
    if isinstance(data, bool):
        return data
    try:
        return ("number", Decimal(str(data)) + 0)
    except InvalidOperation:
        return data


def _metric(data: Any) -> Any:
    """Read amount and unit; SaaS shows the unit's symbol besides, which nobody can send."""
    if not isinstance(data, Mapping):
        return data
    if data.get("amount") in (None, ""):
        return None
    return (_number(data["amount"]), data.get("unit"))


def _price(data: Any) -> Any:
    """Read amounts by currency; one without an amount is no price."""
    if not isinstance(data, list | tuple):
        return data
    amounts = {
        str(price.get("currency")): _number(price.get("amount"))
        for price in data
        if isinstance(price, Mapping) and price.get("amount") not in (None, "")
    }
    return amounts or None


def _date(data: Any) -> Any:
    """Read a day, as the PIM's own zone says it, or the moment of a date that has a time."""
    if not isinstance(data, str):
        return data
    day = _MIDNIGHT.fullmatch(data)
    if day:
        return day[1]
    try:
        return datetime.fromisoformat(data)
    except ValueError:
        return data


def _code(data: Any) -> Any:
    """Read a code as the PIM does: without regard to upper and lower case."""
    return data.casefold() if isinstance(data, str) else _exact(data)


def _codes(data: Any) -> Any:
    return [_code(each) for each in data] if isinstance(data, list | tuple) else _code(data)


def _set_of_codes(data: Any) -> Any:
    return {_code(each) for each in data} if isinstance(data, list | tuple) else _code(data)


def _quantities(data: Any) -> Any:
    """Read quantified links; a product shows an identifier and a UUID, and one of them was sent."""
    if not isinstance(data, list | tuple):
        return data
    return Counter((_target(link), _number(link.get("quantity"))) for link in data)


def _product_link(data: Any) -> Any:
    if not isinstance(data, Mapping):
        return data
    return (data.get("type"), _target(data))


def _target(link: Mapping[str, Any]) -> Any:
    return _code(link.get("identifier") or link.get("id") or link.get("uuid"))


def _row(row: Any, columns: Mapping[str, str]) -> Any:
    if not isinstance(row, Mapping):
        return row
    cells = {code: _CELLS.get(columns.get(code, ""), _exact)(cell) for code, cell in row.items()}
    return {code: cell for code, cell in cells.items() if cell not in (None, "")}


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "number": _number,
    "metric": _metric,
    "price": _price,
    "date": _date,
    "simple_select": _code,
    "multi_select": _set_of_codes,
    "reference_entity": _code,
    "reference_entity_collection": _set_of_codes,
    "asset_collection": _codes,
    "product_link": _product_link,
    "code": _code,
    "codes": _set_of_codes,
    "quantities": _quantities,
}
_CELLS: Final[dict[str, Callable[[Any], Any]]] = {
    "number": _number,
    "measurement": _metric,
    "date": _date,
    "select": _code,
    "reference_entity": _code,
    "product_link": _product_link,
}
_FIELDS: Final = {
    "family": "code",
    "family_variant": "code",
    "parent": "code",
    "categories": "codes",
    "add_categories": "codes",
    "groups": "codes",
    "associations": "codes",
    "quantified_associations": "quantities",
}
"""The kinds of fields that are no values. `enabled` is compared exactly."""
