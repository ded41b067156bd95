"""Asset families, their attributes and options: reading and writing their settings."""

import re
from collections.abc import Mapping
from typing import Any

from simulators.akeneo.catalog import Row
from simulators.akeneo.editions import SAAS_ASSET_TYPES
from simulators.akeneo.phpjson import is_array, items_of
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal

MAX_ATTRIBUTES = 100
MAX_OPTIONS = 100
MAX_LINK_RULES = 2
TYPES = (
    "text",
    "single_option",
    "multiple_options",
    "number",
    "media_file",
    "media_link",
    "boolean",
    "date",
    "record",
)
IMMUTABLE = ("type", "value_per_locale", "value_per_channel")
_CODE = re.compile(r"^[a-zA-Z0-9_]{1,255}\Z")
_FAMILY: Row = {
    "labels": {},
    "attribute_as_main_media": "media",
    "naming_convention": {},
    "product_link_rules": [],
    "transformations": [],
}
_ATTRIBUTE: Row = {
    "labels": {},
    "value_per_locale": False,
    "value_per_channel": False,
    "is_required_for_completeness": False,
    "is_read_only": False,
}
_SETTINGS: dict[str, tuple[str, ...]] = {
    "text": (
        "max_characters",
        "is_textarea",
        "is_rich_text_editor",
        "validation_rule",
        "validation_regexp",
    ),
    "number": ("decimals_allowed", "min_value", "max_value"),
    "media_file": ("media_type", "allowed_extensions", "max_file_size"),
    "media_link": ("media_type", "prefix", "suffix"),
    "record": ("reference_entity",),
}


def family_row(pim: Pim, code: str) -> Row:
    """The family's row, its code in the URL's very case; raises `Refusal` 404."""
    row = pim.catalog.find("asset_families", code)
    if row is None or row["code"] != code:
        raise Refusal(404, f'Asset family "{code}" does not exist.')
    return _FAMILY | row


def attribute_row(pim: Pim, family: str, code: str) -> Row:
    """An attribute of the family; raises `Refusal` 404."""
    family_row(pim, family)
    row = pim.catalog.asset_attributes.get(family, {}).get(code)
    if row is None:
        raise Refusal(404, f'Attribute "{code}" does not exist for the asset family "{family}".')
    return row


def _refuse(what: str, field: str, message: str) -> Refusal:
    return Refusal(
        422,
        f"The {what} has data that does not comply with the business rules.",
        errors=[{"property": field, "message": message}],
    )


def _check_body(what: str, code: str, body: Mapping[str, Any], allowed: set[str]) -> None:
    unknown = sorted(set(body) - allowed)
    if body.get("code", code) != code or unknown:
        field = unknown[0] if unknown else "code"
        text = (
            f"The property {field} is not defined"
            if unknown
            else "The code provided in the URI must be the same as in the request body."
        )
        raise Refusal(
            422,
            f"The {what} has an invalid format.",
            errors=[{"property": field, "message": text}],
        )
    if not is_array(body.get("labels", [])):
        raise _refuse(what, "labels", "Labels must be an object with locales as keys.")
    if _CODE.match(code) is None:
        text = "This field may only contain letters, numbers and underscores."
        raise _refuse(what, "code", text)


def write_family(pim: Pim, code: str, body: Mapping[str, Any]) -> int:
    """Create or update a family; returns 201 or 204, raises `Refusal` 422.

    A new family comes with the attributes `label` and `media`.
    """
    _check_body("asset family", code, body, {"code", "_links", *_FAMILY})
    stored = pim.catalog.find("asset_families", code)
    _check_link_rules(body.get("product_link_rules") or [])
    if stored is None:
        pim.catalog.asset_attributes.setdefault(code, {}).update(_first_attributes())
    attributes = pim.catalog.asset_attributes.get(code, {})
    main = body.get("attribute_as_main_media")
    if main is not None and attributes.get(main, {}).get("type") not in (
        "media_file",
        "media_link",
    ):
        text = f'The attribute "{main}" is not a media file or media link of this family.'
        raise _refuse("asset family", "attribute_as_main_media", text)
    row = _merged(_FAMILY | (stored or {"code": code}), body)
    pim.catalog.rows["asset_families"][code.lower()] = row
    return 201 if stored is None else 204


