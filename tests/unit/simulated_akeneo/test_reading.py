import json
from typing import Any

import httpx
import pytest

from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, get, patch, value


def codes(client: httpx.Client, path: str, **search: Any) -> list[str]:
    """Identifiers or codes of all pages of a list, by following its links."""
    url: str | None = f"{API}{path}"
    parameters = {"search": json.dumps(search)} if search else None
    found: list[str] = []
    while url is not None:
        body = client.get(url, params=parameters).json()
        found += [item.get("identifier") or item["code"] for item in body["_embedded"]["items"]]
        url, parameters = body["_links"].get("next", {}).get("href"), None
    return found


@pytest.mark.parametrize("paging", ["?limit=2", "?limit=2&pagination_type=search_after"])
def test_following_the_links_gives_every_product_once(client: httpx.Client, paging: str) -> None:
    patch(client, "/products", *({"identifier": f"p{number}"} for number in range(5)))
    assert codes(client, f"/products{paging}") == ["p0", "p1", "p2", "p3", "p4"]


def test_products_are_found_by_the_filters_a_connector_needs(
    pim: Pim, client: httpx.Client
) -> None:
    patch(client, "/product-models", {"code": "m", "family_variant": "drill_by_colour"})
    patch(
        client,
        "/products",
        {"identifier": "a", "family": "drill", "categories": ["tools"]},
        {"identifier": "b", "enabled": False},
        {"identifier": "v", "parent": "m", "values": {"colour": value("blue")}},
    )

    def found(**search: Any) -> list[str]:
        return codes(client, "/products", **search)

    uuid = pim.identifiers["b"]
    assert found(sku=[{"operator": "IN", "value": ["A", "b", "zz"]}]) == ["a", "b"]
    assert found(uuid=[{"operator": "IN", "value": [uuid]}]) == ["b"]
    assert found(parent=[{"operator": "=", "value": "m"}]) == ["v"]
    assert found(parent=[{"operator": "EMPTY"}]) == ["a", "b"]
    assert found(family=[{"operator": "IN", "value": ["drill"]}]) == ["a", "v"]
    assert found(enabled=[{"operator": "=", "value": False}]) == ["b"]
    assert found(colour=[{"operator": "IN", "value": ["blue"]}]) == ["v"]
    assert found(categories=[{"operator": "IN", "value": ["tools"]}]) == ["a"]
    assert found(updated=[{"operator": ">", "value": "2999-01-01 00:00:00"}]) == []
    assert codes(client, "/product-models", code=[{"operator": "IN", "value": ["m"]}]) == ["m"]


def test_a_filter_that_makes_no_sense_is_refused(client: httpx.Client) -> None:
    def status(path: str, search: str) -> int:
        return client.get(f"{API}{path}", params={"search": search}).status_code

    assert status("/products", "{") == 400
    assert status("/product-models", "{") == 422
    assert status("/products", '{"nope":[{"operator":"="}]}') == 404
    assert status("/products", '{"sku":[{"operator":["="]}]}') == 422
    assert status("/products", '{"sku":[{"operator":"NEAR","value":"x"}]}') == 422
    assert status("/products", '{"updated":[{"operator":">","value":"soon"}]}') == 422


def test_a_page_has_at_most_100_items(client: httpx.Client) -> None:
    answer = client.get(f"{API}/products?limit=101")
    assert answer.json() == {"code": 422, "message": "You cannot request more than 100 items."}


def test_a_list_shows_only_the_attributes_it_was_asked_for(client: httpx.Client) -> None:
    values = {"ean": value("1"), "cordless": value(True)}
    patch(client, "/products", {"identifier": "a", "values": values})
    shown = get(client, "/products?attributes=ean")["_embedded"]["items"][0]
    assert set(shown["values"]) == {"ean"}
    assert client.get(f"{API}/products?attributes=nope").status_code == 422


def test_structure_is_read_one_by_one_in_lists_and_by_code(client: httpx.Client) -> None:
    assert get(client, "/families/drill")["code"] == "drill"
    assert codes(client, "/attributes", code=[{"operator": "IN", "value": ["ean", "sku"]}]) == [
        "ean",
        "sku",
    ]
    variant = get(client, "/families/drill/variants/drill_by_colour")
    assert variant["variant_attribute_sets"][0]["axes"] == ["colour"]
    locales = {row["code"]: row["enabled"] for row in get(client, "/locales")["_embedded"]["items"]}
    assert locales == {"de_DE": True, "en_US": True, "fr_FR": False}
    assert client.get(f"{API}/families/nope").json()["message"] == 'Family "nope" does not exist.'


def test_a_pim_without_measures_of_its_own_has_the_standard_ones(client: httpx.Client) -> None:
    families = {row["code"]: row for row in get(client, "/measurement-families")}
    assert {"Length", "Weight", "Volume", "Power", "Temperature"} <= set(families)
    assert families["Weight"]["standard_unit_code"] == "KILOGRAM"
    assert "GRAM" in families["Weight"]["units"]


def test_structure_written_over_the_api_counts_for_products_at_once(client: httpx.Client) -> None:
    patch(client, "/attributes", {"code": "depth", "type": "pim_catalog_number", "group": None})
    created = client.patch(
        f"{API}/attribute-groups/other", json={"code": "other", "labels": {"en_US": "Other"}}
    )
    assert created.status_code == 201
    answers = patch(
        client,
        "/attributes",
        {"code": "depth", "type": "pim_catalog_number", "group": "other"},
        {"code": "depth", "type": "pim_catalog_text"},
    )
    assert [answer["status_code"] for answer in answers] == [201, 422]
    assert answers[1]["errors"][0]["message"] == "This property cannot be changed."
    line = {"identifier": "a", "values": {"depth": value("12")}}
    assert patch(client, "/products", line)[0]["status_code"] == 201


def test_a_new_option_is_usable_at_once_and_known_in_any_case(client: httpx.Client) -> None:
    answers = patch(client, "/attributes/colour/options", {"code": "Green"}, {"code": "GREEN"})
    assert [answer["status_code"] for answer in answers] == [201, 204]
    line = {"identifier": "a", "values": {"colour": value("green")}}
    patch(client, "/products", line)
    assert get(client, "/products/a")["values"]["colour"][0]["data"] == "Green"


def test_a_product_picture_is_uploaded_linked_and_downloaded(client: httpx.Client) -> None:
    png = b"\x89PNG\r\n\x1a\n" + bytes(20)
    patch(client, "/products", {"identifier": "a"})
    target = {"identifier": "a", "attribute": "picture", "locale": None, "scope": None}
    upload = client.post(
        f"{API}/media-files",
        data={"product": json.dumps(target)},
        files={"file": ("a.png", png)},
    )
    assert upload.status_code == 201
    assert client.get(f"{upload.headers['Location']}/download").content == png
    shown = get(client, "/products/a")["values"]["picture"][0]
    assert upload.headers["Location"].endswith(shown["data"])
    text = client.post(
        f"{API}/media-files",
        data={"product": json.dumps(target)},
        files={"file": ("a.png", b"just text")},
    )
    assert "The MIME type is not allowed for png" in text.text
