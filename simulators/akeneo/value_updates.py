"""Putting the `values` of a body into a product or product model."""

from typing import Any

from simulators.akeneo.attribute import FILE, IMAGE
from simulators.akeneo.entities import Product, ProductModel, Values
from simulators.akeneo.phpjson import elements_of, is_array, items_of, type_name
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import PropertyError
from simulators.akeneo.sameness import same_data
from simulators.akeneo.value_factory import check_place, is_empty, make_data
from simulators.akeneo.value_rules import as_known


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
        return same_data(attribute.type, old, make_data(attribute, entry["data"]))
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
    data = make_data(attribute, entry["data"])
    if attribute.type in (FILE, IMAGE) and data not in pim.media.files:
        raise PropertyError(f'Property "{code}" expects a valid pathname as data, "{data}" given.')
    if data is None:
        entity.values.pop(key, None)
    else:
        entity.values[key] = as_known(pim.catalog, attribute, data)
