"""What becomes of the changes of a user who does not own the products (Enterprise)."""

from typing import Any

import httpx
import pytest

from simulators.akeneo.editions import EDITIONS
from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, get, patch, value

MODEL = {"family_variant": "drill_by_colour", "values": {"name": value("Drill", locale="en_US")}}


def level(client: httpx.Client, name: str) -> None:
    assert client.patch("/_simulator/rights", json={"app": {"products": name}}).is_success


def name_is(text: str) -> dict[str, Any]:
    return {"values": {"name": value(text, locale="en_US")}}


@pytest.mark.parametrize("path", ["/products", "/product-models"])
def test_who_may_only_edit_gets_a_204_and_the_value_stays(
    pim: Pim, client: httpx.Client, path: str
) -> None:
    body = name_is("owned") if path == "/products" else {**MODEL, **name_is("owned")}
    assert client.patch(f"{API}{path}/a", json=body).status_code == 201
    assert get(client, f"{path}/a")["metadata"] == {"workflow_status": "working_copy"}
    level(client, "edit")
    key = "identifier" if path == "/products" else "code"
    [line] = patch(client, path, {key: "a", **name_is("proposed")})
    assert line["status_code"] == 204
    shown = get(client, f"{path}/a")
    assert shown["values"]["name"][0]["data"] == "owned"
    assert shown["metadata"] == {"workflow_status": "draft_in_progress"}
    [draft] = client.get("/_simulator/state?only=drafts").json()["drafts"]
    assert (draft["user"], draft["values"]["name"][0]["data"]) == ("app", "proposed")


def test_a_second_change_goes_into_the_same_draft(pim: Pim, client: httpx.Client) -> None:
    client.patch(f"{API}/products/a", json=name_is("owned"))
    level(client, "edit")
    client.patch(f"{API}/products/a", json=name_is("proposed"))
    client.patch(f"{API}/products/a", json={"values": {"pieces": value(3)}})
    [draft] = client.get("/_simulator/state?only=drafts").json()["drafts"]
    assert draft["values"]["name"][0]["data"] == "proposed"
    assert draft["values"]["pieces"][0]["data"] == 3


def test_what_only_an_owner_may_change_is_a_403_that_names_it(
    pim: Pim, client: httpx.Client
) -> None:
    client.patch(f"{API}/products/a", json={"categories": ["tools"]})
    level(client, "edit")
    [line] = patch(client, "/products", {"identifier": "a", "enabled": False, "categories": []})
    assert line["status_code"] == 403
    assert line["message"] == (
        'You cannot update the following fields "enabled, categories". '
        "You should at least own this product to do it."
    )
    [same] = patch(client, "/products", {"identifier": "a", "enabled": True})
    assert same["status_code"] == 204


def test_who_edits_may_create(pim: Pim, client: httpx.Client) -> None:
    level(client, "edit")
    assert client.patch(f"{API}/products/a", json=name_is("new")).status_code == 201
    assert get(client, "/products/a")["values"]["name"][0]["data"] == "new"


def test_who_only_views_changes_nothing(pim: Pim, client: httpx.Client) -> None:
    client.patch(f"{API}/products/a", json=name_is("owned"))
    level(client, "view")
    assert client.patch(f"{API}/products/a", json=name_is("other")).status_code == 403
    shown = get(client, "/products/a")
    assert shown["values"]["name"][0]["data"] == "owned"
    assert shown["metadata"] == {"workflow_status": "read_only"}


def test_a_community_edition_has_neither_drafts_nor_a_workflow(
    pim: Pim, client: httpx.Client
) -> None:
    pim.edition = EDITIONS["ce-7.0"]
    client.patch(f"{API}/products/a", json=name_is("owned"))
    level(client, "edit")
    client.patch(f"{API}/products/a", json=name_is("changed"))
    shown = get(client, "/products/a")
    assert shown["values"]["name"][0]["data"] == "changed"
    assert "metadata" not in shown


def test_an_upload_of_who_only_edits_is_proposed_too(pim: Pim, client: httpx.Client) -> None:
    pim.catalog.rows["attributes"]["manual"] = {
        "code": "manual",
        "type": "pim_catalog_file",
        "labels": {},
        "group": "other",
    }
    pim.catalog.refresh()
    client.patch(f"{API}/products/a", json={})
    level(client, "edit")
    target = '{"identifier":"a","attribute":"manual","scope":null,"locale":null}'
    files = {"file": ("m.pdf", b"%PDF-1.4")}
    sent = client.post(f"{API}/media-files", data={"product": target}, files=files)
    assert sent.status_code == 201
    assert "manual" not in get(client, "/products/a")["values"]
    assert len(pim.drafts) == 1
