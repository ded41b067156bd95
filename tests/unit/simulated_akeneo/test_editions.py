"""What CE, EE, GE and SaaS have, and what they lack."""

import json
from typing import Any

import httpx
import pytest

from simulators.akeneo.editions import EDITIONS
from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, COLLECTION, RESOURCES, get, value

PLAIN = {
    **RESOURCES,
    "attributes": [
        attribute
        for attribute in RESOURCES["attributes"]
        if attribute["type"].startswith("pim_catalog_")
        and attribute["type"] not in ("pim_catalog_asset_collection", "pim_catalog_table")
    ],
    "families": [],
    "family_variants": [],
    "asset_families": [],
    "asset_attributes": {},
}


def patch(client: httpx.Client, path: str, body: dict[str, Any]) -> httpx.Response:
    return client.patch(API + path, json=body)


def be(client: httpx.Client, edition: str) -> None:
    assert client.put("/_simulator/catalog", json=PLAIN).status_code == 200
    assert client.patch("/_simulator/settings", json={"edition": edition}).status_code == 200


@pytest.mark.parametrize(
    ("edition", "code"), [("ce-7.0", "CE"), ("ee-7.0", "EE"), ("ge", "GE"), ("saas", "Serenity")]
)
def test_system_information_tells_the_edition(
    pim: Pim, client: httpx.Client, edition: str, code: str
) -> None:
    be(client, edition)
    told = get(client, "/system-information")
    assert told["edition"] == code
    assert told["version"].startswith("7.0" if edition.endswith("7.0") else "v20")


@pytest.mark.parametrize(
    ("path", "editions"),
    [
        ("/asset-families", {"ee-7.0", "saas"}),
        ("/products-uuid/search", {"ge", "saas"}),
    ],
)
def test_a_route_that_the_edition_lacks_is_a_404_and_not_in_the_root(
    pim: Pim, client: httpx.Client, path: str, editions: set[str]
) -> None:
    for edition in EDITIONS:
        be(client, edition)
        method = "POST" if path.endswith("search") else "GET"
        answer = client.request(method, API + path, json={} if method == "POST" else None)
        known = [route["route"] for route in client.get(API).json()["routes"].values()]
        assert (answer.status_code == 200) is (edition in editions), edition
        assert (API + path in known) is (edition in editions), edition
        if edition not in editions:
            assert answer.json()["message"] == f'No route found for "{method} {API}{path}"'


@pytest.mark.parametrize("edition", ["ce-7.0", "ee-7.0"])
def test_add_categories_is_no_property_of_7_0(pim: Pim, client: httpx.Client, edition: str) -> None:
    be(client, edition)
    answer = patch(client, "/products/a", {"add_categories": ["tools"]})
    assert answer.status_code == 422
    assert answer.json()["message"].startswith('Property "add_categories" does not exist.')


def test_saas_adds_and_removes_categories_and_leaves_the_others(
    pim: Pim, client: httpx.Client
) -> None:
    be(client, "saas")
    patch(client, "/products/a", {"categories": ["tools"]})
    assert patch(client, "/products/a", {"add_categories": ["drills"]}).status_code == 204
    assert get(client, "/products/a")["categories"] == ["drills", "tools"]
    assert patch(client, "/products/a", {"remove_categories": ["tools"]}).status_code == 204
    assert get(client, "/products/a")["categories"] == ["drills"]
    assert patch(client, "/products/a", {"add_categories": ["nothing"]}).status_code == 422


@pytest.mark.parametrize(("edition", "status"), [("ee-7.0", 422), ("saas", 201)])
def test_only_saas_creates_missing_options(
    pim: Pim, client: httpx.Client, edition: str, status: int
) -> None:
    be(client, edition)
    body = {"values": {"colour": value("violet")}}
    answer = client.patch(f"{API}/products/a?create_missing_options", json=body)
    assert answer.status_code == status
    there = client.get(f"{API}/attributes/colour/options/violet").status_code
    assert (there == 200) is (status == 201)


def test_saas_shows_the_symbol_of_a_unit_and_takes_it_back(pim: Pim, client: httpx.Client) -> None:
    body = {"values": {"weight": value({"amount": "1.5", "unit": "KILOGRAM"})}}
    for edition, symbol in (("ee-7.0", {}), ("saas", {"symbol": "kg"})):
        be(client, edition)
        patch(client, "/products/a", body)
        shown = get(client, "/products/a")["values"]["weight"]
        assert shown[0]["data"] == {"amount": "1.5000", "unit": "KILOGRAM"} | symbol
        assert patch(client, "/products/a", {"values": {"weight": shown}}).status_code == 204


