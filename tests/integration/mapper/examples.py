"""A small PIM's structure, mappings for it, and records, for the tests of the mapper."""

from __future__ import annotations

from typing import Any

from pim_connector.sync.messages import MessageRecord
from tests.integration.mapper.world import World, record

CATALOG: dict[str, Any] = {
    "locales": [{"code": "en_US", "enabled": True}],
    "currencies": [{"code": "EUR", "enabled": True}],
    "channels": [
        {
            "code": "shop",
            "locales": ["en_US"],
            "currencies": ["EUR"],
            "category_tree": "master",
            "conversion_units": {},
            "labels": {},
        }
    ],
    "categories": [{"code": "master", "parent": None, "labels": {}}],
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier", "unique": True},
        {"code": "name", "type": "pim_catalog_text"},
        {"code": "code", "type": "pim_catalog_text", "max_characters": 5},
        {"code": "ean", "type": "pim_catalog_text", "unique": True},
        {"code": "color", "type": "pim_catalog_simpleselect"},
        {"code": "size", "type": "pim_catalog_simpleselect"},
        {"code": "image", "type": "pim_catalog_image"},
    ],
    "attribute_options": [
        {"code": "red", "attribute": "color", "labels": {}},
        {"code": "s", "attribute": "size", "labels": {}},
        {"code": "m", "attribute": "size", "labels": {}},
    ],
    "families": [
        {
            "code": "shoes",
            "attributes": ["sku", "name", "code", "ean", "color", "size", "image"],
            "attribute_as_label": "name",
            "attribute_requirements": {},
            "labels": {},
        }
    ],
    "association_types": [
        {"code": "UPSELL", "labels": {}, "is_two_way": False, "is_quantified": False},
        {"code": "SET", "labels": {}, "is_two_way": False, "is_quantified": True},
    ],
    "family_variants": [
        {
            "code": "by_size",
            "family": "shoes",
            "labels": {},
            "variant_attribute_sets": [
                {"level": 1, "axes": ["size"], "attributes": ["sku", "size", "ean", "code"]}
            ],
        }
    ],
}

MAPPING = """
version: 1
records:
  products:
    path: /items/item
    identifier: sku
    family: {value: shoes}
    values:
      name: name
      ean: ean
"""


VARIANTS = """
version: 1
records:
  products:
    path: /items/item
    identifier: sku
    parent: parent
    family: {value: shoes}
    values:
      size: size
      code: code
  models:
    path: /items/model
    resource: product_model
    identifier: sku
    family_variant: {value: by_size}
    values:
      name: name
"""

OPTIONS = """
version: 1
records:
  products:
    path: /items/item
    identifier: sku
    values:
      color: {from: color, options: create, labels: {en_US: color}}
"""

DROPPING = """
version: 1
records:
  products:
    path: /items/item
    identifier: sku
    refused: drop_value
    values:
      name: name
      ean: ean
"""


def boots(count: int, name: str = "Boot", first: int = 1) -> list[MessageRecord]:
    numbers = range(first, first + count)
    return [record(n, f"sku-{n}", f"<name>{name} {n}</name>") for n in numbers]


def model(number: int, code: str) -> MessageRecord:
    return record(number, code, "<name>Boots</name>", rule="models")


def variant(number: int, code: str, parent: str, size: str = "s") -> MessageRecord:
    inner = f"<parent>{parent}</parent><size>{size}</size>"
    return record(number, code, inner, parent=parent, family_key=parent)


def reasons(world: World, run: str, number: int) -> str:
    return " ".join(problem.reason for problem in world.outcomes(run)[number].problems)
