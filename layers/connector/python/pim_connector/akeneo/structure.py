"""The PIM's structure objects as the REST API gives them, reduced to what decides a value's shape.

Field names are the API's own (https://api.akeneo.com/api-reference.html). The API writes "nothing"
as null, `[]` or by leaving the key out; all three are the default here, so a reader never has to
tell them apart. Unknown keys are passed over: Akeneo adds some with every release.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Final, Protocol, TypeVar, get_args

import msgspec

from pim_connector.akeneo.editions import Edition, Feature, edition_of
from pim_connector.errors import ConfigurationError


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


# `Structure`: what the PIM says a value must look like, as data that can be looked things up in.
#
# Everything may be missing, because not every user may read everything and a file may hold only
# what
# somebody needed. So each resource is a tuple of objects, or None for *not known*; and each
# question
# answers None for *not known*, which is not the same as "no" or as an empty set.


Catalog = Mapping[str, Any]
"""The REST API's objects by resource: `{"attributes": [{"code": …}, …], "families": […], …}`."""
SYSTEM: Final = "system_information"
"""The one resource that is an object, not a list."""


class _Coded(Protocol):
    @property
    def code(self) -> str: ...


C = TypeVar("C", bound=_Coded)


class Structure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, dict=True):
    """The structure of one PIM, or the part of it that is known.

    >>> name = {"code": "name", "type": "pim_catalog_text"}
    >>> structure = Structure.from_catalog({"attributes": [name]})
    >>> structure.attribute("name").localizable
    False
    >>> structure.attribute("nmae") is None
    True
    >>> structure.locales is None    # not known, which is not "none"
    True
    """

    edition: Edition | None = msgspec.field(name=SYSTEM, default=None)
    attributes: tuple[Attribute, ...] | None = None
    attribute_options: tuple[AttributeOption, ...] | None = None
    families: tuple[Family, ...] | None = None
    family_variants: tuple[FamilyVariant, ...] | None = None
    channels: tuple[Channel, ...] | None = None
    all_locales: tuple[Locale, ...] | None = msgspec.field(name="locales", default=None)
    all_currencies: tuple[Currency, ...] | None = msgspec.field(name="currencies", default=None)
    categories: tuple[Category, ...] | None = None
    measurement_families: tuple[MeasurementFamily, ...] | None = None
    association_types: tuple[AssociationType, ...] | None = None
    groups: tuple[Group, ...] | None = None
    asset_families: tuple[AssetFamily, ...] | None = None
    asset_attributes: tuple[AssetAttribute, ...] | None = None
    asset_attribute_options: tuple[AssetAttributeOption, ...] | None = None

    @classmethod
    def from_json(cls, data: bytes, *, name: str = "the structure file") -> Structure:
        """Read a structure file. ConfigurationError names the resource, object and key at fault."""
        try:
            catalog = msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{name} is not JSON: {error}") from error
        if not isinstance(catalog, dict):
            raise ConfigurationError(
                f"{name} must hold one JSON object with the PIM's objects by resource,"
                ' for example {"attributes": [{"code": "name", "type": "pim_catalog_text"}]}.'
            )
        return cls.from_catalog(catalog, name=name)

    @classmethod
    def from_catalog(cls, catalog: Catalog, *, name: str = "the structure") -> Structure:
        """Build it from the REST API's objects by resource; other keys are passed over."""
        known = {
            field.name: _objects(name, field.encode_name, catalog[field.encode_name], field.type)
            for field in msgspec.structs.fields(cls)
            if field.encode_name != SYSTEM and catalog.get(field.encode_name) is not None
        }
        system = catalog.get(SYSTEM)
        return cls(edition=edition_of(system) if isinstance(system, dict) else None, **known)

    def to_json(self) -> bytes:
        """Write the same format again, reduced to the keys that are known here; round-trips."""
        return msgspec.json.encode(self)

    def has(self, feature: Feature) -> bool | None:
        """Say whether the PIM's edition has something; None = not known."""
        return None if self.edition is None else self.edition.has(feature)

    def attribute(self, code: str) -> Attribute | None:
        """None: no such attribute, or not among those that were fetched."""
        return self._attributes.get(code)

    def options(self, attribute: str) -> frozenset[str] | None:
        """Tell the option codes of a select, as the PIM spells them. None = not known.

        They are known for every attribute of this structure when options were read at all: a
        select without any then answers an empty set.
        """
        codes = self._option_codes.get(attribute)
        if codes is not None:
            return codes
        known = self.attribute_options is not None and attribute in self._attributes
        return frozenset() if known else None

    def option(self, attribute: str, code: str) -> AttributeOption | None:
        """Look an option up as the PIM does, without regard to upper and lower case."""
        return self._options.get(attribute, {}).get(code.casefold())

    def family(self, code: str) -> Family | None:
        return self._families.get(code)

    def family_variant(self, code: str) -> FamilyVariant | None:
        return self._family_variants.get(code)

    def channel(self, code: str) -> Channel | None:
        return self._channels.get(code)

    def category(self, code: str) -> Category | None:
        return self._categories.get(code)

    def association_type(self, code: str) -> AssociationType | None:
        return self._association_types.get(code)

    def asset_family(self, code: str) -> AssetFamily | None:
        return self._asset_families.get(code)

    def asset_attribute(self, family: str, code: str) -> AssetAttribute | None:
        return self._asset_attributes.get((family, code))

    def asset_options(self, family: str, attribute: str) -> frozenset[str] | None:
        """Tell the option codes of an asset attribute; None = not known."""
        codes = self._asset_options.get((family, attribute))
        if codes is not None:
            return codes
        known = self.asset_attribute_options is not None
        return frozenset() if known and (family, attribute) in self._asset_attributes else None

    def units(self, metric_family: str) -> frozenset[str] | None:
        """Tell the unit codes of a measurement family; None = not known."""
        return self._units.get(metric_family)

    @cached_property
    def locales(self) -> frozenset[str] | None:
        """Codes of the activated locales. The PIM activates what at least one channel uses."""
        if self.channels is not None:
            return frozenset(locale for channel in self.channels for locale in channel.locales)
        return _enabled(self.all_locales)

    @cached_property
    def currencies(self) -> frozenset[str] | None:
        """Codes of the currencies a price may have: those of any channel (the server's rule)."""
        if self.channels is not None:
            return frozenset(code for channel in self.channels for code in channel.currencies)
        return _enabled(self.all_currencies)

    @cached_property
    def main_identifier(self) -> Attribute | None:
        """The attribute that identifies products: the flagged one, or the only one of its type."""
        identifiers = [a for a in self.attributes or () if a.type == "pim_catalog_identifier"]
        flagged = [attribute for attribute in identifiers if attribute.is_main_identifier]
        candidates = flagged or identifiers
        return candidates[0] if len(candidates) == 1 else None

    @cached_property
    def spellings(self) -> dict[str, dict[str, str]]:
        """Codes as the PIM spells them by their folded form, of each resource that is known."""
        known = {
            "categories": self.categories,
            "families": self.families,
            "family_variants": self.family_variants,
            "association_types": self.association_types,
        }
        return {
            resource: {item.code.casefold(): item.code for item in items}
            for resource, items in known.items()
            if items is not None
        }

    @cached_property
    def levels(self) -> dict[str, tuple[frozenset[str], ...]]:
        """Attribute codes by level of each family variant whose family is known, the root first.

        Identifiers and unique attributes that no level names belong to the last one.
        """
        found = {}
        for variant in self.family_variants or ():
            family = self.family(variant.family) if variant.family else None
            # A family without attributes was written by hand or read without them: not known.
            if family is not None and family.attributes and variant.variant_attribute_sets:
                found[variant.code] = self._levels_of(variant, family)
        return found

    def _levels_of(self, variant: FamilyVariant, family: Family) -> tuple[frozenset[str], ...]:
        sets = sorted(variant.variant_attribute_sets, key=lambda one: one.level)
        own = [{*one.attributes, *one.axes} for one in sets]
        left = set(family.attributes).difference(*own)
        last = {
            code
            for code in left
            if (known := self.attribute(code)) is not None
            and (known.unique or known.type == "pim_catalog_identifier")
        }
        own[-1] |= last
        return (frozenset(left - last), *map(frozenset, own))

    @cached_property
    def _attributes(self) -> dict[str, Attribute]:
        return _by_code(self.attributes)

    @cached_property
    def _options(self) -> dict[str, dict[str, AttributeOption]]:
        found: dict[str, dict[str, AttributeOption]] = {}
        for option in self.attribute_options or ():
            found.setdefault(option.attribute, {})[option.code.casefold()] = option
        return found

    @cached_property
    def _option_codes(self) -> dict[str, frozenset[str]]:
        return {
            attribute: frozenset(option.code for option in by_code.values())
            for attribute, by_code in self._options.items()
        }

    @cached_property
    def _families(self) -> dict[str, Family]:
        return _by_code(self.families)

    @cached_property
    def _family_variants(self) -> dict[str, FamilyVariant]:
        return _by_code(self.family_variants)

    @cached_property
    def _channels(self) -> dict[str, Channel]:
        return _by_code(self.channels)

    @cached_property
    def _categories(self) -> dict[str, Category]:
        return _by_code(self.categories)

    @cached_property
    def _association_types(self) -> dict[str, AssociationType]:
        return _by_code(self.association_types)

    @cached_property
    def _units(self) -> dict[str, frozenset[str]]:
        return {item.code: frozenset(item.units) for item in self.measurement_families or ()}

    @cached_property
    def _asset_families(self) -> dict[str, AssetFamily]:
        return _by_code(self.asset_families)

    @cached_property
    def _asset_attributes(self) -> dict[tuple[str, str], AssetAttribute]:
        return {(item.asset_family, item.code): item for item in self.asset_attributes or ()}

    @cached_property
    def _asset_options(self) -> dict[tuple[str, str], frozenset[str]]:
        found: dict[tuple[str, str], set[str]] = {}
        for option in self.asset_attribute_options or ():
            found.setdefault((option.asset_family, option.attribute), set()).add(option.code)
        return {key: frozenset(codes) for key, codes in found.items()}


