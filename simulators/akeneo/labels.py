"""Labels of structure: by locale, merged locale by locale."""

from typing import Any

from simulators.akeneo.catalog import Catalog
from simulators.akeneo.phpjson import is_array, items_of, type_name
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
