"""The function's handler: samples in, partial batch responses that FIFO needs out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields

import telemetry
from functions.asset_mapper import handler
from tests.integration.assets.world import World
from tests.integration.stack import Context

EVENTS = Path(__file__).parents[3] / "events" / "asset_mapper"


@pytest.fixture
def invoke(world: World, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(telemetry.metrics.provider, "namespace", "PimConnector")
    for field in fields(world.settings):
        monkeypatch.setenv(field.name.upper(), str(getattr(world.settings, field.name)))
    handler.mapper.cache_clear()

    def call(name: str) -> list[str]:
        event = json.loads((EVENTS / f"{name}.json").read_text())
        context: Any = Context(milliseconds=600_000, function_name="asset_mapper")
        answer = handler.lambda_handler(event, context)
        return [failure["itemIdentifier"][-1] for failure in answer["batchItemFailures"]]

    yield call
    handler.mapper().close()
    handler.mapper.cache_clear()


@pytest.mark.parametrize(
    ("name", "back", "created"),
    [
        ("polled-assets-are-created", [], ["a1", "a2"]),
        ("one-bad-asset-is-rejected-and-the-rest-created", [], ["a1"]),
        ("an-unsettled-asset-holds-its-group-and-no-other", ["1", "3"], ["a2", "b1"]),
        ("a-message-that-is-none-is-put-aside", [], []),
    ],
)
def test_a_sample_ends_as_its_name_says(
    world: World, invoke: Any, name: str, back: list[str], created: list[str]
) -> None:
    assert invoke(name) == back
    held = world.pim.assets.all_of("packshots")
    assert [asset.code for asset in held] == created


def test_every_sample_is_tried_here() -> None:
    tried = set(Path(__file__).read_text().split('"'))
    assert {path.stem for path in EVENTS.glob("*.json")} <= tried
