"""Editions of the PIM: what each has, one table for code, documents, and the simulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from pim_connector.akeneo.editions import NAMES, NEEDS, Edition, edition_of
from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from simulators.akeneo.catalog import ASSETS, ENTITY_SIMPLE, PRODUCT_LINK
from simulators.akeneo.editions import EDITIONS

DOCUMENT = Path(__file__).parents[3] / "docs" / "editions.md"
LINKING = b"""
version: 1
records:
  p:
    path: /items/item
    identifier: sku
    values:
      successor: {from: next, type: product_link}
"""


def test_the_document_has_the_table_of_the_code() -> None:
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    for code, name in NAMES.items():
        assert f"| `{code}` | {name} |" in rows
    for need in NEEDS.values():
        has = " | ".join("yes" if code in need.editions else "no" for code in NAMES)
        assert f"| {need.what} | {has} | {need.otherwise} |" in rows


@pytest.mark.parametrize("name", EDITIONS)
def test_the_simulator_plays_the_editions_of_the_table(name: str) -> None:
    played = EDITIONS[name]
    edition = Edition(edition=played.code, version=played.version)

    assert edition.has("add_categories") is played.saas
    assert edition.has("create_missing_options") is played.saas
    assert edition.has("product_link") is (PRODUCT_LINK in played.types)
    assert edition.has("asset_manager") is (ASSETS in played.types)
    assert edition.has("reference_entities") is (ENTITY_SIMPLE in played.types)


def test_of_an_edition_that_is_not_in_the_table_nothing_is_assumed() -> None:
    edition = edition_of({"version": "12", "edition": "Nova"})

    assert all(edition.has(feature) is None for feature in NEEDS)
    assert str(edition) == "Akeneo 12 Nova"
    assert Structure().has("add_categories") is None


def test_a_structure_file_carries_edition_and_version_and_round_trips() -> None:
    catalog = {"system_information": {"version": "7.0.3", "edition": "CE", "other": 1}}

    structure = Structure.from_catalog(catalog)

    assert structure.has("asset_manager") is False
    assert str(structure.edition) == "Akeneo 7.0.3 Community Edition"
    assert Structure.from_json(structure.to_json()) == structure


def test_a_mapping_with_product_links_is_refused_for_an_edition_without_them() -> None:
    compiled = compile_mapping(load_mapping(LINKING, name="erp.yaml"))
    older = Structure.from_catalog(
        {"system_information": {"version": "7.0.3", "edition": "EE"}, "attributes": []}
    )

    [problem] = check_against(compiled, older)

    assert "erp.yaml:8" in problem
    assert "product links need a SaaS PIM; this is Akeneo 7.0.3 Enterprise Edition" in problem
