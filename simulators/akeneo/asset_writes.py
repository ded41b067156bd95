"""Writing assets: format, business rules, and linking them to products."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulators.akeneo.catalog import ASSETS, Row
from simulators.akeneo.phpjson import is_array, is_numeric, items_of
from simulators.akeneo.pim import Asset, Assets, Pim, Product
from simulators.akeneo.product_reading import all_categories
from simulators.akeneo.product_rules import all_values, own_codes
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.value_rules import compiled

_PLACEHOLDER = re.compile(r"\{\{\s*([a-zA-Z0-9_]+)\s*\}\}")


def link_products(pim: Pim, asset: Asset) -> None:
    """Apply every rule of the asset's family to the products that it selects."""
    family = pim.catalog.rows["asset_families"].get(asset.family.lower(), {})
    for rule in family.get("product_link_rules") or []:
        selections = [_filled(selection, asset) for selection in rule["product_selections"]]
        for product in list(pim.products.values()):
            if all(_selected(pim, product, selection) for selection in selections):
                for target in rule["assign_assets_to"]:
                    _assign(pim, product, _filled(target, asset), asset)


def _filled(setting: Any, asset: Asset) -> Any:
    if isinstance(setting, dict):
        return {key: _filled(value, asset) for key, value in setting.items()}
    if isinstance(setting, list):
        return [_filled(value, asset) for value in setting]
    if not isinstance(setting, str):
        return setting
    whole = _PLACEHOLDER.fullmatch(setting.strip())
    if whole is not None:
        return _value(asset, whole.group(1))
    return _PLACEHOLDER.sub(lambda match: str(_value(asset, match.group(1)) or ""), setting)


def _value(asset: Asset, code: str) -> Any:
    return asset.code if code == "code" else asset.values.get((code, None, None))


def _selected(pim: Pim, product: Product, selection: dict[str, Any]) -> bool:
    have = _field(pim, product, selection)
    operator, value = selection["operator"], selection["value"]
    if value is None:
        return False
    wanted = value if isinstance(value, list) else [value]
    texts = {str(item).lower() for item in (have if isinstance(have, list) else [have])}
    match operator:
        case "=" | "EQUALS":
            return have == value or texts == {str(value).lower()}
        case "!=" | "NOT EQUAL":
            return texts != {str(value).lower()}
        case "IN":
            return bool(texts & {str(item).lower() for item in wanted})
        case "NOT IN":
            return not texts & {str(item).lower() for item in wanted}
        case "CONTAINS":
            return isinstance(have, str) and str(value).lower() in have.lower()
        case "STARTS WITH":
            return isinstance(have, str) and have.lower().startswith(str(value).lower())
    return False


def _field(pim: Pim, product: Product, selection: dict[str, Any]) -> Any:
    match selection["field"]:
        case "identifier":
            return pim.identifier_of(product)
        case "family":
            return product.family
        case "enabled":
            return product.enabled
        case "parent":
            return product.parent
        case "categories":
            return all_categories(pim, product)
        case code:
            key = (code, selection.get("channel"), selection.get("locale"))
            return all_values(pim, product).get(key)


def _assign(pim: Pim, product: Product, target: dict[str, Any], asset: Asset) -> None:
    attribute = pim.catalog.attributes.get(target["attribute"])
    own = own_codes(pim, product)
    if attribute is None or attribute.type != ASSETS or attribute.reference_data_name is None:
        return
    if attribute.reference_data_name != asset.family or (own and attribute.code not in own):
        return
    key = (attribute.code, target.get("channel"), target.get("locale"))
    old = product.values.get(key, [])
    new = [asset.code] if target.get("mode") == "replace" else [*old, asset.code]
    product.values[key] = list(dict.fromkeys(new))
    product.updated = pim.stamp()


IGNORED = frozenset(("created", "updated", "_links", "asset_family_identifier"))
_CODE = re.compile(r"^[a-zA-Z0-9_]{1,255}\Z")

