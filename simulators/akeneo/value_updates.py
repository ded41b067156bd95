"""Values of a write: the format of the payload, what is no change, setting them one by one."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from simulators.akeneo.catalog import BOOLEAN, FILE, IMAGE, METRIC, NUMBER, PRICE, Catalog
from simulators.akeneo.phpjson import elements_of, is_array, items_of, type_name
from simulators.akeneo.pim import Pim, Product, ProductModel, Values
from simulators.akeneo.refusal import FORMAT_HINT, PropertyError
from simulators.akeneo.value_factory import check_place, is_empty, make_data
from simulators.akeneo.value_rules import as_known


def same_data(attribute_type: str, old: Any, new: Any) -> bool:
    """Whether two kept data of one attribute type mean the same."""
    if old == new and type(old) is type(new):
        return True
    compare = _COMPARE.get(attribute_type)
    return compare(old, new) if compare is not None and old is not None else False


def _number(old: Any, new: Any) -> bool:
    try:
        return Decimal(str(old)) == Decimal(str(new))
    except InvalidOperation:
        return bool(old == new)


def _metric(old: Any, new: Any) -> bool:
    return bool(old["unit"] == new["unit"]) and _number(old["amount"], new["amount"])


def _cents(price: Any) -> Any:
    try:
        return price["currency"], round(Decimal(str(price["amount"])), 4)
    except InvalidOperation:
        return price["currency"], price["amount"]


def _price(old: Any, new: Any) -> bool:
    return [_cents(price) for price in old] == [_cents(price) for price in new]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    NUMBER: _number,
    METRIC: _metric,
    PRICE: _price,
}


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


def unknown_property(code: object) -> PropertyError:
    """A property, or an attribute of a product model, that the PIM does not have."""
    return PropertyError(f'Property "{code}" does not exist.')


def unknown_attribute(code: object) -> PropertyError:
    """An attribute of a product that the PIM does not have."""
    return PropertyError(f"The {code} attribute does not exist in your PIM.")


def drop_same(pim: Pim, data: Any, known: Values) -> Any:
    """Leave out of a body's values those that the product already has (`known`).

    Raises `PropertyError` for an unknown attribute: this step comes before all others that
    look at an existing product's values.
    """
    if not isinstance(data, dict):
        return data
    for code in data:
        if code not in pim.catalog.attributes:
            raise unknown_attribute(code)
    kept: dict[str, Any] = {}
    for code, entries in data.items():
        if not isinstance(entries, list):
            kept[code] = entries
            continue
        changed = [entry for entry in entries if not _is_same(pim, known, code, entry)]
        if changed:
            kept[code] = changed
    return kept


def _is_same(pim: Pim, known: Values, code: str, entry: Any) -> bool:
    if not isinstance(entry, dict) or not {"locale", "scope", "data"} <= entry.keys():
        return False
    key = (code, entry["scope"], entry["locale"])
    old = known.get(key)
    if is_empty(entry["data"]):
        return old is None
    if old is None:
        return False
    attribute = pim.catalog.attributes[code]
    if attribute.type in (FILE, IMAGE):
        return pim.media.same_content(old, str(entry["data"]))
    try:
        return same_data(attribute.type, old, make_data(attribute, entry["data"], pim.time_zone))
    except PropertyError:
        return False


def set_values(pim: Pim, entity: Product | ProductModel, data: Any) -> None:
    """Set or remove each value; raises `PropertyError` for the first that has no right form."""
    if not is_array(data):
        raise PropertyError(
            f'Property "values" expects an array as data, "{type_name(data)}" given.'
        )
    for code, entries in items_of(data):
        _check_entries(code, entries)
    for code, entries in items_of(data):
        if code not in pim.catalog.attributes:
            is_product = isinstance(entity, Product)
            raise unknown_attribute(code) if is_product else unknown_property(code)
        for entry in elements_of(entries):
            set_value(pim, entity, code, entry)


def _check_entries(code: Any, entries: Any) -> None:
    if not is_array(entries):
        raise PropertyError(
            f'Property "{code}" expects an array as data, "{type_name(entries)}" given.'
        )
    for entry in elements_of(entries):
        if not is_array(entry):
            raise PropertyError(
                f'Property "{code}" expects an array with valid data, '
                "one of the values is not an array."
            )
        for key in ("locale", "scope", "data"):
            if not isinstance(entry, dict) or key not in entry:
                raise PropertyError(f'Property "{code}" expects an array with the key "{key}".')
        for key in ("locale", "scope"):
            if entry[key] is not None and not isinstance(entry[key], str):
                raise PropertyError(
                    f'Property "{code}" expects a product value with a string as {key}, '
                    f'"{type_name(entry[key])}" given.'
                )


def set_value(pim: Pim, entity: Product | ProductModel, code: str, entry: dict[str, Any]) -> None:
    """Set or remove one value: `entry` has `locale`, `scope` and `data`."""
    attribute = pim.catalog.attributes[code]
    channel, locale = entry["scope"], entry["locale"]
    key = (code, channel, locale)
    if is_empty(entry["data"]):
        entity.values.pop(key, None)
        return
    check_place(attribute, channel, locale)
    data = make_data(attribute, entry["data"], pim.time_zone)
    if attribute.type in (FILE, IMAGE) and data not in pim.media.files:
        raise PropertyError(f'Property "{code}" expects a valid pathname as data, "{data}" given.')
    if data is None:
        entity.values.pop(key, None)
    else:
        entity.values[key] = as_known(pim.catalog, attribute, data)