def _by_code(objects: Iterable[C] | None) -> dict[str, C]:
    return {item.code: item for item in objects or ()}


def _enabled(objects: Iterable[Locale | Currency] | None) -> frozenset[str] | None:
    if objects is None:
        return None
    return frozenset(item.code for item in objects if item.enabled)


def _objects(name: str, resource: str, items: Any, kind: Any) -> tuple[Any, ...]:
    """Convert one resource's list; `kind` is the field's `tuple[T, ...] | None`."""
    if not isinstance(items, list):
        raise ConfigurationError(f"{name}: {resource} must be a list of the PIM's objects.")
    item_type = get_args(get_args(kind)[0])[0]
    return tuple(
        _object(f"{name}: {resource}[{i}]", item, item_type) for i, item in enumerate(items)
    )


def _object(where: str, item: Any, kind: type[Any]) -> Any:
    if not isinstance(item, dict):
        raise ConfigurationError(f"{where} must be an object, not {type(item).__name__}.")
    try:
        return msgspec.convert(_without_nothing(item), kind, strict=False)
    except msgspec.ValidationError as error:
        code = item.get("code")
        raise ConfigurationError(f"{where} (code {code!r}): {error}") from error


def _without_nothing(item: dict[str, Any]) -> dict[str, Any]:
    """Drop null and `[]`, which PHP also writes for an empty map, and nulls inside label maps."""
    kept = {key: value for key, value in item.items() if value is not None and value != []}
    for key in ("labels", "conversion_units"):
        if isinstance(kept.get(key), dict):
            kept[key] = {code: text for code, text in kept[key].items() if text is not None}
    for key in ("number_min", "number_max", "max_file_size", "min_value", "max_value"):
        if key in kept:
            kept[key] = str(kept[key])
    return kept
