"""Shapes values as the PIM wants them (https://api.akeneo.com/concepts/products.html).

The attribute's type decides: from the PIM's structure where it is known, else from the mapping.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from pim_connector.mapping.converters.booleans import read_boolean
from pim_connector.mapping.converters.dates import day_of, iso, read_date
from pim_connector.mapping.converters.numbers import plain, read_number
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.forms import Form
from pim_connector.mapping.nearest import nearest
from pim_connector.mapping.result import Json, WantedOption
from pim_connector.mapping.rules import Cell
from pim_connector.mapping.view import Value, present, single, to_text

if TYPE_CHECKING:
    pass


def shape(cell: Cell, form: Form, scope: str) -> Json:
    """The `data` of a value, or the parts of a collection as a list. Raises Refusal.

    The cell has a value; of media it is the location, of a table one row.
    """
    return _SHAPERS[form.type](cell, form, scope)


def _only(cell: Cell) -> Value:
    value = single(cell.values)
    if value is None:
        raise Refusal("there is no value")
    return value


def _text(cell: Cell, form: Form, _: str) -> Json:
    text = to_text(_only(cell))
    most = form.most_characters
    if len(text) > most:
        raise Refusal(
            f"{len(text)} characters, the attribute takes {most}",
            text if len(text) <= 80 else f"{text[:79]}…",
            advice="shorten it in the ERP, or have the mapping cut it",
        )
    return text


def _number(cell: Cell, form: Form, _: str) -> Json:
    return _amount(_as_number(_only(cell), form), form)


def _as_number(value: Value, form: Form) -> Decimal:
    if isinstance(value, Decimal):
        return value
    return read_number(to_text(value), form.defaults.number)


def _amount(number: Decimal, form: Form) -> Json:
    """Text where decimals are allowed (or nothing is known), a whole number where they are not."""
    attribute = form.attribute
    if attribute is None:
        return plain(number)
    low, high = form.lowest, form.highest
    if low is not None and number < low:
        raise Refusal(f"the attribute takes no number below {plain(low)}", plain(number))
    if high is not None and number > high:
        raise Refusal(f"the attribute takes no number above {plain(high)}", plain(number))
    if attribute.decimals_allowed:
        return plain(number)
    if number != number.to_integral_value():
        raise Refusal("the attribute takes whole numbers only; use the step `round`", plain(number))
    return int(number)


def _price(cell: Cell, form: Form, scope: str) -> Json:
    if not cell.currency:
        raise Refusal("the currency is missing: add `currency:` to the rule")
    known = form.structure.currencies if form.structure else None
    channel = form.structure.channel(scope) if form.structure and scope else None
    allowed = frozenset(channel.currencies) if channel else known
    if allowed is not None and cell.currency not in allowed:
        where = f"in the channel {scope}" if channel else "in the PIM"
        near = nearest(cell.currency, allowed)
        message = f"the currency {cell.currency} is not activated {where}{near}"
        raise Refusal(message, cell.currency)
    amount = _amount(_as_number(_only(cell), form), form)
    return [{"amount": amount, "currency": cell.currency}]


def _metric(cell: Cell, form: Form, _: str) -> Json:
    amount = _amount(_as_number(_only(cell), form), form)
    return {"amount": amount, "unit": _unit(cell.unit, form)}


def _unit(unit: str | None, form: Form) -> str:
    if not unit:
        raise Refusal("the unit is missing: add `unit:` to the rule")
    family = form.attribute.metric_family if form.attribute else None
    units = form.structure.units(family) if form.structure and family else None
    if units is not None and unit not in units:
        raise Refusal(
            f"the PIM's {family} has no unit {unit}{nearest(unit, units)}",
            unit,
            advice="have the mapping translate this unit, or correct it in the ERP",
        )
    return unit


def _boolean(cell: Cell, form: Form, _: str) -> Json:
    value = _only(cell)
    return value if isinstance(value, bool) else read_boolean(to_text(value), form.defaults.boolean)


def _date(cell: Cell, form: Form, _: str) -> Json:
    value = _only(cell)
    read = value if isinstance(value, date) else read_date(to_text(value), form.defaults.date)
    attribute = form.attribute
    day = day_of(read)
    if attribute is not None and attribute.date_min and day < attribute.date_min[:10]:
        raise Refusal(f"the attribute takes no date before {attribute.date_min[:10]}", day)
    if attribute is not None and attribute.date_max and day > attribute.date_max[:10]:
        raise Refusal(f"the attribute takes no date after {attribute.date_max[:10]}", day)
    with_time = bool(getattr(attribute, "display_time", False))
    return iso(read) if with_time and isinstance(read, datetime) else day


def _option(code: str, cell: Cell, form: Form) -> str:
    """The option as the PIM spells it, which compares codes without case."""
    structure, attribute = form.structure, cell.rule.attribute
    options = structure.options(attribute) if structure else None
    if structure is None or options is None:
        return code
    known = structure.option(attribute, code)
    if known is not None:
        return known.code
    if cell.rule.options == "reject":
        raise Refusal(
            f"the PIM has no option {code}{nearest(code, options)}",
            code,
            advice=f"add the option to {attribute} in the PIM, or correct the value in the ERP",
        )
    return code


def _simple_select(cell: Cell, form: Form, _: str) -> Json:
    return _option(to_text(_only(cell)), cell, form)


def _multi_select(cell: Cell, form: Form, _: str) -> Json:
    return [_option(to_text(value), cell, form) for value in present(cell.values)]


def _codes(cell: Cell, _: Form, __: str) -> Json:
    return [to_text(value) for value in present(cell.values)]


def _code(cell: Cell, _: Form, __: str) -> Json:
    return to_text(_only(cell))


def _product_link(cell: Cell, _: Form, __: str) -> Json:
    code = to_text(_only(cell))
    if cell.rule.link == "product_model":
        return {"type": "product_model", "id": code}
    return {"type": "product", "identifier": code}


def _table(cell: Cell, form: Form, _: str) -> Json:
    configured = {
        str(column.get("code")): str(column.get("data_type"))
        for column in (form.attribute.table_configuration if form.attribute else ())
    }
    row: dict[str, Json] = {}
    for column in cell.rule.columns:
        values, unit = cell.columns[column.code]
        if configured and column.code not in configured:
            raise Refusal(
                f"the table has no column {column.code}{nearest(column.code, configured)}"
            )
        value = single(values)
        if value is not None:
            kind = configured.get(column.code) or column.type or "text"
            row[column.code] = _table_cell(value, kind, unit, form)
    return [row] if row else []


def _table_cell(value: Value, kind: str, unit: str | None, form: Form) -> Json:
    if kind == "number":
        return plain(_as_number(value, form))
    if kind == "measurement":
        if not unit:
            raise Refusal("the unit of a measurement column is missing: add `unit:` to the column")
        return {"amount": plain(_as_number(value, form)), "unit": unit}
    if kind == "boolean":
        return (
            value
            if isinstance(value, bool)
            else read_boolean(to_text(value), form.defaults.boolean)
        )
    if kind == "date":
        return day_of(
            value if isinstance(value, date) else read_date(to_text(value), form.defaults.date)
        )
    if kind == "product_link":
        return {"type": "product", "identifier": to_text(value)}
    return to_text(value)


_SHAPERS: dict[str, Callable[[Cell, Form, str], Json]] = {
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
    "table": _table,
    "product_link": _product_link,
}


def wanted_options(cell: Cell, data: Json, form: Form) -> list[WantedOption]:
    """The options a value needs and may create; labels are taken in the order of the values."""
    if form.type not in ("simple_select", "multi_select"):
        return []
    codes = data if isinstance(data, list) else [data]
    wanted = []
    for n, code in enumerate(codes):
        labels = {
            locale: to_text(texts[n])
            for locale, texts in cell.labels.items()
            if n < len(texts) and len(texts) == len(codes) and texts[n] != ""
        }
        wanted.append(WantedOption(attribute=cell.rule.attribute, code=str(code), labels=labels))
    return wanted
