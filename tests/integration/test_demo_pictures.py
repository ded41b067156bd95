"""The demo's look at the pictures in the PIM finds what is wrong, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from local.demo.assortment import assortment
from local.demo.expectation import expectation
from local.demo.pictures import COLLECTION, FAMILY, Picture, differences, pictures
from local.stack.lifecycle import CATALOG, SIMULATED_CREDENTIALS
from pim_connector.akeneo.auth import ConnectionCredentials
from pim_connector.akeneo.client import AkeneoClient
from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from simulators.akeneo.server import serve

WANTED = pictures(expectation(assortment()))


@pytest.fixture(scope="module")
def client() -> Iterator[AkeneoClient]:
    pim = Pim(catalog=from_resources(json.loads(CATALOG.read_bytes())))
    known: ConnectionCredentials = SIMULATED_CREDENTIALS
    pim.accounts.connect(
        Connection(
            client_id=known.client_id,
            secret=known.secret,
            username=known.username,
            password=known.password,
        )
    )
    with serve(create_app(pim)) as url, AkeneoClient(url, known, tries=1) as client:
        yield client


def asset(picture: Picture, file: str) -> dict[str, object]:
    told = {
        "title": picture.title,
        "sku": picture.sku,
        "number": str(picture.number),
        "file": file,
    }
    values = {k: [{"locale": None, "channel": None, "data": v}] for k, v in told.items()}
    return {"code": picture.id, "values": values}


def link(sku: str, codes: list[str]) -> dict[str, object]:
    value = {"locale": None, "scope": None, "data": codes}
    return {"identifier": sku, "family": "tents", "values": {COLLECTION: [value]}}


def test_an_empty_pim_lacks_every_picture_and_every_link(client: AkeneoClient) -> None:
    shown = [picture for picture in WANTED if picture.sku]
    said = list(differences(client, WANTED))
    assert len([line for line in said if "is not in the PIM" in line]) == len(shown) == 40
    assert len([line for line in said if "should show" in line]) == 20


def test_pictures_as_in_the_dam_are_no_difference_and_each_change_is_one(
    client: AkeneoClient,
) -> None:
    shown = [picture for picture in WANTED if picture.sku]
    file = client.upload_asset_media("picture.png", b"\x89PNG", content_type="image/png")
    client.upsert_assets(FAMILY, [asset(picture, file) for picture in shown])
    by_sku: dict[str, list[str]] = {}
    for picture in shown:
        by_sku.setdefault(str(picture.sku), []).append(picture.id)
    client.upsert_products([link(sku, codes) for sku, codes in by_sku.items()])
    assert list(differences(client, WANTED)) == []

    first, second = shown[:2]
    client.upsert_products([link(str(first.sku), [first.id])])
    (said,) = differences(client, WANTED)
    assert second.id in said

    client.upsert_assets(FAMILY, [asset(second, file) | {"code": "logo"}])
    assert "asset logo is in the PIM although it shows no product" in list(
        differences(client, WANTED)
    )
