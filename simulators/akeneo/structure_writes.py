"""Writing structure: one update for every resource, and that of attribute options."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.akeneo import structure_fields as fields
from simulators.akeneo.catalog import DEFAULTS, TYPES, WITH_OPTIONS, Catalog, Row
from simulators.akeneo.phpjson import to_text, type_name
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import (
    PropertyError,
    Refusal,
    Violation,
    documented,
    invalid,
    violation,
)
from simulators.akeneo.structure_fields import Field, label_violations, merged_labels
from simulators.akeneo.value_updates import unknown_property

Check = Callable[[Catalog, Row], list[Violation]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How one resource is written."""

    resource: str
    anchor: str
    code_message: str
    fields: dict[str, Field]
    anchor_end: str = ""
    immutable: tuple[str, ...] = ()
    saas_only: frozenset[str] = frozenset()
    pattern: re.Pattern[str] = re.compile(r"^[a-zA-Z0-9_]+\Z")
    complete: Callable[[Catalog, Row], None] | None = None
    check: Check | None = None


def write_structure(
    pim: Pim, writing: Writing, code: str | None, body: Row, fixed: Row | None = None
) -> int:
    """Create or update one row; returns 201 or 204, raises `Refusal`.

    `code` is the one in the URL, None for a POST; `fixed` are fields that the URL decides.
    """
    catalog = pim.catalog
    stored = catalog.find(writing.resource, code)
    if stored is None and code is not None and body.get("code", code) != code:
        raise Refusal(
            422,
            f'The code "{to_text(body["code"])}" provided in the request body '
            f'must match the code "{code}" provided in the url.',
        )
    base = stored or {"code": code, **DEFAULTS.get(writing.resource, {}), **(fixed or {})}
    try:
        _check_edition(pim, writing, stored, body)
        row = _updated(catalog, writing, base, body)
    except PropertyError as error:
        anchor = writing.anchor if code is None else f"{writing.anchor}__code_"
        anchor = f"{'post' if code is None else 'patch'}_{anchor}"
        raise documented(str(error), anchor + writing.anchor_end) from None
    violations = _violations(catalog, writing, stored, row, code)
    if violations:
        raise invalid(violations)
    if stored is not None:
        row["code"] = stored["code"]
    if writing.complete is not None:
        writing.complete(catalog, row)
    if row != stored:
        row["updated"] = pim.stamp()
    catalog.rows[writing.resource][row["code"].lower()] = row
    catalog.refresh()
    return 201 if stored is None else 204


def _check_edition(pim: Pim, writing: Writing, stored: Row | None, body: Row) -> None:
    """Raise `PropertyError` for properties and attribute types that the edition does not have."""
    for name in body:
        if name in writing.saas_only and not pim.edition.saas:
            raise unknown_property(name)
    if writing.resource != "attributes":
        return
    kind = body.get("type")
    if stored is None and isinstance(kind, str) and kind in TYPES - pim.edition.creatable:
        raise fields.unknown_code("type", "attribute type", "attribute type", kind)
    columns = body.get("table_configuration")
    for column in columns if isinstance(columns, list) else ():
        kind = column.get("data_type") if isinstance(column, dict) else None
        if kind not in pim.edition.column_types:
            raise fields.unknown_code("table_configuration", "data type", "data type", kind)


def _updated(catalog: Catalog, writing: Writing, base: Row, body: Row) -> Row:
    row = dict(base)
    for name, data in body.items():
        if name == "code":
            row["code"] = to_text(fields.scalar(catalog, name, None, data))
            continue
        take = writing.fields.get(name)
        if take is None:
            raise unknown_property(name)
        row[name] = take(catalog, name, base.get(name), data)
    return row


def _violations(
    catalog: Catalog, writing: Writing, stored: Row | None, row: Row, code: str | None
) -> list[Violation]:
    found = writing.check(catalog, row) if writing.check is not None else []
    given = row["code"]
    if not given:
        found.append(violation("code", "This value should not be blank."))
    elif stored is not None and given.lower() != stored["code"].lower():
        found.append(violation("code", "This property cannot be changed."))
    elif stored is None and writing.pattern.match(given) is None:
        found.append(violation("code", writing.code_message))
    elif code is None and catalog.find(writing.resource, given) is not None:
        found.append(violation("code", "This value is already used."))
    for name in writing.immutable:
        if stored is not None and _differs(stored.get(name), row.get(name)):
            found.append(violation(name, "This property cannot be changed."))
    return found + label_violations(catalog, row.get("labels") or {})


