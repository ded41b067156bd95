"""What holds for all starters in docs/mappings: editors accept them, and so does the program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # has no stubs here

from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping, load_yaml
from tests.real_exports.exports import PROJECT

STARTERS = sorted((PROJECT / "docs/mappings").glob("*.yaml"))
SCHEMA = json.loads((PROJECT / "docs/mapping.schema.json").read_text())


@pytest.mark.parametrize("starter", STARTERS, ids=lambda path: path.stem)
def test_a_starter_is_complete_and_editors_underline_nothing_in_it(starter: Path) -> None:
    data = starter.read_bytes()
    compile_mapping(load_mapping(data, name=starter.name))
    assert not list(Draft202012Validator(SCHEMA).iter_errors(load_yaml(data)[0]))
    assert data.startswith(b"# yaml-language-server: $schema=../mapping.schema.json\n#\n# ")


def test_every_starter_is_tried_on_a_file() -> None:
    tests = "".join(p.read_text() for p in (PROJECT / "tests/real_exports").glob("test_*.py"))
    untried = [s.name for s in STARTERS if f"docs/mappings/{s.name}" not in tests]
    assert untried == []
