"""GS1 GDSN, catalogue item notification: a case and the bar of chocolate in it."""

from __future__ import annotations

from tests.real_exports.exports import Export, labels, own_export, problems_of, value

MAPPING = "docs/mappings/gdsn_cin.yaml"
PIM = "goods.json"


def own() -> Export:
    return own_export("gdsn_cin.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_trade_items_of_every_level_are_products_by_their_gtin() -> None:
    assert own().states == {"mapped": 2}
    assert [record.identifier for record in own().records] == ["14006381333931", "04006381333931"]
    assert value(own()["14006381333931"], "product_type") == "case"


def test_modules_say_texts_by_language_and_measures_by_unit() -> None:
    bar = own()["04006381333931"]
    assert value(bar, "name", "de_DE") == "Schokolade 100 g"
    assert value(bar, "name", "fr_FR") == "Chocolat 100 g"
    assert value(bar, "brand") == "choco"
    assert labels(bar, "brand") == {"choco": {"de_DE": "Choco"}}
    assert value(bar, "weight") == {"amount": "112", "unit": "GRAM"}
    assert value(bar, "height") == {"amount": "160", "unit": "MILLIMETER"}
    assert value(bar, "erp_group") == "10000045"
    assert value(own()["14006381333931"], "name", "de_DE") == "Karton Schoko"
