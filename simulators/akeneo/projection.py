"""Which values a list shows: `attributes`, `locales` and `scope` of the query.

Source: https://api.akeneo.com/documentation/filter.html#filter-product-values.
"""

from collections.abc import Callable, Mapping
from typing import Any

from simulators.akeneo.catalog import Catalog
from simulators.akeneo.refusal import Refusal

Json = dict[str, Any]


def projection_of(catalog: Catalog, query: Mapping[str, str]) -> Callable[[Json], Json]:
    """What to leave out of each item; raises `Refusal` 422 for what the PIM does not have."""
    scope = query.get("scope")
    attributes = _codes(query.get("attributes"))
    locales = _codes(query.get("locales"))
    channel = catalog.find("channels", scope)
    if scope is not None and channel is None:
        raise Refusal(422, f'Scope "{scope}" does not exist.')
    if locales is not None:
        _check_locales(catalog, locales, scope, channel)
    unknown = [code for code in attributes or () if code not in catalog.attributes]
    if unknown:
        one = len(unknown) == 1
        noun, verb = ("Attribute", "does") if one else ("Attributes", "do")
        raise Refusal(422, f"{noun} {_quoted(unknown)} {verb} not exist.")
    shown_locales = locales if locales is not None else (channel["locales"] if channel else None)

    def project(item: Json) -> Json:
        values = {
            code: [entry for entry in entries if _fits(entry, scope, shown_locales)]
            for code, entries in item["values"].items()
            if attributes is None or code in attributes
        }
        return item | {"values": {code: entries for code, entries in values.items() if entries}}

    return project


def _codes(text: str | None) -> list[str] | None:
    return None if text is None else [code.strip() for code in text.split(",")]


def _quoted(codes: list[str]) -> str:
    return f'"{", ".join(codes)}"'


def _check_locales(
    catalog: Catalog, locales: list[str], scope: str | None, channel: Json | None
) -> None:
    one = len(locales) == 1
    unknown = [code for code in locales if code not in catalog.active_locales]
    if unknown:
        verb = "does not exist or is" if len(unknown) == 1 else "do not exist or are"
        noun = "Locale" if len(unknown) == 1 else "Locales"
        raise Refusal(422, f"{noun} {_quoted(unknown)} {verb} not activated.")
    outside = [code for code in locales if channel and code not in channel["locales"]]
    if outside:
        noun, verb = ("Locale", "is") if one else ("Locales", "are")
        raise Refusal(
            422, f'{noun} {_quoted(outside)} {verb} not activated for the scope "{scope}".'
        )


def _fits(entry: Json, scope: str | None, locales: list[str] | None) -> bool:
    if scope is not None and entry["scope"] not in (None, scope):
        return False
    return locales is None or entry["locale"] is None or entry["locale"] in locales
