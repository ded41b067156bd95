"""Exports of shops: Shopware 5 with its variants, PrestaShop with languages that are numbers."""

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

SHOPWARE = "docs/mappings/shopware5.yaml"
PRESTASHOP = "docs/mappings/prestashop.yaml"
PIM = "goods.json"


def shopware() -> Export:
    return own_export("shopware5.xml", SHOPWARE, PIM)


def prestashop() -> Export:
    return own_export("prestashop.xml", PRESTASHOP, PIM)


def test_the_starters_fit_their_pim() -> None:
    assert problems_of(SHOPWARE, PIM) == ()
    assert problems_of(PRESTASHOP, PIM) == ()


def test_an_article_with_configurators_is_a_variant_and_the_main_one_is_the_model_too() -> None:
    mapped = [(r.resource, r.identifier) for r in shopware().records if r.state == "mapped"]
    assert mapped == [
        ("product_model", "SW10001"),
        ("product", "SW10001"),
        ("product", "SW10001.1"),
        ("product", "SW10005"),
    ]


def test_the_model_of_shopware_has_texts_in_the_languages_of_its_translations() -> None:
    model = shopware().records[0]
    assert value(model, "name", "de_DE") == "Sommer-Sandale Ocean"
    assert value(model, "name", "en_US") == "Summer sandal Ocean"
    assert value(model, "description", "de_DE") == "<p>Sch&ouml;n &amp; leicht.</p>"
    assert value(model, "description", "en_US") == "Nice and light."
    assert value(model, "brand") == "strand_sohne"
    assert labels(model, "brand") == {"strand_sohne": {"de_DE": "Strand & Söhne"}}
    assert value(model, "material") == "leder"
    assert value(model, "vat_rate") == "19"
    assert field(model, "categories") == ["shop_35", "shop_41"]
    assert field(model, "associations") == {"X_SELL": {"products": ["SW10005"]}}


def test_variants_of_shopware_have_axes_prices_and_pictures() -> None:
    blue, large = shopware()["SW10001"], shopware()["SW10001.1"]
    assert field(blue, "parent") == "SW10001"
    assert (value(blue, "size"), value(blue, "colour")) == ("36", "meerblau")
    assert value(blue, "price") == price("59.99", "EUR")
    assert value(blue, "list_price") == price("79.99", "EUR")
    assert value(blue, "trade_price") == price("42", "EUR")
    assert value(blue, "weight") == {"amount": "0.35", "unit": "KILOGRAM"}
    assert value(blue, "available_from") == "2024-04-16"
    assert media(blue) == {
        "image": "http://shop.example/media/image/sandale-blau.jpg",
        "image_2": "http://shop.example/media/image/sandale-2.jpg",
    }
    assert field(large, "enabled") is False
    assert value(large, "price") == price("1059.99", "EUR")
    assert value(large, "list_price") is None
    assert value(large, "stock") == 0


def test_an_article_of_shopware_without_variants_is_a_product() -> None:
    towel = shopware()["SW10005"]
    assert field(towel, "family") == "goods"
    assert value(towel, "name", "de_DE") == "Strandtuch Ibiza"
    assert value(towel, "price") == price("19.95", "EUR")
    assert value(towel, "stock") == -3


def test_languages_of_prestashop_are_numbers() -> None:
    assert prestashop().states == {"mapped": 2}
    shirt = prestashop()["demo_1"]
    assert value(shirt, "name", "en_US") == 'T-shirt "Fox" & friends'
    assert value(shirt, "name", "fr_FR") == "T-shirt « Renard »"
    assert value(shirt, "description", "en_US") == "<p>Soft &amp; light.</p>"
    assert value(shirt, "description", "fr_FR") is None
    assert value(shirt, "short_description", "fr_FR") == "<p>Coton</p>"


def test_zeros_of_prestashop_mean_not_filled_in_but_for_the_stock() -> None:
    shirt, sweater = prestashop()["demo_1"], prestashop()["demo_3"]
    assert value(shirt, "weight") == {"amount": "0.3", "unit": "KILOGRAM"}
    assert value(shirt, "width") is None
    assert value(shirt, "available_from") is None
    assert value(shirt, "stock") == 0
    assert value(shirt, "ean") is None
    assert value(sweater, "width") == {"amount": "35.5", "unit": "CENTIMETER"}
    assert value(sweater, "weight") is None
    assert value(sweater, "available_from") == "2024-01-01"
    assert value(sweater, "ean") == "4006381333931"


def test_accessories_of_prestashop_are_ids_and_become_references() -> None:
    shirt, sweater = prestashop()["demo_1"], prestashop()["demo_3"]
    assert field(shirt, "associations") == {"X_SELL": {"products": ["demo_3"]}}
    assert field(sweater, "associations") is None
    assert field(shirt, "categories") == ["shop_2", "shop_4"]
    assert (field(shirt, "enabled"), field(sweater, "enabled")) == (True, False)
    assert value(shirt, "price") == price("23.9", "EUR")
    assert value(shirt, "created") == "2023-04-18"
    assert value(shirt, "material") == "cotton"
    assert media(shirt) == {
        "image": "https://shop.example/1-large_default/picture.jpg",
        "image_2": "https://shop.example/2-large_default/picture.jpg",
    }
