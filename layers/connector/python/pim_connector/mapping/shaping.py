"""Shapes values as the PIM wants them (https://api.akeneo.com/concepts/products.html).

The attribute's type decides: from the PIM's structure where it is known, else from the mapping.
What follows from the structure alone is worked out once, when the shape of a place is made.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import TypeAlias

from pim_connector.mapping.converters.booleans import boolean_reader
from pim_connector.mapping.converters.dates import day_of, iso, read_date
from pim_connector.mapping.converters.numbers import plain
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.forms import Form
from pim_connector.mapping.nearest import nearest
from pim_connector.mapping.result import Json
from pim_connector.mapping.rules import Beside, CompiledRule
from pim_connector.mapping.step_kinds import as_number
from pim_connector.mapping.table_shaping import rows_shape
from pim_connector.mapping.view import Value, single, to_text

Shape: TypeAlias = Callable[[list[Value], Beside], Json]
"""The `data` of a value, or the parts of a collection as a list. Raises Refusal.

The values are none of them empty, and there is one at least, but for a table, which has a row
beside them; of media they are the location.
"""


def shape_of(form: Form, rule: CompiledRule, scope: str) -> Shape:
    """How the values of a rule get their shape, in one channel or in none."""
    return _SHAPES[form.type](form, rule, scope)


def _only(values: list[Value]) -> Value:
    if len(values) == 1:
        return values[0]
    value = single(values)
    if value is None:
        raise Refusal("there is no value")
    return value


def _text(form: Form, *_: object) -> Shape:
    most = form.most_characters

    def shape(values: list[Value], _: Beside) -> Json:
        text = to_text(_only(values))
        if len(text) > most:
            raise Refusal(
                f"{len(text)} characters, the attribute takes {most}",
                text if len(text) <= 80 else f"{text[:79]}…",
                advice="shorten it in the ERP, or have the mapping cut it",
            )
        return text

    return shape


def _number(form: Form, *_: object) -> Shape:
    """Text where decimals are allowed (or nothing is known), a whole number where they are not."""
    read = as_number(form.defaults.number)
    low, high = form.lowest, form.highest
    is_whole = form.attribute is not None and not form.attribute.decimals_allowed

    def shape(values: list[Value], _: Beside) -> Json:
        number = read(_only(values))
        if low is not None and number < low:
            raise Refusal(f"the attribute takes no number below {plain(low)}", plain(number))
        if high is not None and number > high:
            raise Refusal(f"the attribute takes no number above {plain(high)}", plain(number))
        if not is_whole:
            return plain(number)
        if number != number.to_integral_value():
            message = "the attribute takes whole numbers only; use the step `round`"
            raise Refusal(message, plain(number))
        return int(number)

    return shape


def _price(form: Form, _: CompiledRule, scope: str) -> Shape:
    amount = _number(form)
    channel = form.structure.channel(scope) if form.structure and scope else None
    known = form.structure.currencies if form.structure else None
    allowed = frozenset(channel.currencies) if channel else known

    def shape(values: list[Value], beside: Beside) -> Json:
        if not beside.currency:
            raise Refusal("the currency is missing: add `currency:` to the rule")
        if allowed is not None and beside.currency not in allowed:
            where = f"in the channel {scope}" if channel else "in the PIM"
            near = nearest(beside.currency, allowed)
            message = f"the currency {beside.currency} is not activated {where}{near}"
            raise Refusal(message, beside.currency)
        return [{"amount": amount(values, beside), "currency": beside.currency}]

    return shape


def _metric(form: Form, *_: object) -> Shape:
    amount = _number(form)
    family = form.attribute.metric_family if form.attribute else None
    units = form.structure.units(family) if form.structure and family else None

    def shape(values: list[Value], beside: Beside) -> Json:
        measured, unit = amount(values, beside), beside.unit
        if not unit:
            raise Refusal("the unit is missing: add `unit:` to the rule")
        if units is not None and unit not in units:
            raise Refusal(
                f"the PIM's {family} has no unit {unit}{nearest(unit, units)}",
                unit,
                advice="have the mapping translate this unit, or correct it in the ERP",
            )
        return {"amount": measured, "unit": unit}

    return shape


def _boolean(form: Form, *_: object) -> Shape:
    read = boolean_reader(form.defaults.boolean)

    def shape(values: list[Value], _: Beside) -> Json:
        value = _only(values)
        return value if isinstance(value, bool) else read(to_text(value))

    return shape


def _date(form: Form, *_: object) -> Shape:
    first = ((form.attribute and form.attribute.date_min) or "")[:10]
    last = ((form.attribute and form.attribute.date_max) or "")[:10]
    with_time = bool(getattr(form.attribute, "display_time", False))

    def shape(values: list[Value], _: Beside) -> Json:
        value = _only(values)
        read = value if isinstance(value, date) else read_date(to_text(value), form.defaults.date)
        day = day_of(read)
        if first and day < first:
            raise Refusal(f"the attribute takes no date before {first}", day)
        if last and day > last:
            raise Refusal(f"the attribute takes no date after {last}", day)
        return iso(read) if with_time and isinstance(read, datetime) else day

    return shape


def _option_of(form: Form, rule: CompiledRule) -> Callable[[Value], str]:
    """The option as the PIM spells it, which compares codes without case."""
    structure, attribute = form.structure, rule.attribute
    options = structure.options(attribute) if structure else None
    if structure is None or options is None:
        return to_text

    def option(value: Value) -> str:
        code = to_text(value)
        known = structure.option(attribute, code)
        if known is not None:
            return known.code
        if rule.options == "reject":
            raise Refusal(
                f"the PIM has no option {code}{nearest(code, options)}",
                code,
                advice=f"add the option to {attribute} in the PIM, or correct the value in the ERP",
            )
        return code

    return option


def _simple_select(form: Form, rule: CompiledRule, _: str) -> Shape:
    option = _option_of(form, rule)
    return lambda values, _: option(_only(values))


def _multi_select(form: Form, rule: CompiledRule, _: str) -> Shape:
    option = _option_of(form, rule)
    return lambda values, _: [option(value) for value in values]


def _codes(*_: object) -> Shape:
    return lambda values, _: [to_text(value) for value in values]


def _code(*_: object) -> Shape:
    return lambda values, _: to_text(_only(values))


def _product_link(_: Form, rule: CompiledRule, __: str) -> Shape:
    is_model = rule.link == "product_model"

    def shape(values: list[Value], _: Beside) -> Json:
        code = to_text(_only(values))
        if is_model:
            return {"type": "product_model", "id": code}
        return {"type": "product", "identifier": code}

    return shape


_SHAPES: dict[str, Callable[[Form, CompiledRule, str], Shape]] = {
    "text": _text,
    "textarea": _text,
    "identifier": _text,
    "number": _number,
    "price": _price,
    "metric": _metric,
    "boolean": _boolean,
    "date": _date,
    "simple_select": _simple_select,
    "multi_select": _multi_select,
    "reference_entity": _code,
    "reference_entity_collection": _codes,
    "asset_collection": _codes,
    "image": _code,
    "file": _code,
    "table": lambda form, rule, _: rows_shape(form, rule),
    "product_link": _product_link,
}
