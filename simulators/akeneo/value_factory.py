"""Making a value from the data that was sent: does the data have the attribute's form?

What is made here can still be wrong (an unknown option, a text too long): that is for
`value_rules`. Source: the PIM's value factories, one for each attribute type.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from simulators.akeneo.catalog import (
    ASSETS,
    BOOLEAN,
    DATE,
    ENTITY_MULTI,
    ENTITY_SIMPLE,
    FILE,
    IDENTIFIER,
    IMAGE,
    METRIC,
    MULTI_SELECT,
    NUMBER,
    PRICE,
    PRODUCT_LINK,
    REFERENCE_MULTI,
    REFERENCE_SIMPLE,
    SIMPLE_SELECT,
    TABLE,
    TEXT,
    TEXTAREA,
    Attribute,
)
from simulators.akeneo.phpjson import is_array, is_numeric, is_scalar, type_name
from simulators.akeneo.refusal import PropertyError
from simulators.akeneo.table_rules import is_link

_DAY = re.compile(r"^(\d{4})-(\d{2})-(\d{2})(.*)$", re.DOTALL)
_PLAIN_DECIMAL = re.compile(r"^-?\d+(\.\d+)?$")


def is_empty(data: Any) -> bool:
    """Whether this data takes the value away: null, an empty list, or no more than spaces."""
    return data is None or data == [] or (isinstance(data, str) and not data.strip())


def check_place(attribute: Attribute, channel: str | None, locale: str | None) -> None:
    """Raise `PropertyError` when channel or locale is missing or one too many."""
    if (channel is not None) == attribute.scopable and (
        locale is not None
    ) == attribute.localizable:
        return
    said_channel = f"({channel or 'nothing'} was detected)"
    said_locale = f"({locale or 'nothing'} was detected)"
    subject = f"The {attribute.code} attribute"
    if attribute.scopable and attribute.localizable:
        text = f"requires a value per channel {said_channel} and a locale {said_locale}."
    elif attribute.localizable:
        text = (
            f"does not require a value per channel {said_channel} "
            f"but requires a value per locale {said_locale}."
        )
    elif attribute.scopable:
        text = (
            f"requires a value per channel {said_channel} "
            f"but does not require a value per locale {said_locale}."
        )
    else:
        text = f"requires neither a channel {said_channel} nor a locale {said_locale}."
    raise PropertyError(f"{subject} {text}")


def make_data(attribute: Attribute, data: Any, zone: tzinfo) -> Any:
    """The data as it is kept; None when nothing is left of it. Raises `PropertyError`.

    A date without a zone begins at midnight in `zone`, that of the PIM's server.
    """
    if attribute.type == DATE:
        return _date(attribute.code, data, zone)
    make = _MAKERS.get(attribute.type)
    if make is None:
        raise PropertyError(f"The {attribute.code} attribute has no type that this PIM knows.")
    made = make(attribute.code, data)
    if attribute.type == NUMBER:
        return _to_places(attribute, made)
    if attribute.type == METRIC and made is not None:
        return made | {"amount": _to_places(attribute, made["amount"])}
    return made


def _to_places(attribute: Attribute, amount: Any) -> Any:
    """The amount with no more decimals than the attribute has, where they are not forbidden."""
    rounding = _ROUNDINGS.get(attribute.decimal_places_strategy or "")
    places = attribute.decimal_places
    if rounding is None or places is None or not is_numeric(amount):
        return amount
    number = Decimal(str(amount).strip())
    if -int(number.as_tuple().exponent) <= places:
        return amount
    return str(number.quantize(Decimal(1).scaleb(-places), rounding=rounding))


_ROUNDINGS = {"round": ROUND_HALF_UP, "trim": ROUND_DOWN}


def _expected(code: str, what: str, data: Any) -> PropertyError:
    return PropertyError(f'Property "{code}" expects {what} as data, "{type_name(data)}" given.')


def _structure(code: str, what: str) -> PropertyError:
    return PropertyError(f'Property "{code}" expects an array with valid data, {what}.')


def _string_required(code: str, data: Any) -> PropertyError:
    return PropertyError(
        f"The {code} attribute requires a string, a {type_name(data)} was detected."
    )


def _text(code: str, data: Any) -> Any:
    if not is_scalar(data):
        raise _string_required(code, data)
    return data


def _identifier(code: str, data: Any) -> Any:
    if is_array(data):
        raise _string_required(code, data)
    return data


def _number(code: str, data: Any) -> Any:
    if isinstance(data, str):
        return data.strip()
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        raise _expected(code, "a numeric", data)
    return data


def _boolean(code: str, data: Any) -> Any:
    if not isinstance(data, bool):
        raise _expected(code, "a boolean", data)
    return data


def _metric(code: str, data: Any) -> Any:
    if not is_array(data):
        raise _expected(code, "an array", data)
    for key in ("amount", "unit"):
        if not isinstance(data, dict) or key not in data:
            raise PropertyError(f'Property "{code}" expects an array with the key "{key}".')
    amount, unit = data["amount"], data["unit"]
    if amount is None:
        return None
    if not isinstance(unit, str):
        raise _structure(code, f'key "unit" has to be a string, "{type_name(unit)}" given')
    if isinstance(amount, str) and is_numeric(amount) and not _PLAIN_DECIMAL.match(amount):
        raise PropertyError(f'Property "{code}" expects a decimal as data, "{amount}" given.')
    return {"amount": amount, "unit": unit}


def _price(code: str, data: Any) -> Any:
    if not is_array(data):
        raise _expected(code, "an array", data)
    kept: dict[str, Any] = {}
    for price in data if isinstance(data, list) else data.values():
        if not is_array(price):
            raise PropertyError(f'Property "{code}" expects an array of arrays as data.')
        for key in ("amount", "currency"):
            if not isinstance(price, dict) or key not in price:
                raise PropertyError(f'Property "{code}" expects an array with the key "{key}".')
        if price["amount"] is not None:
            kept[str(price["currency"])] = price["amount"]
    return [{"amount": kept[code], "currency": code} for code in sorted(kept)] or None


def _date(code: str, data: Any, zone: tzinfo) -> Any:
    if not isinstance(data, str):
        raise _string_required(code, data)
    moment = _moment(data, zone)
    if moment is None:
        raise PropertyError(
            f"The {code} attribute requires a valid date. "
            "Please use the following format yyyy-mm-dd for dates."
        )
    return moment.isoformat()


def _moment(text: str, zone: tzinfo) -> datetime | None:
    """Read a date as PHP does: a 31st of February is a day of March."""
    match = _DAY.match(text)
    if match is None:
        return None
    year, month, day = (int(part) for part in match.group(1, 2, 3))
    rest = match.group(4).strip().removeprefix("T")
    try:
        clock = time.fromisoformat(rest.replace(" ", "")) if rest else time(0)
        first = date(year, month, 1)
    except ValueError:
        return None
    if not 1 <= day <= 31:
        return None
    moment = datetime.combine(first, clock.replace(microsecond=0, tzinfo=clock.tzinfo or zone))
    return moment + timedelta(days=day - 1)


def _option(code: str, data: Any) -> Any:
    if not isinstance(data, str):
        raise _string_required(code, data)
    return data


def _reference(code: str, data: Any) -> Any:
    if not isinstance(data, str):
        raise _expected(code, "a string", data)
    return data


def _list_of(thing: str, *, ordered: bool = False) -> Callable[[str, Any], Any]:
    def make(code: str, data: Any) -> Any:
        if not is_array(data):
            raise _expected(code, "an array", data)
        items = list(data.values()) if isinstance(data, dict) else data
        for item in items:
            if not isinstance(item, str):
                raise _structure(code, f"one of the {thing} is not a string")
            if not item.strip():
                raise _structure(code, f"one of the {thing} is an empty string")
        return list(items) if ordered else sorted(items)

    return make


def _path(code: str, data: Any) -> Any:
    if not isinstance(data, str):
        raise _expected(code, "a string", data)
    return data


def _rows(code: str, data: Any) -> Any:
    """Rows with the cells that are filled."""
    if not isinstance(data, list):
        raise _expected(code, "a list of rows", data)
    for row in data:
        if not isinstance(row, dict):
            raise _structure(code, "one of the rows is not an object")
    kept = [{name: cell for name, cell in row.items() if not is_empty(cell)} for row in data]
    return [row for row in kept if row] or None


def _link(code: str, data: Any) -> Any:
    if not is_link(data):
        raise _structure(code, "a link has a type, and either an id or an identifier")
    return data


_MAKERS: dict[str, Callable[[str, Any], Any]] = {
    IDENTIFIER: _identifier,
    TEXT: _text,
    TEXTAREA: _text,
    NUMBER: _number,
    METRIC: _metric,
    PRICE: _price,
    BOOLEAN: _boolean,
    SIMPLE_SELECT: _option,
    MULTI_SELECT: _list_of("options"),
    REFERENCE_SIMPLE: _reference,
    ENTITY_SIMPLE: _reference,
    REFERENCE_MULTI: _list_of("reference data code"),
    ENTITY_MULTI: _list_of("record codes", ordered=True),
    ASSETS: _list_of("asset codes", ordered=True),
    FILE: _path,
    IMAGE: _path,
    TABLE: _rows,
    PRODUCT_LINK: _link,
}
