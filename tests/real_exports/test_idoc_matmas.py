"""SAP IDoc MATMAS: texts by SAP's language keys, units of measure, plants, zeros for nothing."""

from __future__ import annotations

from tests.real_exports.exports import Export, field, own_export, problems_of, value

MAPPING = "docs/mappings/idoc_matmas.yaml"
PIM = "goods.json"


def own() -> Export:
    return own_export("idoc_matmas.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_material_numbers_are_without_the_zeros_in_front_and_long_ones_first() -> None:
    assert own().states == {"mapped": 2}
    assert [record.identifier for record in own().records] == ["100234", "BIT-32-LONG"]


def test_texts_are_in_the_language_that_their_iso_code_or_sap_key_says() -> None:
    drill = own()["100234"]
    assert value(drill, "name", "de_DE") == "Akku-Bohrschrauber 18 V"
    assert value(drill, "name", "en_US") == "Cordless drill 18 V"
    assert value(drill, "name", "fr_FR") == "Perceuse sans fil 18 V"
    text = "Kraftvoller Bohrschrauber mit zwei Gängen.\nMit LED & Koffer."
    assert value(drill, "description", "de_DE") == text


def test_measures_are_those_of_the_base_unit() -> None:
    drill = own()["100234"]
    assert value(drill, "weight") == {"amount": "4.25", "unit": "KILOGRAM"}
    assert value(drill, "net_weight") == {"amount": "4", "unit": "KILOGRAM"}
    assert value(drill, "volume") == {"amount": "34", "unit": "LITER"}
    assert value(drill, "length") == {"amount": "34.5", "unit": "MILLIMETER"}
    assert value(drill, "width") == {"amount": "12", "unit": "MILLIMETER"}
    assert value(drill, "height") == {"amount": "280", "unit": "MILLIMETER"}
    assert value(drill, "pieces_per_carton") == "6"


def test_one_plant_speaks_for_the_product() -> None:
    drill, bits = own()["100234"], own()["BIT-32-LONG"]
    assert value(drill, "customs_tariff") == "84672100"
    assert value(drill, "country_of_origin") == "de"
    assert value(bits, "country_of_origin") is None


def test_zeros_mean_no_date_and_no_weight() -> None:
    drill, bits = own()["100234"], own()["BIT-32-LONG"]
    assert value(drill, "created") == "2018-03-12"
    assert value(drill, "updated") == "2024-05-05"
    assert value(bits, "created") is None
    assert value(bits, "weight") == {"amount": "650", "unit": "GRAM"}
    assert value(bits, "net_weight") is None


def test_what_is_marked_for_deletion_is_disabled() -> None:
    drill, bits = own()["100234"], own()["BIT-32-LONG"]
    assert (field(drill, "enabled"), field(bits, "enabled")) == (True, False)
    assert field(drill, "categories") == ["sap_01050203"]
    assert value(drill, "ean") == "4006381333931"


def test_units_are_iso_codes_or_those_of_sap_itself() -> None:
    level = own_export("idoc_matmas_sap_units.xml", MAPPING, PIM)["200001"]
    assert value(level, "base_unit") == "st"
    assert value(level, "weight") == {"amount": "1.25", "unit": "KILOGRAM"}
    assert value(level, "volume") == {"amount": "420", "unit": "CUBIC_CENTIMETER"}
    assert value(level, "width") == {"amount": "2.5", "unit": "CENTIMETER"}
    assert value(level, "pieces_per_carton") == "12"
