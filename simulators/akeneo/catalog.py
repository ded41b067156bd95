"""The PIM's structure: what attributes, families, channels… there are."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from simulators.akeneo.measurements import STANDARD_MEASUREMENT_FAMILIES

IDENTIFIER = "pim_catalog_identifier"
TEXT = "pim_catalog_text"
TEXTAREA = "pim_catalog_textarea"
NUMBER = "pim_catalog_number"
METRIC = "pim_catalog_metric"
PRICE = "pim_catalog_price_collection"
BOOLEAN = "pim_catalog_boolean"
DATE = "pim_catalog_date"
SIMPLE_SELECT = "pim_catalog_simpleselect"
MULTI_SELECT = "pim_catalog_multiselect"
REFERENCE_SIMPLE = "pim_reference_data_simpleselect"
REFERENCE_MULTI = "pim_reference_data_multiselect"
ENTITY_SIMPLE = "akeneo_reference_entity"
ENTITY_MULTI = "akeneo_reference_entity_collection"
ASSETS = "pim_catalog_asset_collection"
FILE = "pim_catalog_file"
IMAGE = "pim_catalog_image"
TABLE = "pim_catalog_table"
PRODUCT_LINK = "pim_catalog_product_link"

TYPES = frozenset(
    (
        IDENTIFIER,
        TEXT,
        TEXTAREA,
        NUMBER,
        METRIC,
        PRICE,
        BOOLEAN,
        DATE,
        SIMPLE_SELECT,
        MULTI_SELECT,
        REFERENCE_SIMPLE,
        REFERENCE_MULTI,
        ENTITY_SIMPLE,
        ENTITY_MULTI,
        ASSETS,
        FILE,
        IMAGE,
        TABLE,
        PRODUCT_LINK,
    )
)
WITH_OPTIONS = (SIMPLE_SELECT, MULTI_SELECT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """The settings of one attribute that decide how its values look and what they may be."""

    code: str
    type: str
    localizable: bool
    scopable: bool
    unique: bool
    main_identifier: bool
    available_locales: frozenset[str]
    decimals_allowed: bool
    minimum: float | None
    maximum: float | None
    max_characters: int | None
    validation_rule: str | None
    validation_regexp: str | None
    date_min: str | None
    date_max: str | None
    metric_family: str | None
    reference_data_name: str | None
    allowed_extensions: tuple[str, ...]
    max_file_size: float | None
    max_items: int | None
    decimal_places: int | None
    decimal_places_strategy: str | None
    """What becomes of more decimals than that: `forbid`, `round` or `trim`."""
    columns: tuple[dict[str, Any], ...]
    """Of a table, the one that names its rows first."""

    @classmethod
    def from_api(cls, api: Mapping[str, Any], *, main_identifier: bool) -> "Attribute":
        """Read the REST API's attribute object; absent settings have the API's defaults."""
        minimum = _number(api.get("number_min"))
        if api["type"] in (NUMBER, METRIC) and api.get("negative_allowed") is False:
            minimum = max(0.0, minimum) if minimum is not None else 0.0
        return cls(
            code=api["code"],
            type=api["type"],
            localizable=bool(api.get("localizable")),
            scopable=bool(api.get("scopable")),
            unique=bool(api.get("unique")) or api["type"] == IDENTIFIER,
            main_identifier=main_identifier,
            available_locales=frozenset(api.get("available_locales") or ()),
            decimals_allowed=bool(api.get("decimals_allowed")),
            minimum=minimum,
            maximum=_number(api.get("number_max")),
            max_characters=_whole(api.get("max_characters")),
            validation_rule=api.get("validation_rule") or None,
            validation_regexp=api.get("validation_regexp") or None,
            date_min=_day(api.get("date_min")),
            date_max=_day(api.get("date_max")),
            metric_family=api.get("metric_family"),
            reference_data_name=api.get("reference_data_name"),
            allowed_extensions=tuple(api.get("allowed_extensions") or ()),
            max_file_size=_number(api.get("max_file_size")),
            max_items=_whole(api.get("max_items_count")),
            decimal_places=_whole(api.get("decimal_places")),
            decimal_places_strategy=api.get("decimal_places_strategy") or None,
            columns=tuple(api.get("table_configuration") or ()),
        )


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def _whole(value: Any) -> int | None:
    return None if value in (None, "") else int(float(value))


def _day(value: Any) -> str | None:
    return str(value)[:10] if value else None


Row = dict[str, Any]

KEYED_BY_CODE = (
    "attributes",
    "attribute_groups",
    "families",
    "family_variants",
    "channels",
    "categories",
    "association_types",
    "groups",
    "group_types",
    "measurement_families",
    "asset_families",
    "reference_entities",
)


class CatalogError(ValueError):
    """A catalog file that cannot be used; the message says which resource and entry."""


@dataclass(slots=True)
class Catalog:
    """The structure's REST objects by resource and code, with what the rules look up in them.

    Option codes and the codes of families, models… are found without regard to case, as the
    PIM's database does.
    """

    rows: dict[str, dict[str, Row]]
    options: dict[str, dict[str, Row]]
    locales: set[str]
    currencies: dict[str, bool]
    reference_data: dict[str, dict[str, str]]
    asset_attributes: dict[str, dict[str, Row]]
    asset_options: dict[tuple[str, str], dict[str, Row]]
    record_attributes: dict[str, dict[str, Row]]
    record_options: dict[tuple[str, str], dict[str, Row]]
    attributes: dict[str, Attribute] = field(default_factory=dict)
    main_identifier: str = "sku"
    active_locales: set[str] = field(default_factory=set)
    active_currencies: set[str] = field(default_factory=set)
    units: dict[str, dict[str, str]] = field(default_factory=dict)
    symbols: dict[str, dict[str, str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Compute the look-ups anew; call it after a change of attributes, channels or measures."""
        attributes = self.rows["attributes"]
        self.main_identifier = next(
            (row["code"] for row in attributes.values() if row["type"] == IDENTIFIER), "sku"
        )
        for row in attributes.values():
            if row.get("is_main_identifier"):
                self.main_identifier = row["code"]
        self.attributes = {
            row["code"]: Attribute.from_api(
                row, main_identifier=row["code"] == self.main_identifier
            )
            for row in attributes.values()
        }
        channels = self.rows["channels"].values()
        self.active_locales = {code for channel in channels for code in channel["locales"]}
        self.active_currencies = {code for channel in channels for code in channel["currencies"]}
        self.units = {
            family["code"]: {unit.lower(): unit for unit in _units(family)}
            for family in self.rows["measurement_families"].values()
        }
        self.symbols = {
            family["code"]: {code: unit.get("symbol") for code, unit in _units(family).items()}
            for family in self.rows["measurement_families"].values()
        }

    def find(self, resource: str, code: object) -> Row | None:
        """The row of a resource by its code in any case, or None."""
        return self.rows[resource].get(code.lower()) if isinstance(code, str) else None

    def option_code(self, attribute: str, code: str) -> str | None:
        """The option's code as it was created, or None when there is no such option."""
        option = self.options.get(attribute, {}).get(code.lower())
        return option["code"] if option else None

    def family_attributes(self, family: str) -> frozenset[str]:
        """The codes of a family's attributes; the main identifier always belongs to it."""
        row = self.find("families", family)
        return frozenset((*(row["attributes"] if row else ()), self.main_identifier))