def test_products_are_found_by_a_body_that_is_longer_than_a_url(
    pim: Pim, client: httpx.Client
) -> None:
    be(client, "saas")
    patch(client, "/products/a", {})
    patch(client, "/products/b", {})
    wanted = ["a", *(f"{number:0>200}" for number in range(60))]
    search = json.dumps({"sku": [{"operator": "IN", "value": wanted}]})
    body = {"search": search, "limit": 100, "pagination_type": "search_after"}
    items = client.post(f"{API}/products-uuid/search", json=body).json()["_embedded"]["items"]
    assert [item["values"]["sku"][0]["data"] for item in items] == ["a"]


@pytest.mark.parametrize(
    ("edition", "kind"),
    [
        ("ce-7.0", "pim_catalog_table"),
        ("ce-7.0", "akeneo_reference_entity"),
        ("ge", "pim_catalog_asset_collection"),
        ("ee-7.0", "pim_catalog_product_link"),
    ],
)
def test_structure_that_the_edition_has_no_place_for_is_refused_by_name(
    pim: Pim, client: httpx.Client, edition: str, kind: str
) -> None:
    be(client, edition)
    attribute = {"code": "special", "type": kind, "group": "other"}
    catalog = client.put("/_simulator/catalog", json={"attributes": [attribute]})
    assert catalog.status_code == 422
    assert f"special ({kind})" in catalog.json()["message"]
    created = client.post(f"{API}/attributes", json=attribute)
    assert created.status_code == 422
    assert f'"{kind}" given' in created.json()["message"]


def test_a_pim_cannot_become_an_edition_without_a_place_for_its_structure(
    pim: Pim, client: httpx.Client
) -> None:
    answer = client.patch("/_simulator/settings", json={"edition": "ce-7.0"})
    assert answer.status_code == 422
    assert "pim_catalog_asset_collection" in answer.json()["message"]
    assert pim.edition.name == "ee-7.0"


def test_attributes_have_the_settings_of_saas_only_there(pim: Pim, client: httpx.Client) -> None:
    for edition, status in (("ee-7.0", 422), ("saas", 204)):
        be(client, edition)
        setting: dict[str, Any] = {"decimal_places_strategy": "round", "decimal_places": 2}
        assert patch(client, "/attributes/weight", setting).status_code == status
        shown = get(client, "/attributes/weight")
        assert (shown.get("decimal_places") == 2) is (edition == "saas")
        assert ("is_mandatory" in shown) is (edition == "saas")


def test_dates_and_moments_are_shown_in_the_zone_of_the_pims_server(
    pim: Pim, client: httpx.Client
) -> None:
    client.patch("/_simulator/settings", json={"time_zone": "Europe/Paris"})
    values = {"day": value("2016-06-28"), "name": value("x", locale="en_US")}
    patch(client, "/products/a", {"values": values})
    shown = get(client, "/products/a")
    assert shown["values"]["day"][0]["data"] == "2016-06-28T00:00:00+02:00"
    assert shown["updated"][-6:] in ("+01:00", "+02:00")
    patch(client, "/products/a", {"values": {"day": value("2016-12-24")}})
    shown = get(client, "/products/a")
    assert shown["values"]["day"][0]["data"] == "2016-12-24T00:00:00+01:00"


@pytest.mark.parametrize(
    ("setting", "reason"),
    [
        ({"edition": "ce-6.0"}, "unknown edition 'ce-6.0'"),
        ({"time_zone": "Mars"}, "unknown time zone 'Mars'"),
        ({"calls_per_pim": -1}, "calls_per_pim: -1"),
        ({"colour": "red"}, "unknown settings colour"),
    ],
)
def test_a_setting_that_makes_no_sense_changes_nothing(
    pim: Pim, client: httpx.Client, setting: dict[str, Any], reason: str
) -> None:
    before = client.get("/_simulator/settings").json()
    answer = client.patch("/_simulator/settings", json=setting)
    assert answer.status_code == 422
    assert reason in answer.json()["message"]
    assert client.get("/_simulator/settings").json() == before


def test_lines_of_a_list_are_written_with_the_options_they_lack(
    pim: Pim, client: httpx.Client
) -> None:
    be(client, "saas")
    line = '{"identifier":"a","values":{"colour":[{"locale":null,"scope":null,"data":"teal"}]}}'
    answer = client.patch(
        f"{API}/products?create_missing_options=", content=line, headers=COLLECTION
    )
    assert '"status_code":201' in answer.text
