"""Structure as GET gives it: attributes, families, channels… and the filters of their lists."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.akeneo.catalog import Catalog, Row
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.refusal import Refusal

OBJECTS = frozenset(
    (
        "labels",
        "guidelines",
        "attribute_requirements",
        "conversion_units",
        "table_configuration",
    )
)
"""Keys whose empty value is `{}`, never `[]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of structure: where its rows are, what it is called, how its list is filtered."""

    path: str
    resource: str
    label: str
    right: str
    show: Callable[[Catalog, Row], Row]


def as_api(row: Row) -> Row:
    """A row with empty objects as objects."""
    return {
        key: {} if key in OBJECTS and not value else value
        for key, value in row.items()
        if key != "updated"
    }


def _show(_: Catalog, row: Row) -> Row:
    return as_api(row)


def _attribute(catalog: Catalog, row: Row) -> Row:
    groups = catalog.rows["attribute_groups"]
    group = groups.get(str(row.get("group", "")).lower(), {})
    return (
        _ATTRIBUTE_DEFAULTS
        | as_api(row)
        | {
            "group_labels": group.get("labels") or {},
            "is_main_identifier": row["code"] == catalog.main_identifier,
        }
    )


def _category(_: Catalog, row: Row) -> Row:
    return {
        "code": row["code"],
        "parent": row["parent"],
        "updated": row.get("updated"),
        "labels": row["labels"] or {},
    }


def _group(catalog: Catalog, row: Row) -> Row:
    codes = [
        attribute["code"]
        for attribute in catalog.rows["attributes"].values()
        if attribute.get("group") == row["code"]
    ]
    return as_api(row) | {"attributes": codes}


_ATTRIBUTE_DEFAULTS: Row = {
    "code": "",
    "type": "",
    "group": None,
    "unique": False,
    "useable_as_grid_filter": False,
    "allowed_extensions": [],
    "metric_family": None,
    "default_metric_unit": None,
    "reference_data_name": None,
    "available_locales": [],
    "max_characters": None,
    "validation_rule": None,
    "validation_regexp": None,
    "wysiwyg_enabled": None,
    "number_min": None,
    "number_max": None,
    "decimals_allowed": None,
    "negative_allowed": None,
    "date_min": None,
    "date_max": None,
    "max_file_size": None,
    "minimum_input_length": None,
    "sort_order": 0,
    "localizable": False,
    "scopable": False,
    "labels": {},
    "guidelines": {},
    "auto_option_sorting": None,
    "default_value": None,
}

KINDS = {
    kind.path: kind
    for kind in (
        Kind(
            path="attributes",
            resource="attributes",
            label="Attribute",
            right="attribute",
            show=_attribute,
        ),
        Kind(
            path="attribute-groups",
            resource="attribute_groups",
            label="Attribute group",
            right="attribute_group",
            show=_group,
        ),
        Kind(path="families", resource="families", label="Family", right="family", show=_show),
        Kind(path="channels", resource="channels", label="Channel", right="channel", show=_show),
        Kind(
            path="categories",
            resource="categories",
            label="Category",
            right="category",
            show=_category,
        ),
        Kind(
            path="association-types",
            resource="association_types",
            label="Association type",
            right="association_type",
            show=_show,
        ),
    )
}


def filtered(rows: list[Row], query: Mapping[str, str]) -> list[Row]:
    """Rows that the `search` parameter lets through; raises `Refusal` 400 or 422."""
    if "search" not in query:
        return rows
    try:
        search = decode(query["search"].encode())
    except InvalidJsonError:
        raise Refusal(400, "The search query parameter must be a valid JSON.") from None
    for field, entries in search.items() if isinstance(search, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            rows = [row for row in rows if _passes(field, entry, row)]
    return rows


def _passes(field: str, entry: Any, row: Row) -> bool:
    if not isinstance(entry, dict) or "operator" not in entry:
        raise Refusal(422, f'Operator is missing for the property "{field}".')
    operator, value = entry["operator"], entry.get("value")
    if field == "is_root":
        return (row.get("parent") is None) == bool(value)
    have = row.get(field)
    if operator == "IN" and isinstance(value, list):
        return have in value
    if operator == "=":
        return bool(have == value)
    if operator == ">" and field == "updated":
        return have is None or str(have) > str(value)
    raise Refusal(
        422,
        f'Filter on property "{field}" is not supported or does not support operator "{operator}"',
    )
