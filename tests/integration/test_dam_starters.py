"""Every starter of docs/dam against a stand-in that answers in that DAM's documented shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from pim_connector.assets.mapping import compile_assets, to_asset
from pim_connector.assets.values import MappedAsset
from pim_connector.dam.client import DamClient, Gone
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import load_source
from pim_connector.dam.polling import Poll, PollReport, SourceCursor
from pim_connector.dam.source import Source
from pim_connector.sync.messages import AssetMessage, Change
from tests.integration.dam_standins import posted, rest
from tests.integration.dam_standins.shelf import Shelf

STARTERS = Path(__file__).parents[2] / "docs" / "dam"
STANDINS: dict[str, Callable[[httpx.Request, Shelf], httpx.Response]] = {
    "acquia": rest.acquia,
    "aem-assets": rest.aem_assets,
    "brandfolder": rest.brandfolder,
    "bynder": rest.bynder,
    "canto": rest.canto,
    "cloudinary": posted.cloudinary,
    "contentful": rest.contentful,
    "directus": rest.directus,
    "directus-graphql": posted.directus_graphql,
    "frontify": posted.frontify,
    "nuxeo": rest.nuxeo,
    "pimcore": posted.pimcore,
    "plone": rest.plone,
    "resourcespace": rest.resourcespace,
    "scaleflex": rest.scaleflex,
    "strapi": rest.strapi,
    "wagtail": rest.wagtail,
}
NUMBERED = {"resourcespace", "strapi", "pimcore", "wagtail"}
SECRETS = {
    "token": "token-of-the-test",
    "key": "key-of-the-test",
    **dict.fromkeys(
        ("secret", "app_id", "app_secret", "username", "password", "webhook", "path"), "test"
    ),
}


class Desk:
    """Polls a starter's source from its stand-in; `seen` is what the queue was given last."""

    def __init__(self, name: str) -> None:
        text = (STARTERS / f"{name}.yaml").read_text("utf-8")
        smaller = re.sub(r"size: \d+", "size: 7", text)
        self.source: Source = load_source(smaller.encode(), name=f"{name}.yaml")
        self.shelf = Shelf(ids=str if name in NUMBERED else "{:08x}-77aa".format)
        self.standin = STANDINS[name]
        self.cursor = SourceCursor()
        self.seen: dict[str, Change] = {}
        self.time = 1.8e9

    def client(self) -> DamClient:
        def answer(request: httpx.Request) -> httpx.Response:
            request.read()
            return self.standin(request, self.shelf)

        clocks = Clocks(now=lambda: self.time, sleep=lambda _: None)
        return DamClient(self.source, SECRETS, transport=httpx.MockTransport(answer), clocks=clocks)

    def poll(self) -> PollReport:
        with self.client() as client:
            return Poll(
                client=client, cursors=self, send=self.send, groups=2, time_left=lambda: 1.0
            ).run()

    def load(self, source: str) -> SourceCursor:
        return self.cursor

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        self.cursor = cursor
        return cursor

    def send(self, message: AssetMessage) -> None:
        self.seen.update({change.id: change for change in message.changes})

    def is_gone(self, id_: str) -> bool:
        told = id_ in self.seen and self.seen[id_].kind == "deleted"
        if self.source.item is None:
            return told
        with self.client() as client:
            found = client.asset(id_)
        return isinstance(found, Gone) or found.deleted


def test_there_is_a_stand_in_for_every_starter() -> None:
    assert {path.stem for path in STARTERS.glob("*.yaml")} == set(STANDINS)


@pytest.mark.parametrize("name", STANDINS)
def test_a_starter_reads_all_and_then_what_changed(name: str) -> None:
    desk = Desk(name)
    ids = [desk.shelf.add() for _ in range(40)]
    report = desk.poll()
    assert report.finished
    assert (set(desk.seen), report.unreadable, report.notes) == (set(ids), 0, [])
    desk.seen.clear()
    desk.shelf.change(ids[5])
    added = desk.shelf.add()
    assert desk.poll().finished
    assert {ids[5], added} <= set(desk.seen)
    if desk.source.list.mode != "full":
        assert len(desk.seen) < 40


@pytest.mark.parametrize("name", STANDINS)
def test_a_starter_knows_what_is_gone(name: str) -> None:
    desk = Desk(name)
    ids = [desk.shelf.add() for _ in range(3)]
    desk.poll()
    desk.shelf.remove(ids[1])
    desk.poll()
    assert [desk.is_gone(id_) for id_ in ids] == [False, True, False]


@pytest.mark.parametrize("name", STANDINS)
def test_a_starter_maps_an_asset_with_all_its_attributes(name: str) -> None:
    desk = Desk(name)
    id_ = desk.shelf.add()
    desk.poll()
    assert desk.source.assets is not None
    compiled = compile_assets(desk.source.assets, name=name, base_url=desk.source.base_url)
    properties: dict[str, Any] = desk.seen[id_].properties or {}
    mapped = to_asset(id_, properties, compiled)
    assert isinstance(mapped, MappedAsset), mapped
    values: Any = mapped.payload()["values"]
    assert values["sku"][0]["data"] == "SKU001"
    assert set(values) == {"title", "file_name", "sku", "tags", "url"}
    assert all(value[0]["data"] for value in values.values())
    assert values["url"][0]["data"].startswith("https://")
