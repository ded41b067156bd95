"""`assets preview` against a DAM behind a real socket: no AWS, no PIM."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build
from simulators.dam.dam import Dam
from simulators.dam.server import application
from tests.integration.dam_server import served

SOURCE = """
source: sim
base_url: {url}
auth: {{kind: bearer, token: "{{{{secret.token}}}}"}}
list:
  path: /offset/assets
  params: {{"filter[updated_at][_gte]": "{{{{since}}}}", sort: updated_at, limit: "{{{{limit}}}}",
            offset: "{{{{offset}}}}"}}
  items: data
  pagination: {{kind: offset, size: 20}}
updated: updated_at
since: {{format: iso_ms_z}}
item: {{get: "/assets/{{{{id}}}}", item: data}}
deleted: {{flag: deleted}}
assets:
  family: packshots
  only: contains(tags, 'product')
  attributes:
    title: title
    url: url
    sku: {{from: name, steps: [{{extract: "^(SKU-[0-9]+)_"}}]}}
"""


@pytest.fixture
def dam() -> Dam:
    dam = Dam(token=TOKEN)
    for _ in range(30):
        dam.library.add()
    dam.library.add(tags=["party"])
    return dam


@pytest.fixture
def source(dam: Dam, tmp_path: Path) -> Iterator[Path]:
    with served(application(dam)) as url:
        file = tmp_path / "sim.yaml"
        file.write_text(SOURCE.format(url=url))
        yield file


TOKEN = "s3cret-of-the-dam"


def preview(*arguments: str, token: str = TOKEN) -> tuple[int, list[Any], str]:
    result = CliRunner().invoke(
        build(), ["assets", "preview", *arguments], env={"DAM_SECRET_TOKEN": token}
    )
    if result.exception and not isinstance(result.exception, SystemExit):
        return 1, [], str(result.exception)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return result.exit_code, lines, result.stderr


def test_every_asset_of_the_dam_is_shown_as_it_would_be_sent(source: Path) -> None:
    status, lines, said = preview("--source", str(source))
    assert status == 0, said
    assert [line["state"] for line in lines].count("mapped") == 30
    assert [line["state"] for line in lines].count("filtered") == 1
    first = lines[0]
    assert (first["asset_family"], first["code"]) == ("packshots", "a000001")
    assert first["payload"]["values"]["sku"] == [
        {"locale": None, "channel": None, "data": "SKU-00001"}
    ]
    assert "31 assets" in said


def test_with_a_state_file_the_second_run_shows_only_what_changed(
    source: Path, dam: Dam, tmp_path: Path
) -> None:
    state = str(tmp_path / "state.json")
    assert len(preview("--source", str(source), "--state", state)[1]) == 31
    assert preview("--source", str(source), "--state", state)[1] == []
    dam.library.change("a000007", title="Another title")
    dam.library.change("a000008", not_mapped="so nothing changes in the PIM")
    dam.library.delete("a000009")
    dam.habits.deleted_in_list = True
    status, lines, said = preview("--source", str(source), "--state", state)
    assert status == 0, said
    assert {(line["code"], line["state"]) for line in lines} == {
        ("a000007", "mapped"),
        ("a000009", "ignored"),
    }


def test_what_is_gone_without_a_trace_is_found_in_the_full_list(
    source: Path, dam: Dam, tmp_path: Path
) -> None:
    text = source.read_text()
    source.write_text(text.replace("{flag: deleted}", "{absent: reconcile}"))
    state = str(tmp_path / "state.json")
    preview("--source", str(source), "--state", state)
    dam.library.delete("a000009")
    assert preview("--source", str(source), "--state", state, "--no-reconcile")[1] == []
    lines = preview("--source", str(source), "--state", state)[1]
    assert [(line["code"], line["state"]) for line in lines] == [("a000009", "ignored")]
    assert preview("--source", str(source), "--state", state)[1] == []
    for number in (1, 2, 3):
        dam.library.delete(f"a00000{number}")
    _status, lines, said = preview("--source", str(source), "--state", state)
    assert len(lines) == 3
    assert "3 of 29 assets are missing" in said


def test_an_asset_that_is_rejected_is_named_by_its_code(source: Path) -> None:
    source.write_text(source.read_text().replace("title: title", "title: '[{t: name}]'"))
    status, lines, _said = preview("--source", str(source))
    assert status == 3
    assert (lines[0]["asset_family"], lines[0]["code"]) == ("packshots", "a000001")
    assert (lines[0]["state"], lines[0]["payload"]) == ("rejected", None)


def test_a_list_for_an_attribute_that_nobody_declared_is_taken_for_options(source: Path) -> None:
    source.write_text(source.read_text().replace("title: title", "title: title\n    tags: tags"))
    status, lines, said = preview("--source", str(source), "--limit", "1")
    assert status == 0, said
    assert lines[0]["payload"]["values"]["tags"][0]["data"] == ["product"]


def test_a_limit_holds_the_cursor_back_so_that_nothing_is_passed_over(
    source: Path, tmp_path: Path
) -> None:
    state = str(tmp_path / "state.json")
    seen = []
    for _ in range(4):
        status, lines, _said = preview("--source", str(source), "--state", state, "--limit", "10")
        assert status == 0
        seen += [line["code"] or "filtered" for line in lines]
    assert len(seen) == len(set(seen)) == 31


def test_since_leaves_out_what_changed_before(source: Path) -> None:
    assert preview("--source", str(source), "--since", "2100-01-01T00:00:00Z")[1] == []


def test_a_wrong_token_is_named_as_such_and_not_shown(source: Path) -> None:
    status, lines, said = preview("--source", str(source), token="wrong-but-long-token")
    assert status != 0
    assert lines == []
    assert "401" in said
    assert "wrong-but-long-token" not in said
