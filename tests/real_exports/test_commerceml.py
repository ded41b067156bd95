"""CommerceML 2: the offers of a 1C, with what they have in common in a second file."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    media,
    own_export,
    price,
    problems_of,
    value,
)

MAPPING = "docs/mappings/commerceml.yaml"
PIM = "goods.json"


def own() -> Export:
    return own_export(
        "commerceml_offers.xml", MAPPING, PIM, second=("goods", "commerceml_import.xml")
    )


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_each_offer_is_a_product_and_those_with_characteristics_share_a_model() -> None:
    assert [(r.resource, r.identifier) for r in own().records if r.state == "mapped"] == [
        ("product_model", "a1"),
        ("product", "a1#o1"),
        ("product_model", "a1"),
        ("product", "a1#o2"),
        ("product", "a2"),
    ]
    assert own().states == {"mapped": 5, "filtered": 1}


def test_the_model_has_what_the_goods_say() -> None:
    model = own()["a1"]
    assert value(model, "name", "ru_RU") == "Туфли женские"
    assert value(model, "description", "ru_RU") == "Лёгкие туфли, <b>кожа</b> и «замша»"
    assert value(model, "brand") == "ooo_kabluk"
    assert labels(model, "brand") == {"ooo_kabluk": {"ru_RU": "ООО «Каблук»"}}
    assert value(model, "vat_rate") == "20"
    assert field(model, "categories") == ["cml_g_2"]


def test_a_property_chosen_from_a_list_is_its_text_and_one_that_is_typed_is_itself() -> None:
    model = own()["a1"]
    assert value(model, "colour") == "temno_siniy"
    assert labels(model, "colour") == {"temno_siniy": {"ru_RU": "Тёмно-синий"}}
    assert value(model, "material") == "kozha"


def test_a_variant_has_its_size_prices_and_stock() -> None:
    small, large = own()["a1#o1"], own()["a1#o2"]
    assert field(small, "parent") == "a1"
    assert value(small, "size") == "36"
    assert value(small, "ean") == "2000000000015"
    assert value(small, "mpn") == "Т-1234"
    assert value(small, "price") == price("4500", "RUB")
    assert value(small, "trade_price") == price("3900.5", "RUB")
    assert value(small, "stock") == 7
    assert value(small, "weight") == {"amount": "0.75", "unit": "KILOGRAM"}
    assert media(small) == {"image": "import_files/a1/1.jpg", "image_2": "import_files/a1/2.jpg"}
    assert value(large, "size") == "37_1_2"
    assert labels(large, "size") == {"37_1_2": {"ru_RU": "37½"}}
    assert value(large, "price") == price("4600", "RUB")
    assert value(large, "stock") == 0


def test_goods_without_characteristics_are_a_product() -> None:
    cream = own()["a2"]
    assert field(cream, "family") == "goods"
    assert field(cream, "enabled") is True
    assert field(cream, "categories") == ["cml_g_1"]
    assert value(cream, "name", "ru_RU") == "Крем для обуви"
    assert value(cream, "vat_rate") == "0"
    assert value(cream, "price") == price("199.9", "RUB")
    assert value(cream, "weight") is None


CATALOG = "docs/mappings/commerceml_catalog.yaml"


def test_goods_take_their_prices_and_stock_from_the_second_file() -> None:
    catalogue = own_export(
        "commerceml_import.xml", CATALOG, PIM, second=("offers", "commerceml_offers.xml")
    )
    cream = catalogue["a2"]
    assert value(cream, "price") == price("199.9", "RUB")
    assert value(cream, "trade_price") is None
    assert value(cream, "stock") == 120
    assert value(catalogue["a1"], "brand") == "ooo_kabluk"
    assert value(catalogue["a1"], "colour") == "temno_siniy"
    assert problems_of(CATALOG, PIM) == ()
