"""May an attribute have this number, measure or price?

Source: the PIM's constraints on numbers, metrics and prices, with their messages.
"""

from collections.abc import Iterator
from typing import Any

from simulators.akeneo.attribute import Attribute
from simulators.akeneo.broken_rule import Broken, said
from simulators.akeneo.catalog import Catalog
from simulators.akeneo.phpjson import is_numeric, to_text

PHP_INT_MAX = 9223372036854775807


def _amount(attribute: Attribute, amount: Any, *, ranged: bool = False) -> Iterator[Broken]:
    """Rules of numbers; `ranged`: the range also holds for what is no number, as text."""
    code = attribute.code
    numeric = is_numeric(amount)
    if not numeric:
        yield said(
            "numeric",
            f"The {code} attribute requires a number, "
            f"and the submitted {to_text(amount)} value is not.",
        )
    elif not attribute.decimals_allowed and not float(amount).is_integer():
        yield said(
            "decimal",
            f"The {code} attribute requires a non-decimal value, "
            f"and {to_text(amount)} is not a valid value.",
        )
    if numeric or ranged:
        yield from _range(attribute, amount)


def _range(attribute: Attribute, amount: Any) -> Iterator[Broken]:
    low, high = attribute.minimum, attribute.maximum
    wanted = f"The {attribute.code} attribute requires an equal or"
    if low is not None and _below(amount, low):
        yield said("min", f"{wanted} greater than {to_text(low)} value.", path="range")
    if high is not None and _below(high, amount):
        yield said("max", f"{wanted} lesser than {to_text(high)} value.", path="range")
    elif high is None and is_numeric(amount) and float(amount) > PHP_INT_MAX:
        yield said("max", f"{wanted} lesser than {PHP_INT_MAX} value.", path="range")


def _below(one: Any, other: Any) -> bool:
    if is_numeric(one) and is_numeric(other):
        return float(one) < float(other)
    return to_text(one) < to_text(other)


def check_number(_: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    """A number: told once when it is none."""
    return _amount(attribute, data)


def check_metric(catalog: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    """A measure: its amount and its unit, which belongs to the attribute's family."""
    yield from _amount(attribute, data["amount"], ranged=True)
    if data["unit"].lower() not in catalog.units.get(attribute.metric_family or "", {}):
        yield said("unit", "Please specify a valid metric unit")


def check_price(catalog: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    """Prices: each amount, then the ranges, then the currencies."""
    for check in (_price_amount, _price_range, _price_currency):
        for price in data:
            for template, message, more in check(catalog, attribute, price):
                yield template, message, {"currency": price["currency"], **more}


def _price_amount(_: Catalog, attribute: Attribute, price: Any) -> Iterator[Broken]:
    for template, message, more in _amount(attribute, price["amount"]):
        if template not in ("min", "max"):
            yield template, message, {**more, "path": f".data[{price['currency']}]"}


def _price_range(_: Catalog, attribute: Attribute, price: Any) -> Iterator[Broken]:
    return _range(attribute, price["amount"])


def _price_currency(catalog: Catalog, attribute: Attribute, price: Any) -> Iterator[Broken]:
    currency = price["currency"]
    if currency not in catalog.active_currencies:
        yield said(
            "currency",
            f"Please specify a valid currency for the {attribute.code} attribute, "
            f"the {currency} code was sent.",
            path=f".data[{currency}]",
        )
