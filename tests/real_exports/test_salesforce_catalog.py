"""Salesforce B2C Commerce catalogues: masters, variants, variation groups, bundles, sets, sites."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    media,
    own_export,
    problems_of,
    real_export,
    value,
)

MAPPING = "docs/mappings/salesforce_catalog.yaml"
PIM = "fashion.json"
SITES = (
    "  sites: {RefArch: ecommerce}",
    "  sites: {MnP_AE: uae, MnP_SA: saudi_arabia, MnP_KW: kuwait}",
)


def storefront() -> Export:
    return real_export("sfcc_master1.xml", MAPPING, PIM)


def nursery() -> Export:
    return real_export("sfcc_mnp_l.xml", MAPPING, PIM, SITES)


def own() -> Export:
    return own_export("salesforce_catalog.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_all_51_products_are_sent_but_the_four_variation_groups() -> None:
    assert storefront().states == {"mapped": 47, "filtered": 4}
    filtered = [r.line for r in storefront().records if r.state == "filtered"]
    assert filtered == [896, 1067, 1235, 1407]
    assert {r.reason for r in storefront().records if r.reason} == {
        "product: `when` is false: $group_of = ''"
    }


def test_a_master_is_a_model_whose_family_variant_follows_from_its_variation_attributes() -> None:
    master = storefront()["master-product-vg"]
    assert master.resource == "product_model"
    assert field(master, "family_variant") == "by_color_size"
    assert field(master, "categories") == ["clothing"]
    assert value(master, "name", "en_US") == "Ribbed Cotton T-shirt with 4 Variation Groups"
    described = value(master, "short_description", "en_US")
    assert isinstance(described, str)
    assert described.startswith("Denim skirt with a high-rise waist with button & zip closure")
    assert value(master, "details", "en_US") == "Exclusive design\nButton fastening\nRaw hem"
    assert value(master, "material") == "hemp"
    assert value(master, "waterproof") is True
    assert media(master) == {"image": "large/1-1-white.jpg"}


def test_escaped_html_arrives_as_html() -> None:
    text = value(storefront()["master-product-vg"], "description", "en_US")
    assert isinstance(text, str)
    assert text.startswith("<ul>\n")
    assert "<li>Exposed button closure.</li>" in text


def test_variants_find_their_master_and_its_picture_of_their_colour() -> None:
    brown = storefront()["product-vg-brown-l"]
    assert field(brown, "parent") == "master-product-vg"
    assert field(brown, "enabled") is True
    assert (value(brown, "color"), value(brown, "size")) == ("brown", "large")
    assert labels(brown, "color") == {"brown": {"en_US": "Brown"}}
    assert media(brown) == {"image": "large/1-7-brown.jpg"}
    green = storefront()["product-variation-1"]
    assert value(green, "variant_name", "en_US") == "Variations - variation1 green"
    assert value(green, "mpn") == "0000101"
    assert media(green) == {"image": "large/product-variation-green.jpg"}


def test_a_variant_of_three_masters_goes_to_the_first() -> None:
    assert field(storefront()["product-variation-1"], "parent") == "product-variation-master-1"
    parents = [field(r, "parent") for r in storefront().records if r.rule == "variant"]
    assert parents.count("master-product-vg") == 20
    assert parents.count("product-variation-master-1") == 7


def test_a_plain_product_with_brand_pictures_and_cross_sales() -> None:
    product = storefront()["product-1"]
    assert value(product, "name", "en_US") == "Product 1"
    assert value(product, "page_title", "en_US") == "Product page title"
    assert value(product, "brand") == "brand_a"
    assert labels(product, "brand") == {"brand_a": {"en_US": "Brand A"}}
    assert value(product, "mpn") == "0000001"
    assert value(product, "on_sale") is True
    assert value(product, "min_order_quantity") == "1"
    assert value(product, "pictures") == [
        "product_1",
        "product_1_1",
        "product_1_2",
        "product_1_3",
        "product_1_4",
    ]
    # Recommended as well: a master's name and a bundle's that are not in the file.
    assert field(product, "associations") == {
        "X_SELL": {"products": ["product-2", "product-3", "product-4", "product-5"]}
    }


def test_bundles_have_quantities_and_sets_have_members() -> None:
    assert field(storefront()["product-bundle-1"], "quantified_associations") == {
        "BUNDLE": {
            "products": [
                {"identifier": "product-2", "quantity": 1},
                {"identifier": "product-3", "quantity": 1},
                {"identifier": "product-4", "quantity": 1},
            ]
        }
    }
    assert field(storefront()["product-set-1"], "associations") == {
        "PRODUCT_SET": {"products": ["product-1", "product-2", "product-3"]}
    }


def test_all_23_nursery_products_are_sent_and_the_repeated_one_is_named() -> None:
    assert nursery().states == {"mapped": 23}
    assert nursery().summary.repeated == 1
    repeated = [r for r in nursery().records if r.warnings]
    assert [(r.identifier, r.line) for r in repeated] == [("203418444", 257)]


def test_arabic_and_english_names_and_the_default_where_there_is_no_english() -> None:
    wardrobe = nursery()["211397863"]
    assert value(wardrobe, "name", "en_US") == "Atlas Wardrobe - Nimbus White"
    assert value(wardrobe, "name", "ar_AE") == "خزانة أطلس - لون أبيض شاحب"
    assert value(wardrobe, "description", "en_US") == "ATLAS WARDROBE WHITE"
    text = value(wardrobe, "short_description", "en_US")
    assert isinstance(text, str)
    assert text.startswith("<p><strong>Description:</strong></p>")
    assert "Finish &amp; Colour:" in text


def test_a_bar_code_that_is_a_name_is_not_sent() -> None:
    wardrobe = nursery()["211397863"]
    assert (value(wardrobe, "ean"), value(wardrobe, "upc")) == (None, None)
    assert value(wardrobe, "tax_class") == "standard"


def test_site_attributes_become_channels_and_sites_without_channel_are_left_out() -> None:
    wardrobe = nursery()["211397863"]
    assert field(wardrobe, "enabled") is False
    assert field(wardrobe, "categories") == ["wardrobes"]
    assert value(wardrobe, "brand") == "mamas_papas"
    assert value(wardrobe, "gender") == "unisex"
    sent = field(wardrobe, "values")
    assert isinstance(sent, dict)
    assert sent["in_store_pickup"] == [
        {"locale": None, "scope": "uae", "data": True},
        {"locale": None, "scope": "kuwait", "data": True},
        {"locale": None, "scope": "saudi_arabia", "data": True},
    ]


def test_a_variant_before_its_master_in_the_file_has_its_parent() -> None:
    variant = nursery()["203418444"]
    assert field(variant, "parent") == "203418443"
    assert value(variant, "size") == "no_size"
    assert value(variant, "season") == "continuity"
    assert labels(variant, "size")["no_size"]["ar_AE"] == "لا يوجد مقاس"
    assert labels(variant, "color") == {"no_color": {"en_US": "No Color"}}
    model = nursery()["203418443"]
    assert (model.resource, field(model, "family_variant")) == ("product_model", "by_size")
    assert value(model, "name", "en_US") == "BAL- Suit Cover Small 110x60"


def test_a_master_with_its_variant() -> None:
    assert own().states == {"mapped": 3, "filtered": 1}
    jacket = own()["JKT"]
    assert value(jacket, "name", "fr_FR") == "Veste Tempête"
    assert value(jacket, "brand") == "fjall_soner"
    assert value(jacket, "details", "en_US") == "Taped seams\nHood"
    variant = own()["JKT-NVY-M"]
    assert field(variant, "parent") == "JKT"
    assert field(variant, "enabled") is False
    assert value(variant, "ean") == "4006381333931"
    assert labels(variant, "color") == {"nvy": {"en_US": "Navy", "ar_AE": "كحلي"}}
    assert labels(variant, "size") == {"m": {"en_US": "M"}}
    assert media(variant) == {"image": "large/jkt-navy.jpg"}
    assert (value(variant, "gender"), value(variant, "season")) == ("unisex", "aw_26")
    sent = field(variant, "values")
    assert isinstance(sent, dict)
    assert sent["in_store_pickup"] == [{"locale": None, "scope": "ecommerce", "data": True}]


def test_a_product_with_english_before_default_and_a_bar_code_that_is_none() -> None:
    wax = own()["WAX"]
    assert value(wax, "name", "en_US") == "Wax, 100 ml"
    assert value(wax, "ean") is None
    assert value(wax, "min_order_quantity") == "1"
    assert value(wax, "video_url") == "https://video.example/?id=1&play=0"
    assert field(wax, "categories") == ["care", "sale"]
    assert field(wax, "associations") == {"X_SELL": {"products": ["JKT-NVY-M"]}}
    assert field(wax, "quantified_associations") == {
        "BUNDLE": {"products": [{"identifier": "JKT-NVY-M", "quantity": 2}]}
    }
