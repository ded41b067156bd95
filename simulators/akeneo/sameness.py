"""When is a value that was sent the value that is there?

Source: the PIM's value comparators. What they call equal is dropped before the update, so it
neither saves the product nor moves its `updated`. Options need no comparison of their own: they
are kept as they were created, in order, whatever case they were sent in.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from simulators.akeneo.attribute import METRIC, NUMBER, PRICE


def same_data(attribute_type: str, old: Any, new: Any) -> bool:
    """Whether two kept data of one attribute type mean the same."""
    if old == new and type(old) is type(new):
        return True
    compare = _COMPARE.get(attribute_type)
    return compare(old, new) if compare is not None and old is not None else False


def _number(old: Any, new: Any) -> bool:
    try:
        return Decimal(str(old)) == Decimal(str(new))
    except InvalidOperation:
        return bool(old == new)


def _metric(old: Any, new: Any) -> bool:
    return bool(old["unit"] == new["unit"]) and _number(old["amount"], new["amount"])


def _cents(price: Any) -> Any:
    try:
        return price["currency"], round(Decimal(str(price["amount"])), 4)
    except InvalidOperation:
        return price["currency"], price["amount"]


def _price(old: Any, new: Any) -> bool:
    return [_cents(price) for price in old] == [_cents(price) for price in new]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    NUMBER: _number,
    METRIC: _metric,
    PRICE: _price,
}
