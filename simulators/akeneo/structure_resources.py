"""The resources of the structure that can be written, as one table: fields, rules, messages."""

import re

from simulators.akeneo import structure_fields as fields
from simulators.akeneo.attribute import IDENTIFIER
from simulators.akeneo.catalog import Catalog, Row
from simulators.akeneo.refusal import Violation, violation
from simulators.akeneo.structure_fields import Field
from simulators.akeneo.structure_writes import Writing


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
        ),
        fields.flag,
    ),
    **dict.fromkeys(("max_characters", "sort_order", "minimum_input_length"), fields.whole),
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
