"""What a person is told about a source file that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no stubs here

from pim_connector.dam.loading import load_source
from pim_connector.dam.source import json_schema
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.loading import load_yaml

GOOD = """source: dam
base_url: https://dam.example.com
updated: at
list:
  path: /assets
  params: {since: "{{since}}", limit: "{{limit}}", offset: "{{offset}}"}
  pagination: {kind: offset, size: 50}
"""


def test_a_source_file_needs_little() -> None:
    source = load_source(GOOD.encode(), name="dam.yaml")
    assert (source.source, source.list.mode, source.id) == ("dam", "requery", "id")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("size: 50", "size: many", r"dam.yaml:7: list.pagination.size: expected `int`"),
        ("  path:", "  pfad:", r"dam.yaml:5: list.pfad: no such key"),
        ("kind: offset", "kind: offsets", r"dam.yaml:7: list.pagination.kind: invalid value"),
        ("source: dam", "source: My DAM", r"dam.yaml:1: source: expected `str` matching"),
        ("https://", "", r"dam.yaml:2: base_url: an address such as"),
        ("updated: at", "updated: at ||", r"dam.yaml:3: updated: 'at \|\|' is not JMESPath"),
        ("updated: at\n", "", r"dam.yaml:\d+: updated: needed for mode requery"),
        ("{{since}}", "{{sinse}}", r"dam.yaml:4: list: {{sinse}}: no such placeholder"),
        ('since: "{{since}}", ', "", r"dam.yaml:4: list: {{since}} is missing"),
        ("{{offset}}", "0", r"dam.yaml:4: list: {{offset}} is missing: pagination offset"),
        ("list:", "since: {format: '%d.%m.%Y'}\nlist:", r"dam.yaml:4: since.tz: .*no time zone"),
        ("list:", "since: {tz: Mars}\nlist:", r"dam.yaml:4: since.tz: 'Mars' is no time zone"),
        ("list:", "item: {get: /assets}\nlist:", r"dam.yaml:4: item.get: must use {{id}}"),
        ("list:", "auth: {kind: signer, message: x}\nlist:", r"dam.yaml:4: auth: a signer needs"),
        ("list:", "list:\n  order: desc", r"list.mode: requery asks since a stamp"),
        ("source: dam", "source: dam\nsource: dam", r"dam.yaml:2: .*twice"),
    ],
)
def test_every_mistake_is_told_with_file_line_and_key(old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigurationError, match=said):
        load_source(GOOD.replace(old, new, 1).encode(), name="dam.yaml")


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = GOOD.replace("https://", "").replace("{{offset}}", "0").replace("at\n", "at ||\n")
    with pytest.raises(ConfigurationError) as caught:
        load_source(text.encode(), name="dam.yaml")
    assert len(str(caught.value).splitlines()) == 3


def test_the_json_schema_in_the_documents_is_that_of_the_types() -> None:
    written = (Path(__file__).parents[3] / "docs" / "dam.schema.json").read_text("utf-8")
    assert written == json_schema(), "run: pim-connector assets schema > docs/dam.schema.json"


def test_the_json_schema_takes_the_starters_and_refuses_a_mistake() -> None:
    validator = Draft202012Validator(json.loads(json_schema()))
    for starter in (Path(__file__).parents[3] / "docs" / "dam").glob("*.yaml"):
        data, _ = load_yaml(starter.read_bytes())
        assert list(validator.iter_errors(data)) == [], starter.name
    data, _ = load_yaml(GOOD.replace("kind: offset", "kind: offsets").encode())
    assert list(validator.iter_errors(data))