def _units(family: Row) -> dict[str, Row]:
    units = family["units"]
    return units if isinstance(units, dict) else {unit["code"]: unit for unit in units}


def load_catalog(file: Path) -> tuple[Catalog, list[Row], list[Row]]:
    """Read a catalog file: the structure, its product models and its products.

    Raises `CatalogError` with the file's name when it is not JSON, or not of that form.
    """
    try:
        data = msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
        return from_resources(data), data.get("product_models", []), data.get("products", [])
    except (OSError, msgspec.DecodeError, CatalogError) as error:
        raise CatalogError(f"{file}: {error}") from error


def from_resources(data: Mapping[str, Any]) -> Catalog:
    """Build the structure from REST objects by resource name; raises `CatalogError`.

    Locales and currencies may be objects with `enabled`, or the lists `locales_enabled` and
    `currencies_enabled` may be given besides; measurement families default to the standard ones.
    """
    data = copy.deepcopy(dict(data))
    rows = {resource: _by_code(resource, data.get(resource, [])) for resource in KEYED_BY_CODE}
    for code in data.get("reference_entity_records", {}):
        rows["reference_entities"].setdefault(code.lower(), {"code": code})
    if not rows["measurement_families"]:
        rows["measurement_families"] = _by_code(
            "measurement_families", copy.deepcopy(STANDARD_MEASUREMENT_FAMILIES)
        )
    _complete(rows)
    catalog = Catalog(
        rows=rows,
        options=_options(data.get("attribute_options", [])),
        locales={_code_of(locale) for locale in data.get("locales", [])},
        currencies=_currencies(data),
        reference_data=_reference_data(data),
        asset_attributes=_by_family("asset_family", data.get("asset_attributes", {})),
        asset_options=_item_options("asset_family", data.get("asset_attribute_options", [])),
        record_attributes=_record_attributes(rows, data),
        record_options=_item_options(
            "reference_entity", data.get("reference_entity_attribute_options", [])
        ),
    )
    catalog.locales |= catalog.active_locales | set(data.get("locales_enabled", ()))
    for code in catalog.active_currencies:
        catalog.currencies.setdefault(code, True)
    return catalog