def _check_link_rules(rules: Any) -> None:
    field = "product_link_rules"
    if not isinstance(rules, list) or not all(_is_link_rule(rule) for rule in rules):
        text = (
            "A rule needs product_selections (each with field, operator and value) "
            "and assign_assets_to (each with mode and attribute)."
        )
        raise _refuse("asset family", field, text)
    if len(rules) > MAX_LINK_RULES:
        text = f"You have reached the limit of {MAX_LINK_RULES} product link rules."
        raise _refuse("asset family", field, text)


def _is_link_rule(rule: Any) -> bool:
    return (
        isinstance(rule, dict)
        and _all_have(rule.get("product_selections"), ("field", "operator", "value"))
        and _all_have(rule.get("assign_assets_to"), ("mode", "attribute"))
    )


def _all_have(entries: Any, keys: tuple[str, ...]) -> bool:
    return (
        isinstance(entries, list)
        and bool(entries)
        and all(isinstance(entry, dict) and all(key in entry for key in keys) for entry in entries)
    )


def _first_attributes() -> dict[str, Row]:
    label = {"code": "label", "type": "text", **_ATTRIBUTE, "value_per_locale": True}
    media = {"code": "media", "type": "media_file", **_ATTRIBUTE, "media_type": "image"}
    return {"label": label, "media": media}


def _merged(row: Row, body: Mapping[str, Any]) -> Row:
    merged = dict(row)
    for key, data in body.items():
        if key == "labels":
            labels = {**(merged.get("labels") or {}), **dict(items_of(data))}
            merged["labels"] = {locale: label for locale, label in labels.items() if label}
        elif key != "_links":
            merged[key] = data
    return merged


def write_attribute(pim: Pim, family: str, code: str, body: Mapping[str, Any]) -> int:
    """Create or update an attribute; returns 201 or 204, raises `Refusal` 404 or 422."""
    family_row(pim, family)
    attributes = pim.catalog.asset_attributes.setdefault(family, {})
    stored = attributes.get(code)
    kind = body.get("type", stored["type"] if stored else None)
    if kind not in TYPES or (kind in SAAS_ASSET_TYPES and not pim.edition.saas):
        raise _refuse("attribute", "type", f'The attribute type "{kind}" does not exist.')
    settings = _SETTINGS.get(str(kind), ())
    allowed = {"code", "type", "_links", *_ATTRIBUTE, *settings}
    _check_body("attribute", code, body, allowed)
    if stored is None and len(attributes) >= MAX_ATTRIBUTES:
        text = f"You have reached the limit of {MAX_ATTRIBUTES} attributes for this asset family."
        raise _refuse("attribute", "code", text)
    for field in IMMUTABLE:
        if stored is not None and field in body and body[field] != stored.get(field):
            raise _refuse("attribute", field, "This property cannot be changed.")
    base = stored or {"code": code, "type": kind, **_ATTRIBUTE, **dict.fromkeys(settings)}
    attributes[code] = _merged(base, body)
    return 201 if stored is None else 204


def write_option(pim: Pim, family: str, attribute: str, code: str, body: Mapping[str, Any]) -> int:
    """Create or update an attribute's option; returns 201 or 204, raises `Refusal`."""
    row = attribute_row(pim, family, attribute)
    if row["type"] not in ("single_option", "multiple_options"):
        raise Refusal(
            404,
            f'Attribute "{attribute}" does not support options for the asset family "{family}".',
        )
    _check_body("option", code, body, {"code", "labels", "_links"})
    options = pim.catalog.asset_options.setdefault((family, attribute), {})
    stored = options.get(code)
    if stored is None and len(options) >= MAX_OPTIONS:
        text = f"You have reached the limit of {MAX_OPTIONS} options for this attribute."
        raise _refuse("option", "code", text)
    options[code] = _merged(stored or {"code": code, "labels": {}}, body)
    return 201 if stored is None else 204
