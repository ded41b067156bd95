"""Reference entities and their records."""

from typing import Any

import httpx
import pytest

from simulators.akeneo.editions import EDITIONS
from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, RESOURCES, get, patch, value

RECORDS = "/reference-entities/makers/records"
ENTITIES = {
    "reference_entities": [{"code": "makers", "labels": {"en_US": "Makers"}}],
    "reference_entity_attributes": {
        "makers": [
            {"code": "label", "type": "text", "value_per_locale": True},
            {"code": "founded", "type": "number"},
            {"code": "country", "type": "single_option"},
            {"code": "owner", "type": "reference_entity_single_link", "reference_entity": "makers"},
        ]
    },
    "reference_entity_attribute_options": [
        {"reference_entity": "makers", "attribute": "country", "code": "fr"}
    ],
    "reference_entity_records": {"makers": ["Acme"]},
}
MAKER = {"code": "maker", "type": "akeneo_reference_entity", "reference_data_name": "makers"}


@pytest.fixture(autouse=True)
def _entities(pim: Pim, client: httpx.Client) -> None:
    catalog = {**RESOURCES, **ENTITIES, "attributes": [*RESOURCES["attributes"], MAKER]}
    assert client.put("/_simulator/catalog", json=catalog).is_success


def send(client: httpx.Client, *records: Any) -> Any:
    response = client.patch(f"{API}{RECORDS}", json=list(records))
    assert response.status_code == 200, response.text
    return response.json()


def data(content: Any, locale: str | None = None) -> list[dict[str, Any]]:
    return [{"locale": locale, "channel": None, "data": content}]


def test_records_are_created_and_changed_in_bulk_and_products_may_name_them(
    client: httpx.Client,
) -> None:
    body = {"identifier": "a", "values": {"maker": value("newco")}}
    assert patch(client, "/products", body)[0]["status_code"] == 422
    labels = {"label": data("New Co.", "en_US")}
    answer = send(
        client,
        {"code": "newco", "values": {**labels, "founded": data("1984")}},
        {"code": "acme", "values": {"country": data("fr")}},
    )
    assert answer == [{"code": "newco", "status_code": 201}, {"code": "acme", "status_code": 204}]
    assert patch(client, "/products", body)[0]["status_code"] == 201
    shown = get(client, f"{RECORDS}/newco")
    assert shown["values"]["label"] == data("New Co.", "en_US")
    assert [item["code"] for item in get(client, RECORDS)["_embedded"]["items"]] == [
        "Acme",
        "newco",
    ]


@pytest.mark.parametrize(
    ("record", "message", "reason"),
    [
        ({"code": "a-b"}, "business rules", "letters, numbers and underscores"),
        ({"values": {}}, "invalid format", "code is required"),
        ({"code": "a", "values": {"colour": data("x")}}, "invalid format", "not defined"),
        ({"code": "a", "values": {"country": data("xx")}}, "business rules", '"xx" does not exist'),
        ({"code": "a", "values": {"owner": data("x")}}, "business rules", 'record "x" of the'),
        ({"code": "a", "values": {"label": data("x")}}, "business rules", "A locale is expected"),
    ],
)
def test_a_record_that_is_wrong_is_refused_and_the_others_are_written(
    client: httpx.Client, record: Any, message: str, reason: str
) -> None:
    wrong, good = send(client, record, {"code": "good"})
    assert (wrong["status_code"], good["status_code"]) == (422, 201)
    assert wrong["message"].startswith("The record has ")
    assert message in wrong["message"]
    assert reason in wrong["errors"][0]["message"]


def test_a_call_takes_100_records_and_an_array(client: httpx.Client) -> None:
    many = [{"code": f"r{number}"} for number in range(101)]
    assert client.patch(f"{API}{RECORDS}", json=many).status_code == 413
    assert len(send(client, *many[:100])) == 100
    assert client.patch(f"{API}{RECORDS}", json={"code": "a"}).status_code == 400
    unknown = client.patch(f"{API}/reference-entities/none/records", json=[])
    assert unknown.status_code == 404


def test_the_structure_of_a_reference_entity_is_read(client: httpx.Client) -> None:
    assert get(client, "/reference-entities/makers")["labels"] == {"en_US": "Makers"}
    codes = [row["code"] for row in get(client, "/reference-entities/makers/attributes")]
    assert codes == ["label", "founded", "country", "owner", "image"]
    options = get(client, "/reference-entities/makers/attributes/country/options")
    assert [row["code"] for row in options] == ["fr"]


def test_a_picture_of_a_record_is_uploaded_first(client: httpx.Client) -> None:
    sent = client.post(
        f"{API}/reference-entities-media-files", files={"file": ("logo.png", b"\x89PNG\r\n\x1a\n")}
    )
    key = sent.headers["Reference-entities-media-file-code"]
    send(client, {"code": "acme", "values": {"image": data(key)}})
    assert get(client, f"{RECORDS}/Acme")["values"]["image"] == data(key)


def test_records_are_found_by_code_and_by_change(client: httpx.Client) -> None:
    send(client, {"code": "newco"})
    for search in ('{"code":[{"operator":"IN","value":["NEWCO"]}]}', SINCE):
        found = client.get(f"{API}{RECORDS}", params={"search": search}).json()
        assert [item["code"] for item in found["_embedded"]["items"]] == ["newco"]


SINCE = '{"updated":[{"operator":"SINCE LAST N DAYS","value":1}]}'


def test_an_edition_without_reference_entities_has_no_such_route(
    pim: Pim, client: httpx.Client
) -> None:
    for edition in ("ce-7.0", "ge"):
        pim.edition = EDITIONS[edition]
        assert client.get(f"{API}/reference-entities").status_code == 404


def test_who_may_not_write_records_is_refused(client: httpx.Client) -> None:
    client.patch("/_simulator/rights", json={"app": {"without": ["reference_entity_record_edit"]}})
    answer = client.patch(f"{API}{RECORDS}", json=[])
    assert answer.json()["message"] == (
        "Access forbidden. You are not allowed to create or update reference entity records."
    )