Errors = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Where assets, or records of reference entities, are: they are written alike."""

    word: str
    items: Assets
    attributes: dict[str, dict[str, Row]]
    options: dict[tuple[str, str], dict[str, Row]]


def asset_shelf(pim: Pim) -> Shelf:
    """The assets, by asset family."""
    return Shelf(
        word="asset",
        items=pim.assets,
        attributes=pim.catalog.asset_attributes,
        options=pim.catalog.asset_options,
    )


def record_shelf(pim: Pim) -> Shelf:
    """The records, by reference entity."""
    return Shelf(
        word="record",
        items=pim.records,
        attributes=pim.catalog.record_attributes,
        options=pim.catalog.record_options,
    )


def write_asset(pim: Pim, family: str, code: str | None, body: Any) -> int:
    """Create or update one asset, and link a new one to products; returns 201 or 204."""
    status, asset = _write_item(pim, asset_shelf(pim), family, code, body)
    if status == 201:
        link_products(pim, asset)
    return status


def write_record(pim: Pim, entity: str, code: str | None, body: Any) -> int:
    """Create or update one record of a reference entity; returns 201 or 204."""
    given = body.get("code") if isinstance(body, dict) else None
    known = pim.catalog.reference_data.setdefault(entity, {})
    if isinstance(given, str) and given.lower() in known:
        held = pim.records.get(entity, given)
        if held is None:
            pim.records.put(Asset(code=known[given.lower()], family=entity, created=pim.stamp()))
    status, record = _write_item(pim, record_shelf(pim), entity, code, body)
    known[record.code.lower()] = record.code
    return status


def _write_item(
    pim: Pim, shelf: Shelf, family: str, code: str | None, body: Any
) -> tuple[int, Asset]:
    """Create or update one asset or record; raises `Refusal` 422.

    `code` is the one in the URL, None in a list call.
    """
    attributes = shelf.attributes.get(family, {})
    _raise(f"The {shelf.word} has an invalid format.", _format_errors(attributes, body))
    given = body["code"]
    if code is not None and given != code:
        raise Refusal(422, "The code provided in the URI must be the same as in the request body.")
    rules = f"The {shelf.word} has data that does not comply with the business rules."
    if _CODE.match(given) is None:
        text = "This field may only contain letters, numbers and underscores."
        _raise(rules, [{"property": "code", "message": text}])
    stored = shelf.items.get(family, given)
    values = dict(stored.values) if stored is not None else {}
    errors: Errors = []
    for attribute_code, entries in items_of(body.get("values", {})):
        for entry in entries:
            errors += _set(pim, shelf, family, attributes[attribute_code], entry, values)
    _raise(rules, errors)
    kept = _save(pim, shelf, family, given, stored, values)
    return 201 if stored is None else 204, kept


def _raise(message: str, errors: Errors) -> None:
    if errors:
        raise Refusal(422, message, errors=errors)


def _save(
    pim: Pim,
    shelf: Shelf,
    family: str,
    code: str,
    stored: Asset | None,
    values: dict[Any, Any],
) -> Asset:
    if stored is not None and stored.values == values:
        return stored
    now = pim.stamp()
    item = Asset(code=code, family=family, values=values, created=now, updated=now)
    if stored is not None:
        item.code, item.created = stored.code, stored.created
    shelf.items.put(item)
    return item


def _format_errors(attributes: dict[str, Row], body: Any) -> Errors:
    if not isinstance(body, dict):
        return [{"property": "", "message": "Array value found, but an object is required"}]
    errors: Errors = []
    if not isinstance(body.get("code"), str):
        what = "The property code is required" if "code" not in body else "code must be a string"
        errors.append({"property": "code", "message": what})
    for key in body:
        if key not in ("code", "values") and key not in IGNORED:
            errors.append({"property": "", "message": _undefined(key)})
    values = body.get("values", {})
    if not is_array(values) or (isinstance(values, list) and values):
        return [*errors, {"property": "values", "message": "values must be an object"}]
    for code, entries in items_of(values):
        errors += _entry_errors(code, attributes.get(code), entries)
    return errors


def _undefined(key: str) -> str:
    return (
        f"The property {key} is not defined and the definition does not allow additional properties"
    )


def _entry_errors(code: str, attribute: Row | None, entries: Any) -> Errors:
    path = f"values.{code}"
    if attribute is None:
        return [{"property": path, "message": _undefined(code)}]
    if not isinstance(entries, list):
        return [{"property": path, "message": "An array is required"}]
    errors: Errors = []
    for index, entry in enumerate(entries):
        for key in ("locale", "channel", "data"):
            if not isinstance(entry, dict) or key not in entry:
                message = f"The property {key} is required"
                errors.append({"property": f"{path}[{index}].{key}", "message": message})
    return errors or _type_errors(path, attribute, entries)


def _type_errors(path: str, attribute: Row, entries: list[Any]) -> Errors:
    wanted = _TYPES.get(attribute["type"], str)
    return [
        {
            "property": f"{path}[{index}].data",
            "message": f"A {_NAMES[wanted]} or null is required",
        }
        for index, entry in enumerate(entries)
        if entry["data"] is not None and not isinstance(entry["data"], wanted)
    ]


_TYPES: dict[str, type] = {
    "multiple_options": list,
    "boolean": bool,
    "auto_tagging": list,
    "reference_entity_multiple_links": list,
    "asset_collection": list,
}
_NAMES: dict[type, str] = {str: "string", list: "array", bool: "boolean"}


def _set(
    pim: Pim,
    shelf: Shelf,
    family: str,
    attribute: Row,
    entry: dict[str, Any],
    values: dict[Any, Any],
) -> Errors:
    code, channel, locale = attribute["code"], entry["channel"], entry["locale"]
    path = f"values.{code}"
    errors = _place_errors(pim, path, attribute, channel, locale)
    data = entry["data"]
    if data is None or data in ("", []):
        values.pop((code, channel, locale), None)
        return errors
    check = _CHECKS.get(attribute["type"])
    if check is not None:
        message = check(pim, shelf, family, attribute, data)
        if message is not None:
            errors.append({"property": path, "message": message})
    values[(code, channel, locale)] = data
    return errors


def _place_errors(pim: Pim, path: str, attribute: Row, channel: Any, locale: Any) -> Errors:
    code, errors = attribute["code"], []
    per_channel = bool(attribute.get("value_per_channel"))
    per_locale = bool(attribute.get("value_per_locale"))
    if per_channel != (channel is not None):
        said = "A channel is expected" if per_channel else "A channel is not expected"
        errors.append(f'{said} for attribute "{code}".')
    elif channel is not None and pim.catalog.find("channels", channel) is None:
        errors.append(f'The channel "{channel}" does not exist.')
    if per_locale != (locale is not None):
        said = "A locale is expected" if per_locale else "A locale is not expected"
        errors.append(f'{said} for attribute "{code}".')
    elif locale is not None and locale not in pim.catalog.active_locales:
        errors.append(f'The locale "{locale}" is not activated.')
    return [{"property": path, "message": message} for message in errors]


def _text(_: Pim, __: Shelf, ___: str, attribute: Row, data: Any) -> str | None:
    limit = attribute.get("max_characters")
    if limit and len(data) > int(limit):
        return f"This value is too long. It should have {limit} characters or less."
    rule, pattern = attribute.get("validation_rule"), attribute.get("validation_regexp")
    if rule == "email" and re.match(r"^[^\s@]+@[^\s@]+\.[^\s@]+$", data) is None:
        return "This value is not a valid email address."
    if rule == "url" and re.match(r"^https?://\S+$", data) is None:
        return "This value is not a valid URL."
    if rule not in ("regexp", "regular_expression") or not pattern:
        return None
    return None if compiled(pattern).search(data) else "This value is not valid."


def _number(_: Pim, __: Shelf, ___: str, attribute: Row, data: Any) -> str | None:
    if not is_numeric(data):
        return "This value should be a number."
    if not attribute.get("decimals_allowed") and not float(data).is_integer():
        return "This value should not be a decimal number."
    low, high = attribute.get("min_value"), attribute.get("max_value")
    if low is not None and float(data) < float(low):
        return f"This value should be {low} or more."
    if high is not None and float(data) > float(high):
        return f"This value should be {high} or less."
    return None


def _options(_: Pim, shelf: Shelf, family: str, attribute: Row, data: Any) -> str | None:
    known = shelf.options.get((family, attribute["code"]), {})
    for code in data if isinstance(data, list) else [data]:
        if code not in known:
            return f'The option "{code}" does not exist.'
    return None


def _media_file(pim: Pim, _: Shelf, __: str, attribute: Row, data: Any) -> str | None:
    file = pim.assets.media.files.get(data)
    if file is None:
        return f'The file "{data}" was not found.'
    allowed = attribute.get("allowed_extensions") or []
    if allowed and file.extension not in allowed:
        return f"This file extension is not allowed. Allowed extensions: {', '.join(allowed)}."
    limit = attribute.get("max_file_size")
    if limit not in (None, "") and file.size > float(limit) * 1_000_000:
        return f"The file exceeds the maximum size of {limit} MB."
    return None


def _date(_: Pim, __: Shelf, ___: str, ____: Row, data: Any) -> str | None:
    if re.match(r"^\d{4}-\d{2}-\d{2}", data) is None:
        return "This value is not a valid date."
    return None


def _records(pim: Pim, _: Shelf, __: str, attribute: Row, data: Any) -> str | None:
    entity = str(attribute.get("reference_entity") or attribute.get("reference_entity_code") or "")
    known = pim.catalog.reference_data.get(entity, {})
    for code in data if isinstance(data, list) else [data]:
        if code.lower() not in known:
            return f'The record "{code}" of the reference entity "{entity}" does not exist.'
    return None


_CHECKS: dict[str, Callable[[Pim, Shelf, str, Row, Any], str | None]] = {
    "text": _text,
    "number": _number,
    "single_option": _options,
    "multiple_options": _options,
    "media_file": _media_file,
    "image": _media_file,
    "record": _records,
    "reference_entity_single_link": _records,
    "reference_entity_multiple_links": _records,
    "date": _date,
}
