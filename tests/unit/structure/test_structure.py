"""The PIM's structure as data: what is known, what is not known, and what a file may look like."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pim_connector.akeneo.structure import Structure
from pim_connector.errors import ConfigurationError

CATALOG = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {
            "code": "weight",
            "type": "pim_catalog_metric",
            "metric_family": "Weight",
            "decimals_allowed": True,
            "number_min": "0.0000",
            "labels": [],
            "available_locales": None,
        },
        {"code": "color", "type": "pim_catalog_simpleselect"},
        {"code": "size", "type": "pim_catalog_simpleselect", "something_new": 1},
    ],
    "attribute_options": [
        {"code": "Red", "attribute": "color", "labels": {"en_US": "Red", "de_DE": None}}
    ],
    "channels": [
        {"code": "print", "locales": ["de_DE"], "currencies": ["EUR"], "conversion_units": []},
        {"code": "web", "locales": ["en_US", "de_DE"], "currencies": ["USD"]},
    ],
    "locales": [{"code": "fr_FR", "enabled": False}, {"code": "de_DE", "enabled": True}],
    "measurement_families": [
        {"code": "Weight", "units": {"GRAM": {"code": "GRAM", "labels": {}, "symbol": "g"}}}
    ],
    "name": "a catalogue may say more than we read",
}


def structure(**changes: object) -> Structure:
    return Structure.from_catalog({**CATALOG, **changes})


def test_an_attribute_tells_its_type_and_what_shapes_its_values() -> None:
    weight = structure().attribute("weight")
    assert weight is not None
    assert weight.type == "pim_catalog_metric"
    assert weight.metric_family == "Weight"
    assert weight.decimals_allowed
    assert not weight.localizable
    assert weight.number_min == "0.0000"


def test_options_that_were_read_are_told_apart_from_options_that_are_not_known() -> None:
    assert structure().options("color") == frozenset({"Red"})
    assert structure().options("size") == frozenset()
    assert structure().options("not_an_attribute") is None
    assert structure(attribute_options=None).options("color") is None


def test_an_option_is_found_whatever_its_case_as_the_pim_does() -> None:
    option = structure().option("color", "RED")
    assert option is not None
    assert option.code == "Red"
    assert option.labels == {"en_US": "Red"}


def test_a_locale_or_currency_is_active_when_a_channel_uses_it() -> None:
    assert structure().locales == frozenset({"de_DE", "en_US"})
    assert structure().currencies == frozenset({"EUR", "USD"})


def test_without_channels_the_locales_own_flag_counts_and_without_both_nothing_is_known() -> None:
    assert structure(channels=None).locales == frozenset({"de_DE"})
    assert structure(channels=None, locales=None).locales is None
    assert structure(channels=None).currencies is None


def test_units_are_known_per_measurement_family() -> None:
    assert structure().units("Weight") == frozenset({"GRAM"})
    assert structure().units("Length") is None


def test_an_empty_structure_knows_nothing_and_denies_nothing() -> None:
    empty = Structure.from_json(b"{}")
    assert empty.attribute("sku") is None
    assert empty.attributes is None
    assert empty.options("color") is None
    assert empty.asset_options("packshots", "tags") is None


def test_the_main_identifier_is_the_flagged_one_or_the_only_one() -> None:
    two = [
        {"code": "sku", "type": "pim_catalog_identifier"},
        {"code": "ean", "type": "pim_catalog_identifier", "is_main_identifier": True},
    ]
    only, flagged = structure().main_identifier, structure(attributes=two).main_identifier
    assert only is not None
    assert only.code == "sku"
    assert flagged is not None
    assert flagged.code == "ean"


def test_asset_options_belong_to_an_attribute_of_a_family() -> None:
    assets = Structure.from_catalog(
        {
            "asset_families": [{"code": "packshots", "naming_convention": []}],
            "asset_attributes": [
                {"code": "tags", "asset_family": "packshots", "type": "multiple_options"},
                {"code": "view", "asset_family": "packshots", "type": "single_option"},
            ],
            "asset_attribute_options": [
                {"code": "new", "asset_family": "packshots", "attribute": "tags"}
            ],
        }
    )
    assert assets.asset_options("packshots", "tags") == frozenset({"new"})
    assert assets.asset_options("packshots", "view") == frozenset()
    assert assets.asset_options("manuals", "tags") is None


def test_a_structure_survives_the_way_through_json() -> None:
    assert Structure.from_json(structure().to_json()) == structure()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[]", "one JSON object"),
        (b'{"attributes": {}}', "attributes must be a list"),
        (b'{"attributes": ["sku"]}', r"attributes\[0\] must be an object"),
        (b'{"attributes": [{"code": "sku"}]}', r"attributes\[0\] \(code 'sku'\).*`type`"),
        (b'{"families": [{"code": "a", "attributes": 1}]}', r"families\[0\] .*attributes"),
    ],
)
def test_a_file_that_is_not_a_structure_says_where_it_is_wrong(data: bytes, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        Structure.from_json(data, name="structure.json")


VECTORS = Path(__file__).parents[4] / "shared" / "pim-vectors"


@pytest.mark.parametrize("name", ["catalog_technical.json", "catalog_minimal.json"])
def test_a_recorded_catalogue_is_read(name: str) -> None:
    file = VECTORS / name
    if not file.exists():
        pytest.skip(f"SKIPPED LOUDLY: {file} is not there")
    data = file.read_bytes()
    read = Structure.from_json(data)
    assert [a.code for a in read.attributes or ()] == [
        a["code"] for a in json.loads(data)["attributes"]
    ]
    assert Structure.from_json(read.to_json()) == read
