"""May the attribute have this value? The rules behind "Validation failed.".

Source: the PIM's value constraints and their messages; the rule table is `_CHECKS`.
"""

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any

from simulators.akeneo.catalog import (
    ASSETS,
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
    Catalog,
)
from simulators.akeneo.media import file_violations
from simulators.akeneo.phpjson import is_numeric, to_text, type_name
from simulators.akeneo.pim import Pim, ValueKey, Values
from simulators.akeneo.refusal import Broken, Violation, said
from simulators.akeneo.table_rules import check_rows, link_problem, spelled_rows

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
    elif attribute.decimal_places_strategy == "forbid":
        yield from _places(attribute, amount)
    if numeric or ranged:
        yield from _range(attribute, amount)


def _places(attribute: Attribute, amount: Any) -> Iterator[Broken]:
    places = attribute.decimal_places
    decimals = Decimal(str(amount).strip()).normalize().as_tuple().exponent
    if places is not None and -int(decimals) > places:
        yield said(
            "places",
            f"The {attribute.code} attribute must not contain more than {places} decimal places, "
            f"and {to_text(amount)} has more.",
        )


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


_EMAIL = re.compile(r"^[^\s@]+@[^\s@]+\.[^\s@]+$")
_URL = re.compile(r"^(https?|ftp)://[^\s/?#]+\.?[^\s/?#]*([/?#]\S*)?$", re.IGNORECASE)
_LENGTHS = {TEXT: 255, IDENTIFIER: 255, TEXTAREA: 65535}


def check_values(pim: Pim, values: Values) -> list[Violation]:
    """Every broken rule of these values, in their order; options' spelling is not corrected."""
    found: list[Violation] = []
    for key, data in values.items():
        attribute = pim.catalog.attributes.get(key[0])
        if attribute is None:
            continue
        for template, message, more in _broken(pim, attribute, key, data):
            found.append(_violation(attribute, key, template, message, more))
    return found


def _violation(
    attribute: Attribute, key: ValueKey, template: str, message: str, more: dict[str, Any]
) -> Violation:
    code, channel, locale = key
    path = f"values[{code}-{channel}-{locale}]{more.pop('path', '')}"
    if attribute.type == IDENTIFIER:
        shown: dict[str, Any] = {"property": "identifier"}
    else:
        shown = {"property": "values", "attribute": code, "locale": locale, "scope": channel}
    return Violation(path=path, template=template, message=message, shown={**shown, **more})


def _broken(pim: Pim, attribute: Attribute, key: ValueKey, data: Any) -> Iterator[Broken]:
    catalog = pim.catalog
    check = _CHECKS.get(attribute.type)
    if check is not None:
        yield from check(catalog, attribute, data)
    if attribute.type in (FILE, IMAGE):
        yield from ((text, text, {}) for text in file_violations(pim.media, attribute, data))
    yield from _pointed_at(pim, attribute, data)
    _, channel, locale = key
    if channel is not None or locale is not None:
        yield from _place(catalog, attribute, channel, locale)


def _pointed_at(pim: Pim, attribute: Attribute, data: Any) -> Iterator[Broken]:
    """Rules that need the PIM's content: assets, rows of tables, links; and how many there are."""
    if attribute.type == ASSETS:
        yield from _assets(pim, attribute, data)
    if attribute.type == TABLE:
        yield from check_rows(pim, attribute, data)
    if attribute.type == PRODUCT_LINK and (problem := link_problem(pim, data)) is not None:
        yield said("link", f"The {attribute.code} attribute: {problem}")
    limit = attribute.max_items
    if limit is not None and isinstance(data, list) and len(data) > limit:
        yield said(
            "items",
            f"The {attribute.code} attribute must not contain more than {limit} items, "
            f"{len(data)} were given.",
        )


def _assets(pim: Pim, attribute: Attribute, data: Any) -> Iterator[Broken]:
    family = attribute.reference_data_name or ""
    unknown = [code for code in data if pim.assets.get(family, code) is None]
    if unknown:
        yield said(
            "assets",
            f'Property "{attribute.code}" expects valid asset codes. The following codes of the '
            f'asset family "{family}" do not exist: "{", ".join(unknown)}"',
        )


def _place(
    catalog: Catalog, attribute: Attribute, channel: str | None, locale: str | None
) -> Iterator[Broken]:
    row = catalog.find("channels", channel) if channel is not None else None
    if channel is not None and row is None:
        yield said(
            "channel",
            f"The {attribute.code} attribute requires a value per channel. "
            f"The {channel} channel (scope) must exist in your PIM",
        )
    if locale is None:
        return
    needs = f"The {attribute.code} attribute requires a valid locale."
    if locale not in catalog.active_locales:
        yield said("locale", f"{needs} The {locale} locale does not exist.")
    elif row is not None and locale not in row["locales"]:
        yield said("bound", f"{needs} The {locale} locale is not bound to the {channel} channel.")
    elif attribute.available_locales and locale not in attribute.available_locales:
        yield said(
            "specific", f"The {locale} locale is not available on the {attribute.code} attribute."
        )


