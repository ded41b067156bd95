"""An attribute as the rules need it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
        )


def _number(value: Any) -> float | None:
    return None if value in (None, "") else float(value)


def _whole(value: Any) -> int | None:
    return None if value in (None, "") else int(float(value))


def _day(value: Any) -> str | None:
    return str(value)[:10] if value else None
