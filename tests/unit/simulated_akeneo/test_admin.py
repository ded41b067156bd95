import re

import httpx

from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import RESOURCES, get, patch


def test_counters_tell_calls_lines_and_what_ran_at_once(pim: Pim, client: httpx.Client) -> None:
    patch(client, "/products", {"identifier": "a"}, {"identifier": "b", "nope": 1})
    patch(client, "/attributes/colour/options", {"code": "green"})
    report = client.get("/_simulator/counters").json()
    assert report["calls"]["PATCH /products"] == 1
    assert report["lines"]["PATCH /products"] == 2
    assert report["lines"]["PATCH /products 422"] == 1
    assert report["concurrent_calls"] == {"now": 0, "max": 1}
    assert report["option_writes_per_second_max"] == 1
    client.delete("/_simulator/counters")
    assert client.get("/_simulator/counters").json()["calls"] == {}


def test_faults_are_set_merged_and_cleared_over_http(pim: Pim, client: httpx.Client) -> None:
    client.put("/_simulator/faults", json={"latency_ms": 5})
    client.patch("/_simulator/faults", json={"server_errors": 2})
    assert (pim.faults.latency_ms, pim.faults.server_errors) == (5, 2)
    client.put("/_simulator/faults", json={"retry_after": 3})
    assert (pim.faults.latency_ms, pim.faults.retry_after) == (0, 3)
    client.delete("/_simulator/faults")
    assert pim.faults.retry_after is None


def test_a_wrong_switch_says_which(client: httpx.Client) -> None:
    answer = client.patch("/_simulator/faults", json={"latency": 5})
    assert answer.status_code == 422
    assert "unknown fault 'latency'" in answer.json()["message"]


def test_the_state_has_all_that_was_written(client: httpx.Client) -> None:
    patch(client, "/products", {"identifier": "a"})
    state = client.get("/_simulator/state").json()
    assert [product["identifier"] for product in state["products"]] == ["a"]
    assert set(client.get("/_simulator/state?only=assets").json()) == {"assets"}


def test_a_reset_keeps_structure_and_a_catalog_replaces_it(client: httpx.Client) -> None:
    patch(client, "/products", {"identifier": "a"})
    client.post("/_simulator/reset")
    assert client.get("/_simulator/state?only=products").json() == {"products": []}
    assert get(client, "/attributes/colour")["type"] == "pim_catalog_simpleselect"
    other = RESOURCES | {"products": [{"identifier": "there"}]}
    assert client.put("/_simulator/catalog", json=other).json()["products"] == 1
    assert get(client, "/products/there")["identifier"] == "there"


def test_a_catalog_that_cannot_be_used_says_where(client: httpx.Client) -> None:
    answer = client.put("/_simulator/catalog", json={"attributes": [{"code": "a"}]})
    assert answer.status_code == 422
    assert answer.json()["message"] == "attributes, entry 1 (a): type is missing"


def test_pages_escape_what_they_show(client: httpx.Client) -> None:
    evil = "<script>alert(1)</script>"
    body = {
        "identifier": "a",
        "values": {"name": [{"locale": "en_US", "scope": None, "data": evil}]},
    }
    patch(client, "/products", body)
    listed = client.get("/", params={"q": "<script>"})
    assert 'href="/products/' in listed.text
    uuid = client.get("/_simulator/state?only=products").json()["products"][0]["uuid"]
    for page in (listed.text, client.get(f"/products/{uuid}").text):
        assert evil not in page
        assert "&lt;script&gt;" in page


def test_a_variant_a_model_and_the_list_of_models_lead_to_one_another(
    client: httpx.Client,
) -> None:
    patch(client, "/product-models", {"code": "m", "family_variant": "drill_by_colour"})
    variant = {
        "identifier": "v",
        "parent": "m",
        "values": {"colour": [{"locale": None, "scope": None, "data": "red"}]},
    }
    assert patch(client, "/products", variant)

    assert 'href="/models/m"' in client.get("/models").text
    page = client.get("/models/m").text
    link = re.search(r'href="(/products/[^"]+)">v<', page)
    assert link
    assert 'href="/models/m"' in client.get(link[1]).text
    assert client.get("/models/none").status_code == 404
