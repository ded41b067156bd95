"""Every mapping of docs/mappings is in its list, with the structure it fits as it is."""

from __future__ import annotations

import re

import pytest

from tests.real_exports.exports import PROJECT, mapping_text, problems_of

LIST = (PROJECT / "docs/mappings/README.md").read_text()
LISTED = dict(re.findall(r"^\| `(\S+\.yaml)` \|.*\| `(\S+\.json)` \|$", LIST, re.MULTILINE))


def test_the_list_has_every_mapping_and_no_other() -> None:
    assert sorted(LISTED) == sorted(p.name for p in (PROJECT / "docs/mappings").glob("*.yaml"))


@pytest.mark.parametrize(("mapping", "structure"), LISTED.items())
def test_a_mapping_fits_the_structure_the_list_names(mapping: str, structure: str) -> None:
    assert problems_of(f"docs/mappings/{mapping}", structure) == ()


@pytest.mark.parametrize("mapping", LISTED)
def test_editors_find_the_schema_by_the_first_line(mapping: str) -> None:
    first = mapping_text(f"docs/mappings/{mapping}").splitlines()[0]
    assert first == "# yaml-language-server: $schema=../mapping.schema.json"
