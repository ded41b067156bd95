import httpx

from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, get, patch

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def entry(data: object, locale: str | None = None) -> list[dict[str, object]]:
    return [{"locale": locale, "channel": None, "data": data}]


def send(client: httpx.Client, *bodies: object) -> list[dict[str, object]]:
    response = client.patch(f"{API}/asset-families/packshots/assets", json=list(bodies))
    assert response.status_code == 200, response.text
    return list(response.json())


def test_each_asset_of_a_call_has_its_own_answer(client: httpx.Client) -> None:
    answers = send(
        client,
        {"code": "a1", "values": {"label": entry("One", "en_US")}},
        {"code": "a2", "values": {"tags": entry(["back"])}},
        {"code": "a3", "values": {"nope": entry("x")}},
        {"code": "a1", "values": {"link": entry("p/1.png")}},
        {"values": {}},
    )
    assert [answer["status_code"] for answer in answers] == [201, 422, 422, 204, 422]
    assert answers[1]["errors"] == [
        {"property": "values.tags", "message": 'The option "back" does not exist.'}
    ]
    asset = get(client, "/asset-families/packshots/assets/a1")
    assert asset["values"]["label"][0]["data"] == "One"
    assert asset["values"]["link"][0]["linked_data"]["full_url"] == "https://dam.example/p/1.png"


def test_more_than_100_assets_are_refused_as_a_whole(pim: Pim, client: httpx.Client) -> None:
    bodies = [{"code": f"a{number}"} for number in range(101)]
    response = client.patch(f"{API}/asset-families/packshots/assets", json=bodies)
    assert response.status_code == 413
    assert not pim.assets.all_of("packshots")


def test_the_family_code_in_the_url_has_its_case(client: httpx.Client) -> None:
    assert client.get(f"{API}/asset-families/Packshots").status_code == 404
    assert client.get(f"{API}/asset-families/packshots").status_code == 200


def test_a_file_is_uploaded_used_and_downloaded(client: httpx.Client) -> None:
    upload = client.post(f"{API}/asset-media-files", files={"file": ("p.png", PNG)})
    assert upload.status_code == 201
    key = upload.headers["Asset-media-file-code"]
    assert send(client, {"code": "a1", "values": {"file": entry(key)}})[0]["status_code"] == 201
    assert client.get(f"{API}/asset-media-files/{key}").content == PNG
    wrong = client.post(f"{API}/asset-media-files", files={"file": ("p.pdf", b"%PDF-")})
    answer = send(
        client, {"code": "a2", "values": {"file": entry(wrong.headers["Asset-media-file-code"])}}
    )
    assert answer[0]["status_code"] == 422


def test_assets_are_listed_after_a_key_and_deleted_one_by_one(client: httpx.Client) -> None:
    send(client, *({"code": f"a{number:03}"} for number in range(100)))
    send(client, {"code": "b"})
    first = get(client, "/asset-families/packshots/assets")
    assert len(first["_embedded"]["items"]) == 100
    following = client.get(first["_links"]["next"]["href"]).json()
    assert [item["code"] for item in following["_embedded"]["items"]] == ["b"]
    assert "next" not in following["_links"]
    gone = f"{API}/asset-families/packshots/assets/b"
    assert client.delete(gone).status_code == 204
    assert client.delete(gone).status_code == 404


def test_a_link_rule_puts_a_new_asset_into_its_product(client: httpx.Client) -> None:
    patch(client, "/products", {"identifier": "d1"}, {"identifier": "d2"})
    rule = {
        "product_selections": [{"field": "sku", "operator": "=", "value": "{{for_sku}}"}],
        "assign_assets_to": [
            {"mode": "add", "attribute": "pictures", "locale": None, "channel": None}
        ],
    }
    body = {"code": "packshots", "product_link_rules": [rule]}
    assert client.patch(f"{API}/asset-families/packshots", json=body).status_code == 204
    send(client, {"code": "a1", "values": {"for_sku": entry("d1")}})
    assert get(client, "/products/d1")["values"]["pictures"][0]["data"] == ["a1"]
    assert "pictures" not in get(client, "/products/d2")["values"]


def test_a_product_cannot_have_an_asset_that_is_not_there(client: httpx.Client) -> None:
    values = {"pictures": [{"locale": None, "scope": None, "data": ["ghost"]}]}
    answer = patch(client, "/products", {"identifier": "d1", "values": values})[0]
    assert "do not exist" in answer["errors"][0]["message"]


def test_a_family_is_set_up_over_the_api_with_its_first_attributes(client: httpx.Client) -> None:
    base = f"{API}/asset-families/films"
    assert client.patch(base, json={"code": "films"}).status_code == 201
    body = {"code": "url", "type": "media_link", "media_type": "youtube"}
    assert client.patch(f"{base}/attributes/url", json=body).status_code == 201
    assert client.patch(base, json={"attribute_as_main_media": "url"}).status_code == 204
    codes = [row["code"] for row in get(client, "/asset-families/films/attributes")]
    assert codes == ["label", "media", "url"]
    changed = client.patch(f"{base}/attributes/url", json={"code": "url", "type": "text"})
    assert changed.status_code == 422
