"""The look of `values` in a product's body, checked before anything else is.

Source: the PIM's payload format constraint; product models do not have it.
"""

from typing import Any

from simulators.akeneo.attribute import BOOLEAN, PRICE
from simulators.akeneo.catalog import Catalog
from simulators.akeneo.phpjson import elements_of, is_array, items_of, type_name
from simulators.akeneo.refusal import FORMAT_HINT, PropertyError


def check_payload(catalog: Catalog, body: dict[str, Any]) -> None:
    """Raise `PropertyError` for the first value that is not an object with its keys."""
    values = body.get("values")
    if values is None:
        return
    if not is_array(values):
        raise PropertyError("This value should be of type array|(Traversable&ArrayAccess).")
    for code, entries in items_of(values):
        if not is_array(entries):
            raise PropertyError(f'Property "{code}" expect to be an array')
        attribute = catalog.attributes.get(code)
        for entry in elements_of(entries):
            if entry is not None:
                _check_entry(str(code), attribute.type if attribute else "", entry)


def _check_entry(code: str, attribute_type: str, entry: Any) -> None:
    if not is_array(entry):
        raise PropertyError(f'Property "{code}" expect to be an array of array')
    if not isinstance(entry, dict) or "data" not in entry:
        raise PropertyError(
            f'Property "{code}" expects an array with the key "data". {FORMAT_HINT}'
        )
    for key in ("locale", "scope"):
        if entry.get(key) is not None and not isinstance(entry[key], str):
            raise PropertyError(
                f'Property "{code}" expects an array with the key "{key}" as string. {FORMAT_HINT}'
            )
    if attribute_type == PRICE:
        _check_price(code, entry["data"])
    elif attribute_type == BOOLEAN:
        _check_boolean(code, entry["data"])


def _check_price(code: str, data: Any) -> None:
    if not isinstance(data, list) or not all(_is_price(price) for price in data):
        raise PropertyError(
            f'The data format sent for the "{code}" attribute is wrong. '
            "Please, fill in one value per amount field."
        )


def _is_price(price: Any) -> bool:
    return (
        isinstance(price, dict)
        and "amount" in price
        and isinstance(price["amount"], (str, int, float, type(None)))
        and not isinstance(price["amount"], bool)
        and isinstance(price.get("currency"), str)
    )


def _check_boolean(code: str, data: Any) -> None:
    if data is not None and not isinstance(data, bool):
        raise PropertyError(
            f"The {code} attribute requires a boolean value (true or false) as data, "
            f"a {type_name(data)} was detected."
        )


def check_duplicates(body: dict[str, Any]) -> None:
    """Raise `PropertyError` when one attribute, channel and locale is given data twice."""
    values = body.get("values")
    if not isinstance(values, dict):
        return
    for code, entries in values.items():
        if not is_array(entries) or len(entries) < 2:
            continue
        seen = set()
        for entry in elements_of(entries):
            if not isinstance(entry, dict) or entry.get("data") is None:
                continue
            key = (str(entry.get("scope")), str(entry.get("locale")))
            if key in seen:
                raise PropertyError(
                    f'You cannot update the same product value on the "{code}" attribute twice, '
                    "with the same scope and locale."
                )
            seen.add(key)
