"""Shapes values as the PIM wants them (https://api.akeneo.com/concepts/products.html).

The attribute's type decides: from the PIM's structure where it is known, else from the mapping.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from pim_connector.mapping.converters.booleans import read_boolean
from pim_connector.mapping.converters.dates import day_of, iso, read_date
from pim_connector.mapping.converters.numbers import plain, read_number
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import Defaults
from pim_connector.mapping.result import Json, WantedOption
from pim_connector.mapping.rules import Cell, CompiledRule
from pim_connector.mapping.view import Value, present, single, to_text

if TYPE_CHECKING:
    from pim_connector.structure import Attribute, Structure

TYPES = {
    "pim_catalog_identifier": "identifier",
    "pim_catalog_text": "text",
    "pim_catalog_textarea": "textarea",
    "pim_catalog_number": "number",
    "pim_catalog_price_collection": "price",
    "pim_catalog_metric": "metric",
    "pim_catalog_boolean": "boolean",
    "pim_catalog_date": "date",
    "pim_catalog_simpleselect": "simple_select",
    "pim_catalog_multiselect": "multi_select",
    "pim_reference_data_simpleselect": "reference_entity",
    "pim_catalog_reference_data_simpleselect": "reference_entity",
    "pim_reference_data_multiselect": "reference_entity_collection",
    "pim_catalog_reference_data_multiselect": "reference_entity_collection",
    "akeneo_reference_entity": "reference_entity",
    "akeneo_reference_entity_collection": "reference_entity_collection",
    "pim_catalog_asset_collection": "asset_collection",
    "pim_catalog_image": "image",
    "pim_catalog_file": "file",
    "pim_catalog_table": "table",
    "pim_catalog_product_link": "product_link",
}
COLLECTIONS = frozenset(
    {"price", "multi_select", "reference_entity_collection", "asset_collection", "table"}
)
MEDIA = frozenset({"image", "file"})
MOST_PLACES = 10_000
"""Locale and channel pairs kept; the file could name any number of them."""
MOST_CHARACTERS = {"text": 255, "identifier": 255, "textarea": 65_535}
"""The PIM's own limits, in characters, whatever the attribute allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What decides the shape of one attribute's values: the PIM's word, or else the mapping's."""

    type: str
    attribute: Attribute | None
    structure: Structure | None
    defaults: Defaults


class Forms:
    """The forms of all attributes of a mapping under one structure, each worked out once."""

    def __init__(self, structure: Structure | None, defaults: Defaults) -> None:
        self.structure = structure
        self.defaults = defaults
        self._forms: dict[tuple[object, ...], Form] = {}
        self._places: dict[tuple[str, str | None, str | None], tuple[str, str]] = {}

    def of(self, rule: CompiledRule) -> Form:
        """The form of a rule's attribute. Raises Refusal where the PIM has no such attribute."""
        form = self._forms.get(rule.form_key)
        if form is None:
            form = _form_of(rule, self.structure, self.defaults)
            self._forms[rule.form_key] = form
        return form

    def place(self, cell: Cell, form: Form) -> tuple[str, str]:
        """Locale and channel of a value, "" for none. Raises Refusal that says what is missing."""
        if form.attribute is None and form.structure is None:
            return cell.locale or "", cell.scope or ""
        key = (cell.rule.attribute, cell.locale, cell.scope)
        found = self._places.get(key)
        if found is None:
            if len(self._places) >= MOST_PLACES:
                self._places.clear()
            found = self._places[key] = _place(cell, form)
        return found


def _form_of(rule: CompiledRule, structure: Structure | None, defaults: Defaults) -> Form:
    if structure is None or structure.attributes is None:
        guess = "metric" if rule.unit else "price" if rule.currency else "text"
        chosen = rule.type or ("table" if rule.columns else guess)
        return Form(type=chosen, attribute=None, structure=structure, defaults=defaults)
    attribute = structure.attribute(rule.attribute)
    if attribute is None:
        near = nearest(rule.attribute, (item.code for item in structure.attributes))
        raise Refusal(f"the PIM has no attribute {rule.attribute}{near}")
    kind = TYPES.get(attribute.type)
    if kind is None:
        raise Refusal(f"attributes of type {attribute.type} cannot be written")
    return Form(type=kind, attribute=attribute, structure=structure, defaults=defaults)


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean x?`, where something near is known."""
    close = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _place(cell: Cell, form: Form) -> tuple[str, str]:
    attribute, structure = form.attribute, form.structure
    locale, scope = cell.locale, cell.scope
    if attribute is not None:
        locale = _needed(
            attribute.localizable, locale or form.defaults.locale, cell.locale, "locale"
        )
        scope = _needed(attribute.scopable, scope or form.defaults.scope, cell.scope, "channel")
        if locale and attribute.available_locales and locale not in attribute.available_locales:
            raise Refusal(f"the attribute is not available in the locale {locale}", locale)
    if structure is not None:
        _check_place(locale, scope, structure)
    return locale or "", scope or ""


def _needed(wanted: bool, given: str | None, said: str | None, what: str) -> str | None:
    key = "scope" if what == "channel" else what
    if wanted and not given:
        raise Refusal(f"the attribute needs a {what}: add `{key}:` to the rule or to `defaults`")
    if not wanted and said:
        raise Refusal(
            f"the attribute has no {what} in the PIM: remove `{key}:` from the rule", said
        )
    return given if wanted else None


def _check_place(locale: str | None, scope: str | None, structure: Structure) -> None:
    if scope and structure.channels is not None and structure.channel(scope) is None:
        near = nearest(scope, (channel.code for channel in structure.channels))
        raise Refusal(f"the PIM has no channel {scope}{near}", scope)
    if not locale or structure.locales is None:
        return
    if locale not in structure.locales:
        near = nearest(locale, structure.locales)
        raise Refusal(f"the locale {locale} is not activated in the PIM{near}", locale)
    channel = structure.channel(scope) if scope else None
    if channel is not None and locale not in channel.locales:
        raise Refusal(f"the locale {locale} does not belong to the channel {scope}", locale)


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
    most = MOST_CHARACTERS[form.type]
    if form.attribute is not None:
        most = min(form.attribute.max_characters or most, most)
    if len(text) > most:
        raise Refusal(
            f"{len(text)} characters, the attribute takes {most}",
            text if len(text) <= 80 else f"{text[:79]}…",
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
    low = Decimal(attribute.number_min) if attribute.number_min else None
    if form.type != "price" and not attribute.negative_allowed:
        low = max(low or Decimal(0), Decimal(0))
    high = Decimal(attribute.number_max) if attribute.number_max else None
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
        raise Refusal(f"the PIM's {family} has no unit {unit}{nearest(unit, units)}", unit)
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
        raise Refusal(f"the PIM has no option {code}{nearest(code, options)}", code)
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
