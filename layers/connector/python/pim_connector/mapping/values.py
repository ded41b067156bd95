"""What decides the shape and the place of a value: the PIM's structure, or else the mapping."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from pim_connector.mapping.context import Value, single, to_text
from pim_connector.mapping.converters import Refusal, boolean_reader, day_of, iso, read_date
from pim_connector.mapping.language import Defaults, Owner
from pim_connector.mapping.loading import nearest
from pim_connector.mapping.numbers import plain
from pim_connector.mapping.results import Json
from pim_connector.mapping.rules import Beside, CompiledRule
from pim_connector.mapping.steps import as_number

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import Attribute, Structure

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
SELECTS = frozenset({"simple_select", "multi_select"})
MOST_CHARACTERS = {"text": 255, "identifier": 255, "textarea": 65_535}
"""The PIM's own limits, in characters, whatever the attribute allows."""


class Form(Struct, frozen=True, kw_only=True):
    """What decides the shape of one attribute's values: the PIM's word, or else the mapping's."""

    type: str
    attribute: Attribute | None
    structure: Structure | None
    defaults: Defaults
    lowest: Decimal | None = None
    highest: Decimal | None = None
    most_characters: int = 0
    """Of text; the others have no limit of this kind."""


def _form_of(rule: CompiledRule, structure: Structure | None, defaults: Defaults) -> Form:
    """The form of a rule's attribute. Raises Refusal where the PIM has no such attribute."""
    if structure is None or structure.attributes is None:
        guess = "metric" if rule.unit else "price" if rule.currency else "textarea"
        chosen = rule.type or ("table" if rule.columns else guess)
        return Form(
            type=chosen,
            attribute=None,
            structure=structure,
            defaults=defaults,
            most_characters=MOST_CHARACTERS.get(chosen, 0),
        )
    attribute = structure.attribute(rule.attribute)
    if attribute is None:
        near = nearest(rule.attribute, (item.code for item in structure.attributes))
        raise Refusal(f"the PIM has no attribute {rule.attribute}{near}")
    kind = TYPES.get(attribute.type)
    if kind is None:
        raise Refusal(f"attributes of type {attribute.type} cannot be written")
    low = Decimal(attribute.number_min) if attribute.number_min else None
    if kind != "price" and not attribute.negative_allowed:
        low = max(low or Decimal(0), Decimal(0))
    most = MOST_CHARACTERS.get(kind, 0)
    return Form(
        type=kind,
        attribute=attribute,
        structure=structure,
        defaults=defaults,
        lowest=low,
        highest=Decimal(attribute.number_max) if attribute.number_max else None,
        most_characters=min(attribute.max_characters or most, most),
    )


def _place_of(form: Form, said_locale: str | None, said_scope: str | None) -> tuple[str, str]:
    """The locale and channel of a value, "" for none.

    Raises Refusal that says which of them is missing or wrong.
    """
    attribute, structure = form.attribute, form.structure
    locale, scope = said_locale, said_scope
    if attribute is not None:
        locale = _needed(
            attribute.localizable, locale or form.defaults.locale, said_locale, "locale"
        )
        scope = _needed(attribute.scopable, scope or form.defaults.scope, said_scope, "channel")
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


# The rows of a table attribute (https://api.akeneo.com/concepts/products.html).


def _rows_shape(form: Form, rule: CompiledRule) -> Callable[[list[Value], Beside], Json]:
    """How the columns of a rule become a row: a list of one, or of none where all are empty."""
    configured = {
        str(column.get("code")): str(column.get("data_type"))
        for column in (form.attribute.table_configuration if form.attribute else ())
    }
    column_value = _column_value(form)

    def shape(_: list[Value], beside: Beside) -> Json:
        row: dict[str, Json] = {}
        for column in rule.columns:
            values, unit = beside.columns[column.code]
            if configured and column.code not in configured:
                raise Refusal(
                    f"the table has no column {column.code}{nearest(column.code, configured)}"
                )
            value = single(values)
            if value is not None:
                kind = configured.get(column.code) or column.type or "text"
                row[column.code] = column_value(value, kind, unit)
        return [row] if row else []

    return shape


def _column_value(form: Form) -> Callable[[Value, str, str | None], Json]:
    number, boolean = as_number(form.defaults.number), boolean_reader(form.defaults.boolean)

    def shape(value: Value, kind: str, unit: str | None) -> Json:
        if kind == "number":
            return plain(number(value))
        if kind == "measurement":
            if not unit:
                raise Refusal(
                    "the unit of a measurement column is missing: add `unit:` to the column"
                )
            return {"amount": plain(number(value)), "unit": unit}
        if kind == "boolean":
            return value if isinstance(value, bool) else boolean(to_text(value))
        if kind == "date":
            if isinstance(value, date):
                return day_of(value)
            return day_of(read_date(to_text(value), form.defaults.date))
        if kind == "product_link":
            return {"type": "product", "identifier": to_text(value)}
        return to_text(value)

    return shape


# Shapes values as the PIM wants them (https://api.akeneo.com/concepts/products.html).
#
# The attribute's type decides: from the PIM's structure where it is known, else from the mapping.
# What follows from the structure alone is worked out once, when the shape of a place is made.


Shape: TypeAlias = Callable[[list[Value], Beside], Json]
"""The `data` of a value, or the parts of a collection as a list. Raises Refusal.

The values are none of them empty, and there is one at least, but for a table, which has a row
beside them; of media they are the location.
"""


def _shape_of(form: Form, rule: CompiledRule, scope: str) -> Shape:
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
    "table": lambda form, rule, _: _rows_shape(form, rule),
    "product_link": _product_link,
}


# How a rule fits into the PIM: which slot its values are for, and what shapes them.


Place: TypeAlias = tuple[CompiledRule, str | None, str | None]
"""A rule, and the locale and channel that stand beside its values."""
MOST_PLACES = 10_000
"""Fits kept; the file could name any number of locales and channels."""


class Fit(Struct, frozen=True, kw_only=True):
    """A slot, and how it is filled.

    What is a collection takes several values; media lie beside the slots.
    """

    key: tuple[str, str, str, str]
    owner: Owner
    label: str
    shape: Shape
    is_collection: bool
    is_media: bool
    creates_options: bool


class Fits(dict[Place, Fit]):
    """The fits of all rules of a mapping under one structure, each worked out when first asked for.

    Asking raises Refusal where the PIM has no such attribute, or says which locale or channel is
    missing or wrong.
    """

    def __init__(self, structure: Structure | None, defaults: Defaults) -> None:
        super().__init__()
        self.structure = structure
        self.defaults = defaults

    def __missing__(self, place: Place) -> Fit:
        if len(self) >= MOST_PLACES:
            self.clear()
        rule, locale, scope = place
        form = _form_of(rule, self.structure, self.defaults)
        locale, scope = _place_of(form, locale, scope)
        fit = self[place] = Fit(
            key=("values", rule.attribute, locale, scope),
            owner=rule.policy.owner,
            label=rule.reader.label,
            shape=_shape_of(form, rule, scope),
            is_collection=form.type in COLLECTIONS,
            is_media=form.type in MEDIA,
            creates_options=form.type in SELECTS and rule.options == "create",
        )
        return fit
