"""Set-up that is only told in words: attributes, options, locales, channels, products."""

import re
from typing import Any

from simulators.akeneo.catalog import METRIC, Catalog, from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_writes import patch_product

_OPTIONS = re.compile(r"options: ([^;]+)")
_LOCALES = re.compile(r'(?:^|; )locales "([^"]+)"')
_CHANNELS = re.compile(r'"([^"]+)" channel with locales "([^"]+)"')
_EXISTING = re.compile(r"a product exists with ([^;]+)")
_OF_FAMILY = re.compile(r'product "([^"]+)" of that family exists')
_SAME = re.compile(
    r'another product "([^"]+)" already has the same value \("([^"]*)"\) for "(\w+)"'
)
FAMILY = "family"


def told_catalog(base: dict[str, Any], attributes: list[dict[str, Any]], words: str) -> Catalog:
    """The structure that the words describe, with the base's currencies and measures."""
    known = [_attribute(entry) for entry in attributes]
    if not any(entry["type"] == "pim_catalog_identifier" for entry in known):
        known.insert(0, {"code": "sku", "type": "pim_catalog_identifier"})
    resources = base | {
        "attributes": known,
        "attribute_options": _options(words),
        "families": [{"code": FAMILY, "attributes": [entry["code"] for entry in known]}],
        "family_variants": [],
    }
    channels = _CHANNELS.findall(words)
    if channels:
        resources["channels"] = [
            {"code": code, "locales": _split(locales), "currencies": ["USD", "EUR"]}
            for code, locales in channels
        ]
    told = _LOCALES.search(words)
    if told:
        resources["locales"] = [{"code": code} for code in _split(told.group(1))]
        resources["locales_enabled"] = []
    return from_resources(resources)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _attribute(entry: dict[str, Any]) -> dict[str, Any]:
    settings = dict(entry)
    label = settings.pop("label", None)
    settings["labels"] = {"en_US": label} if label else {}
    if isinstance(settings.get("available_locales"), str):
        settings["available_locales"] = _split(settings["available_locales"])
    if settings["type"] == METRIC and "negative_allowed" not in settings:
        settings["negative_allowed"] = True
    return settings


def _options(words: str) -> list[dict[str, Any]]:
    told = _OPTIONS.search(words)
    pairs = [part.split("=", 1) for part in _split(told.group(1))] if told else []
    return [{"attribute": attribute, "code": code} for attribute, code in pairs]


def put_told_products(pim: Pim, words: str) -> None:
    """Create the products that the words speak of."""
    for told in _OF_FAMILY.findall(words):
        patch_product(pim, told, {"family": FAMILY})
    for identifier, data, attribute in _SAME.findall(words):
        _create(pim, identifier, {attribute: data})
    for told in _EXISTING.findall(words):
        values = dict(part.split("=", 1) for part in _split(told))
        identifier = values.pop(pim.catalog.main_identifier)
        _create(pim, identifier, values)


def _create(pim: Pim, identifier: str, values: dict[str, str]) -> None:
    entries = {
        code: [{"locale": None, "scope": None, "data": data}] for code, data in values.items()
    }
    patch_product(pim, identifier, {"values": entries})