def _differs(old: Any, new: Any) -> bool:
    return bool((old or None) != (new or None))


_CODE = re.compile(r"^[a-zA-Z0-9_]+\Z")
_SUPPORTED = ", ".join(f'"{name}"' for name in WITH_OPTIONS)
_PATCH = "patch_attributes__attribute_code__options__code_"
_POST = "post_attributes__attribute_code__options"


def write_option(pim: Pim, attribute: str, code: str | None, body: dict[str, Any]) -> int:
    """Create or update one option; returns 201 or 204, raises `Refusal`.

    `code` is the one in the URL, None for a POST.
    """
    if attribute not in pim.catalog.attributes:
        raise Refusal(404, f'Attribute "{attribute}" does not exist.')
    stored = None if code is None else pim.catalog.options.get(attribute, {}).get(code.lower())
    if stored is None:
        _check_consistency(attribute, code, body)
    try:
        row = _updated_option(pim, stored or _new_option(attribute, code), body)
    except PropertyError as error:
        raise documented(str(error), _POST if code is None else _PATCH) from None
    violations = _check_option(pim, stored, row, attribute)
    if violations:
        raise invalid(violations)
    if stored is not None:
        row["code"] = stored["code"]
    if row["sort_order"] is None:
        row["sort_order"] = _last_position(pim, attribute) + 1
    pim.catalog.options.setdefault(attribute, {})[row["code"].lower()] = row
    return 201 if stored is None else 204


def _check_consistency(attribute: str, code: str | None, body: dict[str, Any]) -> None:
    if body.get("attribute", attribute) != attribute:
        raise Refusal(
            422,
            f'The attribute code "{body["attribute"]}" provided in the request body '
            f'must match the attribute code "{attribute}" provided in the url.',
        )
    if code is not None and body.get("code", code) != code:
        raise Refusal(
            422,
            f'The option code "{body["code"]}" provided in the request body '
            f'must match the option code "{code}" provided in the url.',
        )


def _new_option(attribute: str, code: str | None) -> Row:
    return {"code": code, "attribute": attribute, "sort_order": None, "labels": {}}


def _last_position(pim: Pim, attribute: str) -> int:
    rows = pim.catalog.options.get(attribute, {}).values()
    return max((row["sort_order"] for row in rows), default=0)


def _updated_option(pim: Pim, row: Row, body: dict[str, Any]) -> Row:
    row = dict(row)
    for field, data in body.items():
        match field:
            case "code" | "attribute":
                row[field] = to_text(data)
            case "sort_order":
                if data is not None and (isinstance(data, bool) or not isinstance(data, int)):
                    raise PropertyError(
                        f'Property "sort_order" expects an integer as data, '
                        f'"{type_name(data)}" given.'
                    )
                row[field] = data
            case "labels":
                row[field] = merged_labels(pim.catalog, row["labels"], data)
            case _:
                raise unknown_property(field)
    return row


def _check_option(pim: Pim, stored: Row | None, row: Row, attribute: str) -> list[Violation]:
    code = row["code"]
    found = []
    if stored is not None and code.lower() != stored["code"].lower():
        found.append(violation("code", "This property cannot be changed."))
    elif not code:
        found.append(violation("code", "This value should not be blank."))
    elif _CODE.match(code) is None:
        text = "Option code may contain only letters, numbers and underscores"
        found.append(violation("code", text))
    elif stored is None and pim.catalog.option_code(attribute, code) is not None:
        text = "The same code is already set on another option of this attribute."
        found.append(violation("code", text))
    if row["attribute"] != attribute:
        found.append(violation("attribute", "This property cannot be changed."))
    elif pim.catalog.attributes[attribute].type not in WITH_OPTIONS:
        text = (
            f'Attribute "{attribute}" does not support options. '
            f"Only attributes of type {_SUPPORTED} support options"
        )
        found.append(violation("attribute", text))
    return found + label_violations(pim.catalog, row["labels"])