def _text(_: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    code = attribute.code
    if not isinstance(data, str):
        yield said(
            "string", f"The {code} attribute requires a string, a {type_name(data)} was detected."
        )
        return
    limit = attribute.max_characters or _LENGTHS[attribute.type]
    if len(data) > limit:
        yield said(
            "length",
            f"The {code} attribute must not contain more than {limit} characters. "
            "The submitted value is too long.",
        )
    rule = attribute.validation_rule
    if rule == "regexp" and attribute.validation_regexp:
        if compiled(attribute.validation_regexp).search(data) is None:
            yield said(
                "regexp",
                f"The {code} attribute must match the following regular expression: "
                f"{attribute.validation_regexp}.",
            )
    elif rule == "email" and _EMAIL.match(data) is None:
        yield said("email", f"The {code} attribute requires an e-mail address.")
    elif rule == "url" and _URL.match(data) is None:
        yield said("url", f"The {code} attribute requires a url link.")


@lru_cache(maxsize=256)
def compiled(php: str) -> re.Pattern[str]:
    """A PHP pattern with its delimiters and modifiers; one that is no pattern matches all."""
    body, _, modifiers = php[1:].rpartition(php[0])
    flags = re.IGNORECASE if "i" in modifiers else re.NOFLAG
    flags |= re.MULTILINE if "m" in modifiers else re.NOFLAG
    flags |= re.DOTALL if "s" in modifiers else re.NOFLAG
    try:
        return re.compile(body, flags if "u" in modifiers else flags | re.ASCII)
    except re.error:
        return re.compile("")


def _date(_: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    day = data[:10]
    wanted = f"The {attribute.code} attribute requires a date that should be"
    if attribute.date_min and day < attribute.date_min:
        yield said("min", f"{wanted} {attribute.date_min} or after.")
    if attribute.date_max and day > attribute.date_max:
        yield said("max", f"{wanted} {attribute.date_max} or before.")


def _simple_select(catalog: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    if catalog.option_code(attribute.code, data) is None:
        yield said(
            "option", f"The {data} value is not in the {attribute.code} attribute option list."
        )


def _multi_select(catalog: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    repeated = sorted({code for code in data if data.count(code) > 1})
    if repeated:
        subject = "option was" if len(repeated) == 1 else "options were"
        yield said(
            "repeated",
            f'The following {subject} used multiple times: "{", ".join(repeated)}". '
            "Please check your option list again.",
        )
    unknown = {c.lower() for c in data if catalog.option_code(attribute.code, c) is None}
    if unknown:
        yield said(
            "options",
            f"The {', '.join(sorted(unknown))} values are not in the {attribute.code} "
            "attribute option list.",
        )


def _reference(catalog: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    name = attribute.reference_data_name or ""
    if data.lower() not in catalog.reference_data.get(name, {}):
        yield said(
            "reference",
            f'Property "{attribute.code}" expects a valid reference data code. '
            f'The code "{data}" of the reference data "{name}" does not exist',
        )


def _references(catalog: Catalog, attribute: Attribute, data: Any) -> Iterator[Broken]:
    name = attribute.reference_data_name or ""
    known = catalog.reference_data.get(name, {})
    unknown = [code for code in data if code.lower() not in known]
    if unknown:
        yield said(
            "references",
            f'Property "{attribute.code}" expects valid codes. The following codes '
            f'for reference data "{name}" do not exist: "{", ".join(unknown)}"',
        )


_CHECKS: dict[str, Callable[[Catalog, Attribute, Any], Iterator[Broken]]] = {
    IDENTIFIER: _text,
    TEXT: _text,
    TEXTAREA: _text,
    NUMBER: check_number,
    METRIC: check_metric,
    PRICE: check_price,
    DATE: _date,
    SIMPLE_SELECT: _simple_select,
    MULTI_SELECT: _multi_select,
    REFERENCE_SIMPLE: _reference,
    REFERENCE_MULTI: _references,
    ENTITY_SIMPLE: _reference,
    ENTITY_MULTI: _references,
}


def as_known(catalog: Catalog, attribute: Attribute, data: Any) -> Any:
    """The data with options, records and units spelled as they were created."""
    if attribute.type == SIMPLE_SELECT:
        return catalog.option_code(attribute.code, data) or data
    if attribute.type == MULTI_SELECT:
        return sorted(catalog.option_code(attribute.code, code) or code for code in data)
    if attribute.type == METRIC:
        units = catalog.units.get(attribute.metric_family or "", {})
        return {**data, "unit": units.get(data["unit"].lower(), data["unit"])}
    if attribute.type in (REFERENCE_SIMPLE, ENTITY_SIMPLE):
        known = catalog.reference_data.get(attribute.reference_data_name or "", {})
        return known.get(data.lower(), data)
    if attribute.type == TABLE:
        return spelled_rows(catalog, attribute, data)
    if attribute.type in (REFERENCE_MULTI, ENTITY_MULTI):
        known = catalog.reference_data.get(attribute.reference_data_name or "", {})
        return [known.get(code.lower(), code) for code in data]
    return data
