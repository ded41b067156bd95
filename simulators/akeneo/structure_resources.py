"""The structure's resources: how each is shown and filtered, and what may be written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from simulators.akeneo import structure_fields as fields
from simulators.akeneo.catalog import IDENTIFIER, Catalog, Row
from simulators.akeneo.editions import SAAS_SETTINGS
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal, Violation, violation
from simulators.akeneo.structure_fields import Field
from simulators.akeneo.structure_writes import Writing

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
    show: Callable[[Pim, Row], Row]


def as_api(row: Row) -> Row:
    """A row with empty objects as objects."""
    return {
        key: {} if key in OBJECTS and not value else value
        for key, value in row.items()
        if key != "updated"
    }


def _show(_: Pim, row: Row) -> Row:
    return as_api(row)


def _attribute(pim: Pim, row: Row) -> Row:
    catalog, saas = pim.catalog, pim.edition.saas
    groups = catalog.rows["attribute_groups"]
    group = groups.get(str(row.get("group", "")).lower(), {})
    defaults = _ATTRIBUTE_DEFAULTS | SAAS_SETTINGS if saas else _ATTRIBUTE_DEFAULTS
    return (
        defaults
        | {key: data for key, data in as_api(row).items() if saas or key not in SAAS_SETTINGS}
        | {
            "group_labels": group.get("labels") or {},
            "is_main_identifier": row["code"] == catalog.main_identifier,
        }
    )


def _category(_: Pim, row: Row) -> Row:
    return {
        "code": row["code"],
        "parent": row["parent"],
        "updated": row.get("updated"),
        "labels": row["labels"] or {},
    }


def _group(pim: Pim, row: Row) -> Row:
    codes = [
        attribute["code"]
        for attribute in pim.catalog.rows["attributes"].values()
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


def _check_attribute(_: Catalog, row: Row) -> list[Violation]:
    return [
        violation(name, "This value should not be blank.")
        for name in ("type", "group")
        if not row.get(name)
    ]


def _complete_attribute(_: Catalog, row: Row) -> None:
    row["localizable"] = bool(row.get("localizable"))
    row["scopable"] = bool(row.get("scopable"))
    if row["type"] == IDENTIFIER:
        row["unique"] = True


def _complete_family(catalog: Catalog, row: Row) -> None:
    main = catalog.main_identifier
    row["attributes"] = sorted({*row["attributes"], main})
    row["attribute_as_label"] = row.get("attribute_as_label") or main
    required = row.get("attribute_requirements") or {}
    row["attribute_requirements"] = {
        channel["code"]: sorted({*required.get(channel["code"], ()), main})
        for channel in catalog.rows["channels"].values()
    }


def _complete_variant(catalog: Catalog, row: Row) -> None:
    sets = row["variant_attribute_sets"]
    for entry in sets:
        entry["attributes"] = list(dict.fromkeys((*entry["axes"], *entry["attributes"])))
    placed = {code for entry in sets for code in entry["attributes"]}
    if sets and catalog.main_identifier not in placed:
        last = max(sets, key=lambda entry: entry["level"])
        last["attributes"].append(catalog.main_identifier)


def _check_variant(catalog: Catalog, row: Row) -> list[Violation]:
    sets = row["variant_attribute_sets"]
    if not sets:
        text = "There should be at least one level defined in the family variant"
        return [violation("variant_attribute_sets", text)]
    family = catalog.family_attributes(row["family"])
    return [
        violation(
            "variant_attribute_sets",
            f'Attribute "{code}" must be an attribute of the family.',
            "attribute of the family" + code,
        )
        for entry in sets
        for code in entry["axes"]
        if code not in family
    ]


_ATTRIBUTE_FIELDS: dict[str, Field] = {
    "type": fields.attribute_type,
    "group": fields.code_of("attribute_groups", "code", "attribute group"),
    "labels": fields.labels,
    "guidelines": fields.texts,
    "allowed_extensions": fields.plain_list,
    "available_locales": fields.locales,
    "table_configuration": fields.plain_list,
    **dict.fromkeys(
        (
            "unique",
            "useable_as_grid_filter",
            "wysiwyg_enabled",
            "decimals_allowed",
            "negative_allowed",
            "localizable",
            "scopable",
            "auto_option_sorting",
            "is_read_only",
            "is_main_identifier",
            "is_mandatory",
            "enable_option_creation_during_import",
            "display_time",
        ),
        fields.flag,
    ),
    **dict.fromkeys(
        (
            "max_characters",
            "sort_order",
            "minimum_input_length",
            "decimal_places",
            "max_items_count",
        ),
        fields.whole,
    ),
    **dict.fromkeys(
        (
            "metric_family",
            "default_metric_unit",
            "reference_data_name",
            "validation_rule",
            "validation_regexp",
            "number_min",
            "number_max",
            "date_min",
            "date_max",
            "max_file_size",
            "default_value",
            "group_labels",
            "decimal_places_strategy",
        ),
        fields.scalar,
    ),
}

WRITINGS = {
    "attributes": Writing(
        resource="attributes",
        anchor="attributes",
        code_message="Attribute code may contain only letters, numbers and underscore",
        fields=_ATTRIBUTE_FIELDS,
        immutable=("type", "localizable", "scopable", "unique", "metric_family"),
        saas_only=frozenset(SAAS_SETTINGS),
        complete=_complete_attribute,
        check=_check_attribute,
    ),
    "attribute-groups": Writing(
        resource="attribute_groups",
        anchor="attribute_groups",
        code_message="Attribute group code may contain only letters, numbers and underscores",
        fields={
            "sort_order": fields.whole,
            "attributes": fields.codes_of("attributes", "attribute code", "attribute"),
            "labels": fields.labels,
        },
    ),
    "families": Writing(
        resource="families",
        anchor="families",
        code_message="Family code may contain only letters, numbers and underscores",
        fields={
            "attributes": fields.codes_of("attributes", "attribute code", "attribute"),
            "attribute_as_label": fields.code_of("attributes", "attribute code", "attribute"),
            "attribute_as_image": fields.code_of("attributes", "attribute code", "attribute"),
            "attribute_requirements": fields.objects,
            "labels": fields.labels,
        },
        complete=_complete_family,
    ),
    "categories": Writing(
        resource="categories",
        anchor="categories",
        code_message="Category code may contain only letters, numbers and underscores",
        fields={
            "parent": fields.code_of("categories", "category code", "category"),
            "labels": fields.labels,
        },
    ),
    "channels": Writing(
        resource="channels",
        anchor="channels",
        code_message=(
            "Channel code may contain only letters, numbers and underscores "
            "and should contain at least one letter"
        ),
        pattern=re.compile(r"^(?=.*[a-zA-Z])[a-zA-Z0-9_]+\Z"),
        fields={
            "category_tree": fields.code_of("categories", "code", "category"),
            "currencies": fields.currencies,
            "locales": fields.locales,
            "conversion_units": fields.objects,
            "labels": fields.labels,
        },
    ),
    "association-types": Writing(
        resource="association_types",
        anchor="association_types",
        code_message="Association type code may contain only letters, numbers and underscores",
        fields={
            "labels": fields.labels,
            "is_two_way": fields.flag,
            "is_quantified": fields.flag,
        },
        immutable=("is_two_way", "is_quantified"),
    ),
}
FAMILY_VARIANTS = Writing(
    resource="family_variants",
    anchor="families__family_code__variants",
    anchor_end="_",
    code_message="Family variant code may contain only letters, numbers and underscores",
    fields={"labels": fields.labels, "variant_attribute_sets": fields.variant_sets},
    complete=_complete_variant,
    check=_check_variant,
)
