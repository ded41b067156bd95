"""`assets setup` against the simulator: what is missing is made, what cannot be changed is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.assets_setup import setup
from simulators.akeneo.pim import Pim
from tests.integration.assets.world import SECRET, SOURCE, World

FAMILIES: dict[str, Any] = {
    "banners": {
        "labels": {"en_US": "Banners"},
        "main_media": "url",
        "link_rules": [
            {
                "product_selections": [{"field": "sku", "operator": "=", "value": "{{sku}}"}],
                "assign_assets_to": [{"attribute": "pictures", "mode": "add"}],
            }
        ],
        "attributes": {
            "url": {"type": "media_link", "media_type": "image"},
            "sku": {"type": "text"},
            "title": {"type": "text", "per_locale": True, "labels": {"en_US": "Title"}},
            "stars": {"type": "number"},
            "tags": {"type": "multiple_options"},
        },
    }
}


@pytest.fixture
def run(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    names = {"client_id": "CLIENT_ID", "secret": "SECRET", "username": "USERNAME"}
    for name, variable in (names | {"password": "PASSWORD"}).items():
        monkeypatch.setenv(f"AKENEO_{variable}", SECRET[name])
    app = typer.Typer()
    app.command()(setup)

    def invoke(*arguments: str, families: Any = None, family: str = "banners") -> Any:
        assets = SOURCE["assets"] | {"families": families or FAMILIES, "family": family}
        assets = json.loads(json.dumps(assets).replace('"packshots"', f'"{family}"'))
        file = tmp_path / "dam.yaml"
        file.write_text(json.dumps(SOURCE | {"assets": assets}))
        options = ["--source", str(file), "--pim", world.settings.akeneo_url, *arguments]
        return CliRunner().invoke(app, options)

    return invoke


def test_a_family_is_made_with_its_attributes_and_rules_and_then_all_is_well(
    run: Any, server: tuple[Pim, str]
) -> None:
    checked = run("--check")
    assert checked.exit_code == 3
    assert "banners" not in server[0].catalog.rows["asset_families"]

    made = run()
    assert made.exit_code == 0, made.output
    pim = server[0].catalog
    assert set(pim.asset_attributes["banners"]) >= {"url", "sku", "title", "stars", "tags"}
    family = pim.rows["asset_families"]["banners"]
    assert family["attribute_as_main_media"] == "url"
    assert family["product_link_rules"]

    again = run("--check")
    assert again.exit_code == 0, again.output
    assert "create" not in again.output


def test_what_akeneo_never_changes_is_a_conflict_and_changes_nothing(
    run: Any, server: tuple[Pim, str]
) -> None:
    families = {"packshots": {"attributes": {"sku": {"type": "number"}, "new": {"type": "text"}}}}

    answer = run(families=families, family="packshots")

    assert answer.exit_code == 3
    assert "type is text, the file says number" in answer.output
    assert "new" not in server[0].catalog.asset_attributes["packshots"]


def test_an_attribute_the_file_fills_and_nobody_has_is_told(run: Any) -> None:
    families = {"banners": {"attributes": {"url": {"type": "media_link"}}}}
    answer = run("--check", "--json", families=families)
    problems = [json.loads(line) for line in answer.output.splitlines() if '"missing"' in line]
    assert {"asset family banners has no attribute sku"} <= {p["problem"] for p in problems}
