"""Openbravo: CDATA everywhere, foreign keys of 32 hex digits, a language per organisation."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    own_export,
    problems_of,
    real_export,
    value,
)

MAPPING = "tests/data/mappings/openbravo.yaml"
PIM = "trade.json"


def real() -> Export:
    return real_export("openbravo_m_product.xml", MAPPING, PIM)


def own() -> Export:
    return own_export("openbravo.xml", MAPPING, PIM)


def test_the_mapping_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_all_47_products_are_sent_one_of_them_as_the_model_of_six() -> None:
    assert real().states == {"mapped": 47}
    rules = [r.rule for r in real().records]
    assert (rules.count("generic"), rules.count("variant"), rules.count("product")) == (1, 6, 40)


def test_names_in_the_language_of_the_organisation() -> None:
    juice, wine = real()["US/0007"], real()["ES/0005"]
    assert value(juice, "name", "en_US") == "Orange Juice bio"
    assert value(juice, "description", "en_US") == "Orange juice with no chemical additifs."
    assert value(wine, "name", "es_ES") == "Vino Blanco 0,75L"
    assert value(wine, "description", "es_ES") == "Vino Blanco del Penedès."
    assert value(wine, "name", "en_US") is None


def test_flags_dates_category_and_number_of_the_erp() -> None:
    juice, rent = real()["US/0007"], real()["SER-004"]
    assert field(juice, "enabled") is True
    assert field(juice, "categories") == ["ob_291B401A38354A2C8247DFF0DFBDF4AE"]
    assert value(juice, "erp_id") == "0DC5C5281B3643DEAB978EB04139516B"
    assert value(juice, "created") == "2013-07-04"
    assert value(juice, "product_type") == "item"
    assert value(rent, "product_type") == "service"
    assert (value(rent, "stocked"), value(rent, "sellable")) == (False, False)
    assert value(rent, "purchasable") is True
    assert (value(juice, "weight"), value(juice, "volume")) == (None, None)  # 0 in the file


def test_variants_find_their_generic_product_by_its_key() -> None:
    model, bottle = real()["waterBottleCustom"], real()["waterBottleCustomrs4"]
    assert (model.resource, field(model, "family_variant")) == ("product_model", "by_color_size")
    assert value(model, "name", "es_ES") == "Custom Water Bottle"
    assert field(bottle, "parent") == "waterBottleCustom"
    assert (value(bottle, "color"), value(bottle, "size")) == ("red", "small")
    assert labels(bottle, "color") == {"red": {"en_US": "Red"}}
    assert value(bottle, "updated") == "2024-06-04"


def test_a_variant_before_its_generic_product_and_text_that_looks_like_markup() -> None:
    cup, blue = own()["CUP"], own()["CUP/B"]
    assert value(cup, "name", "es_ES") == "Taza & plato"
    assert field(blue, "parent") == "CUP"
    assert field(blue, "enabled") is False
    assert value(blue, "updated") == "2026-01-31"
    assert labels(blue, "color") == {"sky_blue": {"en_US": "Sky Blue"}}


def test_an_organisation_that_is_not_mapped_rejects_its_products() -> None:
    assert own().states == {"mapped": 2, "rejected": 1}
    errors = own().records[2].errors
    assert [(e.attribute, e.message) for e in errors] == [
        ("name", '"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF" is not in the map')
    ]