def _code_of(entry: Any) -> str:
    return str(entry["code"] if isinstance(entry, dict) else entry)


def _by_code(resource: str, entries: Iterable[Any]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("code"), str):
            raise CatalogError(f"{resource}, entry {number}: expected an object with a code")
        found[entry["code"].lower()] = entry
    return found


def _complete(rows: dict[str, dict[str, Row]]) -> None:
    for number, row in enumerate(rows["attributes"].values(), start=1):
        if not isinstance(row.get("type"), str):
            raise CatalogError(f"attributes, entry {number} ({row['code']}): type is missing")
    for resource, defaults in DEFAULTS.items():
        for row in rows[resource].values():
            for key, value in defaults.items():
                row.setdefault(key, copy.copy(value))
    for row in rows["attributes"].values():
        row["localizable"] = bool(row.get("localizable"))
        row["scopable"] = bool(row.get("scopable"))


DEFAULTS: dict[str, Row] = {
    "attributes": {"labels": {}, "group": "other", "available_locales": []},
    "families": {
        "attributes": [],
        "labels": {},
        "attribute_as_label": None,
        "attribute_as_image": None,
        "attribute_requirements": {},
    },
    "family_variants": {"labels": {}, "variant_attribute_sets": []},
    "channels": {
        "labels": {},
        "currencies": [],
        "locales": [],
        "category_tree": "master",
        "conversion_units": {},
    },
    "categories": {"parent": None, "labels": {}},
    "association_types": {"labels": {}, "is_two_way": False, "is_quantified": False},
    "attribute_groups": {"sort_order": 0, "attributes": [], "labels": {}},
    "asset_families": {"labels": {}},
    "reference_entities": {"labels": {}, "image": None},
}


def _options(entries: Iterable[Row]) -> dict[str, dict[str, Row]]:
    options: dict[str, dict[str, Row]] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not {"code", "attribute"} <= entry.keys():
            raise CatalogError(f"attribute_options, entry {number}: code or attribute is missing")
        entry.setdefault("sort_order", number)
        entry.setdefault("labels", {})
        options.setdefault(entry["attribute"], {})[entry["code"].lower()] = entry
    return options


def _currencies(data: Mapping[str, Any]) -> dict[str, bool]:
    found = {
        _code_of(entry): bool(entry.get("enabled", True)) if isinstance(entry, dict) else True
        for entry in data.get("currencies", [])
    }
    return found | dict.fromkeys(data.get("currencies_enabled", ()), True)


def _reference_data(data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    lists = {**data.get("reference_data", {}), **data.get("reference_entity_records", {})}
    known = {
        name: {_code_of(code).lower(): _code_of(code) for code in codes}
        for name, codes in lists.items()
    }
    return {name.removesuffix("s"): codes for name, codes in known.items()} | known


def _record_attributes(
    rows: dict[str, dict[str, Row]], data: Mapping[str, Any]
) -> dict[str, dict[str, Row]]:
    """A reference entity comes with the attributes `label` and `image`."""
    found = _by_family("reference_entity", data.get("reference_entity_attributes", {}))
    for row in rows["reference_entities"].values():
        attributes = found.setdefault(row["code"], {})
        attributes.setdefault("label", {"code": "label", "type": "text", "value_per_locale": True})
        attributes.setdefault("image", {"code": "image", "type": "image"})
    return found


def _by_family(family: str, entries: Any) -> dict[str, dict[str, Row]]:
    if isinstance(entries, dict):
        return {name: {row["code"]: row for row in rows} for name, rows in entries.items()}
    found: dict[str, dict[str, Row]] = {}
    for row in entries:
        found.setdefault(row[family], {})[row["code"]] = row
    return found


def _item_options(family: str, entries: Iterable[Row]) -> dict[tuple[str, str], dict[str, Row]]:
    found: dict[tuple[str, str], dict[str, Row]] = {}
    for row in entries:
        found.setdefault((row[family], row["attribute"]), {})[row["code"]] = row
    return found
