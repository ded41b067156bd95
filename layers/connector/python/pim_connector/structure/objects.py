"""The PIM's structure objects as the REST API gives them, reduced to what decides a value's shape.

Field names are the API's own (https://api.akeneo.com/api-reference.html). The API writes "nothing"
as null, `[]` or by leaving the key out; all three are the default here, so a reader never has to
tell them apart. Unknown keys are passed over: Akeneo adds some with every release.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Attribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product attribute. Its `type`, `localizable` and `scopable` never change once created."""

    code: str
    type: str
    group: str | None = None
    localizable: bool = False
    scopable: bool = False
    unique: bool = False
    is_main_identifier: bool = False
    available_locales: tuple[str, ...] = ()
    decimals_allowed: bool = False
    negative_allowed: bool = False
    number_min: str | None = None
    number_max: str | None = None
    date_min: str | None = None
    date_max: str | None = None
    max_characters: int | None = None
    validation_rule: str | None = None
    validation_regexp: str | None = None
    wysiwyg_enabled: bool = False
    metric_family: str | None = None
    default_metric_unit: str | None = None
    reference_data_name: str | None = None
    allowed_extensions: tuple[str, ...] = ()
    max_file_size: str | None = None
    table_configuration: tuple[dict[str, Any], ...] = ()
    labels: dict[str, str] = {}


class AttributeOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One choice of a simple or multi select. The PIM compares option codes without case."""

    code: str
    attribute: str
    sort_order: int = 0
    labels: dict[str, str] = {}


class Family(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a kind of product has: its attributes, and which of them each channel requires."""

    code: str
    attributes: tuple[str, ...] = ()
    attribute_as_label: str | None = None
    attribute_as_image: str | None = None
    attribute_requirements: dict[str, tuple[str, ...]] = {}
    labels: dict[str, str] = {}


class VariantAttributeSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One level below the root model: its axes and the attributes that are set there."""

    level: int
    axes: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


class FamilyVariant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a family is split into models and variants. `family` is in the URL, not in the object,
    so whoever reads it from the API adds it.
    """

    code: str
    family: str | None = None
    variant_attribute_sets: tuple[VariantAttributeSet, ...] = ()
    labels: dict[str, str] = {}


class Channel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A channel (`scope` in values) with the locales and currencies it activates."""

    code: str
    locales: tuple[str, ...] = ()
    currencies: tuple[str, ...] = ()
    category_tree: str | None = None
    conversion_units: dict[str, str] = {}
    labels: dict[str, str] = {}


class Locale(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A locale the PIM knows; `enabled` is None where the source does not say."""

    code: str
    enabled: bool | None = None


class Currency(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A currency the PIM knows; `enabled` is None where the source does not say."""

    code: str
    enabled: bool | None = None


class Category(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node of a category tree; the root of a tree has no parent."""

    code: str
    parent: str | None = None
    labels: dict[str, str] = {}


class Unit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit of a measurement family, `METER` with the symbol `m`."""

    code: str
    symbol: str = ""


class MeasurementFamily(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Units that convert into one another, by code."""

    code: str
    standard_unit_code: str | None = None
    units: dict[str, Unit] = {}


class AssociationType(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of link between products. Quantified ones are sent under another key."""

    code: str
    is_two_way: bool = False
    is_quantified: bool = False
    labels: dict[str, str] = {}


class Group(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A product group. The REST API has no list of them, so only files ever name them."""

    code: str
    type: str | None = None


class AssetFamily(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kind of asset. Its code is case-sensitive in URLs, unlike other codes."""

    code: str
    attribute_as_main_media: str | None = None
    naming_convention: dict[str, Any] = {}
    product_link_rules: tuple[dict[str, Any], ...] = ()
    transformations: tuple[dict[str, Any], ...] = ()
    labels: dict[str, str] = {}


class AssetAttribute(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An attribute of an asset family. `asset_family` is in the URL, not in the API's object."""

    code: str
    asset_family: str
    type: str
    value_per_locale: bool = False
    value_per_channel: bool = False
    is_required_for_completeness: bool = False
    is_read_only: bool = False
    max_characters: int | None = None
    is_textarea: bool = False
    is_rich_text_editor: bool = False
    validation_rule: str | None = None
    validation_regexp: str | None = None
    decimals_allowed: bool = False
    min_value: str | None = None
    max_value: str | None = None
    media_type: str | None = None
    allowed_extensions: tuple[str, ...] = ()
    max_file_size: str | None = None
    prefix: str | None = None
    suffix: str | None = None
    reference_entity: str | None = None
    labels: dict[str, str] = {}


class AssetAttributeOption(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One choice of an asset attribute. Family and attribute are in the URL, not in the object."""

    code: str
    asset_family: str
    attribute: str
    labels: dict[str, str] = {}
