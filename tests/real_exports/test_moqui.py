"""Moqui: the same entity inside its product under a short name, and beside it under its own."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    media,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

MAPPING = "tests/data/mappings/moqui.yaml"
PIM = "fashion.json"
BILL = "BILL_OF_MATERIALS"


def real() -> Export:
    return real_export("moqui_product_demo.xml", MAPPING, PIM)


def own() -> Export:
    return own_export("moqui.xml", MAPPING, PIM)


def test_the_mapping_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_all_thirteen_products_are_sent_and_none_that_is_commented_out() -> None:
    assert real().states == {"mapped": 13}
    assert [r.identifier for r in real().records] == [
        "DEMO_SA_1",
        "DEMO_SA_2",
        "DEMO_RM_1",
        "DEMO_UNIT",
        "DEMO_1_1",
        "DEMO_1_2",
        "DEMO_2_1",
        "DEMO_3_1",
        "DEMO_PA",
        "DEMO_VAR",
        "EQUIP_1",
        "EQUIP_AB4",
        "DEMO_DIG_SER",
    ]


def test_a_product_with_everything_inside() -> None:
    product = real()["DEMO_1_1"]
    assert value(product, "name", "en_US") == "Demo Product One-One"
    assert value(product, "description", "en_US") == (
        "<p>The first product of the first category.</p>"
        "<p>If that doesn't impress you our price will!</p>"
    )
    assert value(product, "list_price") == price("19.99", "USD")
    assert value(product, "price") == price("18.99", "USD")
    assert value(product, "purchase_price") == price("9", "USD")
    assert value(product, "weight") == {"amount": "5", "unit": "POUND"}
    assert value(product, "available_from") == "2010-02-03"
    assert value(product, "returnable") is True
    assert field(product, "categories") == ["PopcAllProducts", "DEMO_ONE"]
    assert media(product) == {
        "image": "SimpleScreens/screen/ssstatic/images/Parties.png",
        "image_2": "SimpleScreens/screen/ssstatic/images/Sales.png",
        "image_3": "SimpleScreens/screen/ssstatic/images/Vendor.png",
    }


def test_a_product_with_everything_beside_it() -> None:
    product = real()["DEMO_3_1"]
    assert value(product, "price") == price("7.77", "USD")
    assert value(product, "purchase_price") == price("4.5", "USD")
    assert value(product, "weight") == {"amount": "0.5", "unit": "POUND"}
    assert field(product, "categories") == ["PopcAllProducts", "DEMO_THREE"]
    assert field(product, "quantified_associations") == {
        BILL: {
            "products": [
                {"identifier": "DEMO_SA_1", "quantity": 1},
                {"identifier": "DEMO_SA_2", "quantity": 1},
                {"identifier": "DEMO_RM_1", "quantity": 2},
            ]
        }
    }


def test_bundle_model_and_a_price_with_a_comma_for_thousands() -> None:
    bundle, model = real()["DEMO_PA"], real()["DEMO_VAR"]
    assert field(bundle, "quantified_associations") == {
        "BUNDLE": {
            "products": [
                {"identifier": "DEMO_1_1", "quantity": 1},
                {"identifier": "DEMO_2_1", "quantity": 2},
            ]
        }
    }
    assert value(bundle, "price") == price("39.99", "USD")
    assert (model.resource, field(model, "family_variant")) == ("product_model", "by_color_size")
    assert value(model, "list_price") == price("29.99", "USD")
    assert value(real()["EQUIP_1"], "purchase_price") == price("12000", "USD")
    assert value(real()["EQUIP_AB4"], "purchase_price") == price("4000", "USD")
    assert value(real()["EQUIP_AB4"], "available_from") == "2020-01-01"
    assert value(real()["DEMO_1_2"], "price") == price("11119.99", "USD")


def test_both_ways_of_writing_in_one_product() -> None:
    assert own().states == {"mapped": 1}
    lamp = own()["LAMP"]
    assert value(lamp, "price") == price("1249.9", "EUR")
    assert value(lamp, "list_price") is None
    assert value(lamp, "purchase_price") == price("600", "EUR")
    assert value(lamp, "weight") == {"amount": "2.5", "unit": "KILOGRAM"}
    assert value(lamp, "description", "en_US") == "<p>Warm &amp; bright</p>"
    assert value(lamp, "available_from") == "2023-03-01"
    assert value(lamp, "returnable") is False
    assert field(lamp, "categories") == ["LIGHT", "NEW"]
    assert field(lamp, "quantified_associations") == {
        BILL: {"products": [{"identifier": "BULB", "quantity": 2}]}
    }
    assert labels(lamp, "product_type") == {"PtAsset": {}}
