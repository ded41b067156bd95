"""Creating and updating attribute options."""

import re
from typing import Any

from simulators.akeneo.attribute import WITH_OPTIONS
from simulators.akeneo.catalog import Row
from simulators.akeneo.labels import label_violations, merged_labels
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
from simulators.akeneo.value_updates import unknown_property

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
        row = _updated(pim, stored or _new(attribute, code), body)
    except PropertyError as error:
        raise documented(str(error), _POST if code is None else _PATCH) from None
    violations = _check(pim, stored, row, attribute)
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


def _new(attribute: str, code: str | None) -> Row:
    return {"code": code, "attribute": attribute, "sort_order": None, "labels": {}}


def _last_position(pim: Pim, attribute: str) -> int:
    rows = pim.catalog.options.get(attribute, {}).values()
    return max((row["sort_order"] for row in rows), default=0)


def _updated(pim: Pim, row: Row, body: dict[str, Any]) -> Row:
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


def _check(pim: Pim, stored: Row | None, row: Row, attribute: str) -> list[Violation]:
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
