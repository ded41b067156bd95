"""What decides the shape and the place of a value: the PIM's structure, or else the mapping."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.language import Defaults
from pim_connector.mapping.nearest import nearest
from pim_connector.mapping.rules import CompiledRule

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


def form_of(rule: CompiledRule, structure: Structure | None, defaults: Defaults) -> Form:
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


def place_of(form: Form, said_locale: str | None, said_scope: str | None) -> tuple[str, str]:
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
