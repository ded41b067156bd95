"""What an edition of the PIM lacks, the mapper does in another way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulators.akeneo.accounts import Connection
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.editions import EDITIONS
from tests.integration.mapper.examples import CATALOG
from tests.integration.mapper.world import SECRET, World, record

ADDING = """
version: 1
records:
  products:
    path: /items/item
    identifier: sku
    family: {value: shoes}
    add_categories: c
    values:
      name: name
"""
CATEGORIES: list[dict[str, Any]] = [
    {"code": "master", "parent": None},
    {"code": "sale", "parent": "master"},
    {"code": "new", "parent": "master"},
    {"code": "by_hand", "parent": "master"},
]


@pytest.fixture(params=["ce-7.0", "ee-7.0", "ge", "saas"])
def world(request: pytest.FixtureRequest, world: World) -> Iterator[World]:
    world.pim.clear(from_resources({**CATALOG, "categories": CATEGORIES}))
    before = world.pim.edition
    world.pim.become(EDITIONS[request.param])

    world.pim.accounts.connect(Connection(**SECRET))
    yield world
    world.pim.become(before)


def categories(world: World, identifier: str) -> set[str]:
    product = world.pim.product_by_identifier(identifier)
    assert product is not None
    return set(product.categories)


def test_categories_are_added_on_every_edition_and_none_of_others_is_lost(world: World) -> None:
    mapping = world.put_mapping(ADDING)
    world.send("run-1", mapping, [record(1, "a", "<name>A</name><c>sale</c>")])
    world.deliver_all()
    assert world.counts("run-1") == {"created": 1}
    assert categories(world, "a") == {"sale"}
    product = world.pim.product_by_identifier("a")
    assert product is not None
    product.categories.append("by_hand")

    world.send("run-2", mapping, [record(1, "a", "<name>A</name><c>new</c>")])
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}
    assert categories(world, "a") == {"sale", "new", "by_hand"}


def test_what_did_not_change_is_not_read_again(world: World) -> None:
    mapping = world.put_mapping(ADDING)
    world.send("run-1", mapping, [record(1, "a", "<name>A</name><c>sale</c>")])
    world.deliver_all()
    reads = world.calls("GET /products")

    world.send("run-2", mapping, [record(1, "a", "<name>B</name><c>sale</c>")])
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}
    assert world.calls("GET /products") == reads, "only a line that adds asks"
    assert categories(world, "a") == {"sale"}
