"""Every example of docs/dam-sources.md is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pim_connector.assets.mapping import compile_assets, to_asset
from pim_connector.assets.values import MappedAsset
from pim_connector.dam.loading import load_source
from pim_connector.mapping.results import Filtered
from tests.unit.dam.world import World

TEXT = (Path(__file__).parents[3] / "docs" / "dam-sources.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
WHOLE = EXAMPLES[0]


def merged(example: str) -> str:
    """The whole file of the page with the parts of one example in it."""
    return yaml.safe_dump({**yaml.safe_load(WHOLE), **yaml.safe_load(example)}, sort_keys=False)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_a_valid_part_of_a_source_file(example: str) -> None:
    load_source(merged(example).encode(), name="dam-sources.md")


@pytest.mark.parametrize("example", [text for text in EXAMPLES if "\nlist:" in f"\n{text}"])
def test_an_example_with_a_list_reads_all_of_the_simulated_dam(example: str) -> None:
    text = merged(example).replace("{{secret.token}}", "token")
    world = World(text)
    for _ in range(35):
        world.dam.library.add()
        world.time += 2
    assert world.poll().finished
    assert world.versions() == world.truth()
    world.dam.library.change("a000003")
    world.poll()
    assert world.versions() == world.truth()


def test_the_example_of_a_feed_finds_what_was_deleted() -> None:
    feed = next(text for text in EXAMPLES if "/deletions" in text)
    world = World(merged(feed).replace("{{secret.token}}", "token"))
    world.dam.habits.deletion_feed = True
    ids = [world.dam.library.add() for _ in range(5)]
    world.poll()
    world.dam.library.delete(ids[2])
    world.poll()
    assert world.versions() == world.truth()
    assert len(world.versions()) == 4


def test_the_documents_show_every_kind_there_is() -> None:
    schema = (Path(__file__).parents[3] / "docs" / "dam.schema.json").read_text()
    kinds = set(re.findall(r'"enum": \[\s*"(\w+)"\s*\]', schema))
    shown = set(re.findall(r"kind: (\w+)", TEXT)) | set(re.findall(r"`(\w+)`", TEXT))
    assert len(kinds) > 15
    assert kinds - {"none"} <= shown


def test_the_example_of_a_mapping_makes_the_asset_it_says() -> None:
    text = next(text for text in EXAMPLES if "on_delete:" in text)
    source = load_source(merged(text).encode(), name="dam-sources.md")
    assert source.assets
    compiled = compile_assets(source.assets, name="dam-sources.md", base_url=source.base_url)
    properties: dict[str, object] = {
        "id": "a-1",
        "tags": ["product"],
        "name": "TENT-1_front.jpg",
        "title": "Tent",
    }
    properties |= {"url": "https://dam.example.com/files/a-1.jpg", "version": 3, "note": "new"}

    asset = to_asset("a-1", properties, compiled)

    assert isinstance(asset, MappedAsset)
    assert asset.code.startswith("dam_a_1_")
    values = {key[1]: slot.data for slot in asset.slots if (key := slot.key)}
    assert values["sku"] == "TENT-1"
    assert values["url"] == "https://dam.example.com/files/a-1"
    assert [link.product for link in asset.links] == ["TENT-1"]
    assert isinstance(to_asset("a-2", properties | {"tags": []}, compiled), Filtered)
