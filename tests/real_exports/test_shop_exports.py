"""Exports of shops: Shopware 5, WooCommerce with its variants, PrestaShop with its languages."""

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
WOOCOMMERCE = "docs/mappings/woocommerce.yaml"
PIM = "goods.json"


def shopware() -> Export:
    return own_export("shopware5.xml", SHOPWARE, PIM)


def prestashop() -> Export:
    return own_export("prestashop.xml", PRESTASHOP, PIM)


def woocommerce() -> Export:
    return own_export("woocommerce.xml", WOOCOMMERCE, PIM)


def test_the_starters_fit_their_pim() -> None:
    assert problems_of(WOOCOMMERCE, PIM) == ()
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


def test_items_of_woocommerce_are_models_variants_products_and_pictures() -> None:
    found = [(r.state, r.resource, r.identifier) for r in woocommerce().records]
    assert found[:4] == [
        ("mapped", "product_model", "M-1"),
        ("mapped", "product", "seife-lavendel"),
        ("mapped", "product", "M-1-BM"),
        ("mapped", "product", "M-1-BL"),
    ]
    assert {state for state, _, _ in found[4:]} == {"filtered"}


def test_a_model_of_woocommerce_has_texts_categories_and_the_day_it_was_made() -> None:
    model = woocommerce().records[0]
    assert value(model, "name", "de_DE") == "Wollmütze"
    assert value(model, "description", "de_DE") == "<p>Warm &amp; weich.</p>"
    assert value(model, "short_description", "de_DE") == "Warm"
    assert value(model, "created") == "2024-05-06"
    assert field(model, "categories") == ["shop_muetzen"]
    assert field(model, "family_variant") == "by_colour_and_size"


def test_variants_of_woocommerce_name_their_model_and_have_axes_prices_and_pictures() -> None:
    medium, large = woocommerce()["M-1-BM"], woocommerce()["M-1-BL"]
    assert (field(medium, "parent"), field(large, "parent")) == ("M-1", "M-1")
    assert (field(medium, "enabled"), field(large, "enabled")) == (True, False)
    assert (value(medium, "colour"), value(medium, "size")) == ("blau", "m")
    assert value(large, "price") == price("21.9", "EUR")
    assert value(large, "list_price") == price("21.9", "EUR")
    assert (value(medium, "stock"), value(large, "stock")) == (0, None)
    assert media(medium) == {"image": "https://shop.example/uploads/bild-33.jpg"}
    assert media(large) == {}


def test_a_simple_product_of_woocommerce_has_its_reduced_price_and_both_pictures() -> None:
    soap = woocommerce()["seife-lavendel"]
    assert value(soap, "price") == price("3.95", "EUR")
    assert value(soap, "list_price") == price("4.5", "EUR")
    assert value(soap, "weight") == {"amount": "0.1", "unit": "KILOGRAM"}
    assert value(soap, "tags") == ["neu"]
    assert field(soap, "categories") == ["shop_bad", "shop_geschenke"]
    assert media(soap) == {
        "image": "https://shop.example/uploads/bild-32.jpg",
        "image_2": "https://shop.example/uploads/bild-31.jpg",
    }
