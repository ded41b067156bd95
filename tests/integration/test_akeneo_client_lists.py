"""Every list and upsert of the client against the simulated PIM, and searches by long keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from pim_connector.akeneo import AkeneoClient, ConnectionCredentials, LineOutcome, Refused, Upserted
from pim_connector.akeneo.client import URL_BYTES
from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve

WORDS = {"client_id": "c", "secret": "s", "username": "erp", "password": "p"}
CATALOG: dict[str, Any] = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "color", "type": "pim_catalog_simpleselect"},
        {"code": "size", "type": "pim_catalog_simpleselect"},
    ],
    "attribute_groups": [{"code": "other"}],
    "attribute_options": [{"code": "red", "attribute": "color"}],
    "families": [{"code": "shoes", "attributes": ["sku", "color", "size"]}],
    "channels": [
        {"code": "web", "locales": ["en_US"], "currencies": ["EUR"], "category_tree": "master"}
    ],
    "locales": [{"code": "en_US"}, {"code": "de_DE"}],
    "currencies": [{"code": "EUR", "enabled": True}],
    "categories": [{"code": "master", "parent": None}],
    "association_types": [{"code": "PACK"}],
    "asset_families": [{"code": "packshots"}],
    "asset_attributes": [{"code": "tags", "asset_family": "packshots", "type": "multiple_options"}],
    "asset_attribute_options": [{"code": "new", "asset_family": "packshots", "attribute": "tags"}],
}


class Seen(httpx.BaseTransport):
    """The network, which remembers how long each URL was."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()
        self.lengths: list[int] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.lengths.append(len(request.url.raw_path))
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def client(seen: Seen) -> Iterator[AkeneoClient]:
    pim = Pim(catalog=from_resources(CATALOG))
    pim.accounts.connect(Connection(**WORDS))
    with serve(create_app(pim)) as url:
        credentials = ConnectionCredentials(**WORDS)
        with AkeneoClient(url, credentials, transport=seen) as made:
            yield made


def created(outcomes: list[LineOutcome]) -> list[bool]:
    return [isinstance(outcome, Upserted) and outcome.created for outcome in outcomes]


def codes(items: Iterator[dict[str, Any]]) -> set[str]:
    return {item["code"] for item in items}


def test_every_list_of_structure_can_be_read(client: AkeneoClient) -> None:
    assert codes(client.list_attribute_options("color")) == {"red"}
    assert codes(client.list_categories()) == {"master"}
    assert {"en_US", "de_DE"} <= codes(client.list_locales())
    assert "EUR" in codes(client.list_currencies())
    assert "PACK" in codes(client.list_association_types())
    assert codes(client.list_asset_families()) == {"packshots"}
    assert "tags" in codes(client.list_asset_attributes("packshots"))
    assert codes(client.list_asset_attribute_options("packshots", "tags")) == {"new"}
    family = client.get_asset_family("packshots")
    assert family is not None
    assert family["code"] == "packshots"
    assert client.get_asset_family("Packshots") is None, "these codes know upper and lower case"


UPSERTS: dict[
    str, tuple[Callable[[AkeneoClient, list[Any]], list[LineOutcome]], dict[str, Any]]
] = {
    "attributes": (
        lambda c, lines: c.upsert_attributes(lines),
        {"code": "title", "type": "pim_catalog_text", "group": "other"},
    ),
    "attribute groups": (lambda c, lines: c.upsert_attribute_groups(lines), {"code": "erp"}),
    "families": (
        lambda c, lines: c.upsert_families(lines),
        {"code": "hats", "attributes": ["sku"]},
    ),
    "categories": (
        lambda c, lines: c.upsert_categories(lines),
        {"code": "sale", "parent": "master"},
    ),
    "channels": (
        lambda c, lines: c.upsert_channels(lines),
        {"code": "shop", "locales": ["en_US"], "currencies": ["EUR"], "category_tree": "master"},
    ),
    "association types": (lambda c, lines: c.upsert_association_types(lines), {"code": "SPARE"}),
}


@pytest.mark.parametrize("name", UPSERTS)
def test_structure_is_created_then_updated_then_refused_in_words(
    client: AkeneoClient, name: str
) -> None:
    upsert, item = UPSERTS[name]

    first = upsert(client, [item])
    assert created(first) == [True], first
    assert created(upsert(client, [item])) == [False]
    [refused, taken] = upsert(client, [{"code": "not a code!"}, item])
    assert isinstance(refused, Refused)
    assert refused.message
    assert isinstance(taken, Upserted)


def test_family_variants_are_created_below_their_family(client: AkeneoClient) -> None:
    variant = {
        "code": "by_size",
        "variant_attribute_sets": [{"level": 1, "axes": ["size"], "attributes": ["size", "sku"]}],
    }

    assert created(client.upsert_family_variants("shoes", [variant])) == [True]
    assert codes(client.list_family_variants("shoes")) == {"by_size"}


@pytest.mark.parametrize("letter", ["x", "ü", "漢"])
def test_a_hundred_identifiers_of_255_letters_are_found(
    client: AkeneoClient, seen: Seen, letter: str
) -> None:
    wanted = [f"{number:03}{letter * 252}" for number in range(100)]
    client.upsert_products([{"identifier": identifier} for identifier in wanted])
    seen.lengths.clear()

    search = {"sku": [{"operator": "IN", "value": wanted}]}
    found = [product["identifier"] for product in client.list_products(search)]

    assert sorted(found) == sorted(wanted)
    assert max(seen.lengths) < URL_BYTES + 1000, "the links to next pages add a little"
    single = client.get_product(wanted[7])
    assert single is not None
    assert single["identifier"] == wanted[7]


def test_what_two_parts_of_a_search_find_comes_once(client: AkeneoClient, seen: Seen) -> None:
    long = [f"c{number}_{'x' * 90}" for number in range(60)]
    client.upsert_categories([{"code": code, "parent": "master"} for code in long])
    client.upsert_products([{"identifier": "a", "categories": [long[0], long[-1]]}])
    seen.lengths.clear()

    found = list(client.list_products({"categories": [{"operator": "IN", "value": long}]}))

    assert [product["identifier"] for product in found] == ["a"]
    assert len(seen.lengths) > 1
