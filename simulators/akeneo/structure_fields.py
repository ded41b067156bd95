"""How each field of structure takes data: the rules that speak before validation.

A field is a function of the catalog, its name, the old and the new data; it returns what is
kept, or raises `PropertyError`.
"""

from collections.abc import Callable, Collection
from typing import Any

from simulators.akeneo.catalog import TYPES, Catalog
from simulators.akeneo.phpjson import (
    elements_of,
    is_array,
    is_scalar,
    items_of,
    to_text,
    type_name,
)
from simulators.akeneo.refusal import PropertyError, Violation, violation


def merged_labels(catalog: Catalog, old: Any, data: Any) -> dict[str, Any]:
    """The labels after an update; raises `PropertyError` unless they come by locale.

    Empty labels go; a locale is known in any case and kept as the PIM spells it.
    """
    if not is_array(data):
        raise PropertyError(
            f'Property "labels" expects an array as data, "{type_name(data)}" given.'
        )
    spelled = {code.lower(): code for code in catalog.locales}
    labels = dict(old) if isinstance(old, dict) else {}
    for locale, label in items_of(data):
        labels[spelled.get(str(locale).lower(), str(locale))] = label
    return {locale: label for locale, label in labels.items() if label or _unknown(catalog, locale)}


def _unknown(catalog: Catalog, locale: str) -> bool:
    return bool(catalog.locales) and locale not in catalog.locales


def label_violations(catalog: Catalog, labels: dict[str, Any]) -> list[Violation]:
    """Labels in locales that the PIM does not know."""
    return [
        violation("labels", f'The locale "{locale}" does not exist.')
        for locale in labels
        if _unknown(catalog, locale)
    ]


Field = Callable[[Catalog, str, Any, Any], Any]


def _expected(name: str, what: str, data: Any) -> PropertyError:
    return PropertyError(f'Property "{name}" expects {what} as data, "{type_name(data)}" given.')


def unknown_code(name: str, kind: str, thing: str, code: Any) -> PropertyError:
    """A code that stands for nothing in the PIM."""
    return PropertyError(
        f'Property "{name}" expects a valid {kind}. The {thing} does not exist, "{code}" given.'
    )


def scalar(_: Catalog, name: str, __: Any, data: Any) -> Any:
    """Text or a number; numbers become text."""
    if data is not None and not is_scalar(data):
        raise _expected(name, "a scalar", data)
    return data if data is None or isinstance(data, bool) else to_text(data)


def whole(_: Catalog, name: str, __: Any, data: Any) -> Any:
    """A whole number, also as text."""
    if data is not None and not is_scalar(data):
        raise _expected(name, "a scalar", data)
    return int(data) if isinstance(data, str) and data.lstrip("-").isdigit() else data


def flag(_: Catalog, name: str, __: Any, data: Any) -> Any:
    """True, false, or null where the setting does not apply."""
    if data is not None and not isinstance(data, bool):
        raise _expected(name, "a boolean", data)
    return data


def labels(catalog: Catalog, _: str, old: Any, data: Any) -> Any:
    """Labels by locale, merged."""
    return merged_labels(catalog, old, data)


def texts(_: Catalog, name: str, old: Any, data: Any) -> Any:
    """Texts by locale, merged; empty ones go."""
    if not is_array(data):
        raise _expected(name, "an array", data)
    merged = {**(old or {}), **dict(items_of(data))}
    return {locale: text for locale, text in merged.items() if text}


def plain_list(_: Catalog, name: str, __: Any, data: Any) -> Any:
    """A list of texts, taken as it is."""
    if not is_array(data):
        raise _expected(name, "an array", data)
    return elements_of(data)


def objects(_: Catalog, name: str, old: Any, data: Any) -> Any:
    """An object, merged key by key."""
    if not is_array(data):
        raise _expected(name, "an array", data)
    return {**(old or {}), **dict(items_of(data))}


def codes_of(resource: str, kind: str, thing: str) -> Field:
    """A list of codes of another resource, replaced."""

    def take(catalog: Catalog, name: str, _: Any, data: Any) -> Any:
        if not is_array(data):
            raise _expected(name, "an array", data)
        kept = []
        for code in elements_of(data):
            row = catalog.find(resource, code)
            if row is None:
                raise unknown_code(name, kind, thing, to_text(code))
            kept.append(row["code"])
        return kept

    return take


def code_of(resource: str, kind: str, thing: str) -> Field:
    """The code of another resource, or null."""

    def take(catalog: Catalog, name: str, _: Any, data: Any) -> Any:
        if data is None or data == "":
            return None
        if not is_scalar(data):
            raise _expected(name, "a scalar", data)
        row = catalog.find(resource, to_text(data))
        if row is None:
            raise unknown_code(name, kind, thing, to_text(data))
        return row["code"]

    return take


def _listed(name: str, thing: str, known: Collection[str], data: Any) -> list[str]:
    if not is_array(data):
        raise _expected(name, "an array", data)
    for code in elements_of(data):
        if not is_scalar(code):
            raise PropertyError(
                f'Property "{name}" expects an array with valid data, '
                f"one of the {name} is not a scalar."
            )
        if known and code not in known:
            raise unknown_code(name, f"{thing} code", thing, to_text(code))
    return [to_text(code) for code in elements_of(data)]


def locales(catalog: Catalog, name: str, _: Any, data: Any) -> Any:
    """A list of locale codes."""
    return _listed(name, "locale", catalog.locales, data)


def currencies(catalog: Catalog, name: str, _: Any, data: Any) -> Any:
    """A list of currency codes."""
    return _listed(name, "currency", catalog.currencies, data)


def attribute_type(_: Catalog, name: str, __: Any, data: Any) -> Any:
    """A type that attributes can have."""
    if data is not None and not is_scalar(data):
        raise _expected(name, "a scalar", data)
    if data in (None, ""):
        raise PropertyError(f'Property "{name}" does not expect an empty value.')
    if data not in TYPES:
        raise unknown_code(name, "attribute type", "attribute type", to_text(data))
    return data


def variant_sets(catalog: Catalog, name: str, _: Any, data: Any) -> Any:
    """The levels of a family variant."""
    if not is_array(data):
        raise _expected(name, "an array", data)
    kept = []
    for entry in elements_of(data):
        if not is_array(entry):
            raise PropertyError(f'Property "{name}" expects an array of objects as data.')
        level = entry if isinstance(entry, dict) else {}
        if isinstance(level.get("level"), bool) or not isinstance(level.get("level"), int):
            raise PropertyError(f'Property "{name}" expects an integer as level.')
        known = {}
        for key in ("axes", "attributes"):
            take = codes_of("attributes", "attribute code", "attribute")
            known[key] = take(catalog, name, None, level.get(key, []))
        kept.append({"level": level.get("level"), **known})
    return kept
