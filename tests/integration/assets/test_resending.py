"""`assets resend`: rejected assets again once the reason is fixed, and whole where asked for."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli.app import build
from cli.runs import rejections
from cli.target import Target
from pim_connector.errors import ConfigurationError
from pim_connector.sync.messages import Change
from pim_connector.sync.runs import Registry
from tests.integration.assets.world import World, picture


@pytest.fixture
def target(world: World, monkeypatch: pytest.MonkeyPatch) -> Target:
    target = Target(
        name="stack",
        session=boto3.Session(region_name="eu-central-1"),
        endpoint=None,
        outputs={
            "Bucket": "bucket",
            "RunTable": "runs",
            "StateTable": "state",
            "AssetQueue": world.queues["asset"],
        },
    )
    monkeypatch.setattr("cli.assets_resend.connect_stack", lambda *_: target)
    return target


def resend(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(build(), ["assets", "resend", *arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def run_of(world: World) -> str:
    items: list[Any] = world.dynamodb.scan(TableName="runs")["Items"]
    (run,) = {item["pk"]["S"] for item in items if item["sk"]["S"] == "run"}
    return str(run).removeprefix("run#")


def test_all_that_was_rejected_in_several_messages_is_told_and_sent_again(
    world: World, target: Target
) -> None:
    for name in ("a1", "a2", "a3"):
        world.poll(**{name: picture(stars="many")})
        world.drain()
    world.time += 1
    world.poll(a3=picture(updated="2026-11-20T11:00:00Z"))
    world.drain()
    run = run_of(world)
    registry = Registry(target.run_table())
    assert [name.run for name in registry.all_runs()] == [run]
    found = registry.get(run)
    assert found
    assert (found.kind, found.source, found.counts["rejected"]) == ("assets", "dam", 3)
    assert {one.identifier for one in rejections(target, run)} == {"a1", "a2"}

    world.time += 1
    world.dam.files |= {name: picture() for name in ("a1", "a2")}
    status, said = resend("dam", "--rejected", run)

    assert (status, said.strip()) == (0, "dam: 2 assets are queued")
    assert world.drain() == {"AssetsCreated": 2}
    assert rejections(target, run) == []


def test_an_asset_that_somebody_spoilt_in_the_pim_is_sent_whole(
    world: World, target: Target
) -> None:
    world.poll(a1=picture())
    world.drain()
    world.pim.assets.get("packshots", "a1").values.clear()  # type: ignore[union-attr]
    world.poll(a1=picture())
    assert world.drain() == {"AssetsUnchanged": 1}

    assert resend("dam", "a1")[0] == 0
    world.announce(Change(id="a1", origin="event"))

    assert world.drain() == {"AssetsUpdated": 1, "AssetsSuperseded": 1}
    found = world.asset("a1")
    assert found
    assert found["title"] == "Shoe from the front"


def test_status_tells_when_each_family_was_last_sent(
    world: World, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.assets_status.connect_stack", lambda *_: target)
    world.poll(a1=picture(), a2=picture(kind="manuals"), a3=picture(stars="many"))
    world.drain()
    world.time += 60
    world.poll(a1=picture(title="New", updated="2026-11-20T11:00:00Z"))
    world.drain()

    told = CliRunner().invoke(build(), ["assets", "status", "dam", "--json"])

    found = json.loads(told.stdout)
    assert found["read_to_the_end"] is None
    assert found["families"] == {
        "manuals": "2027-01-15T08:00:00Z",
        "packshots": "2027-01-15T08:01:00Z",
    }
    assert CliRunner().invoke(build(), ["assets", "status", "nosuch"]).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch", "a1"], "no config/dam/nosuch.yaml"),
        (["dam"], "name ids, or a run"),
    ],
)
def test_what_cannot_be_sent_again_is_said(
    world: World, target: Target, arguments: list[str], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        resend(*arguments)
    assert world.invoke() is None
