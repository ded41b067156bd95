"""Enactor Retail: styles and SKUs under names of their own, thirteen namespaces on each."""

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

MAPPING = "tests/data/mappings/enactor.yaml"
PIM = "fashion.json"


def real() -> Export:
    return real_export("enactor_product.xml", MAPPING, PIM)


def own() -> Export:
    return own_export("enactor.xml", MAPPING, PIM)


def test_the_mapping_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_eight_styles_are_models_and_five_skus_their_variants() -> None:
    assert real().states == {"mapped": 13}
    resources = [r.resource for r in real().records]
    assert resources == ["product_model"] * 8 + ["product"] * 5


def test_a_style_with_texts_category_and_picture() -> None:
    shirt = real()["DF517XM"]
    assert value(shirt, "name", "en_GB") == "Button Down Collar Western Sh"
    assert value(shirt, "description", "en_GB") == "Check Button Down Collar Western Shirt."
    assert value(shirt, "details", "en_GB") == "Machine washable.Cotton."
    assert field(shirt, "categories") == ["MENS_SHIRTS"]
    assert field(shirt, "family_variant") == "by_color_size"
    assert value(shirt, "tax_class") == "A"
    assert value(shirt, "updated") == "2014-05-20"
    assert media(shirt) == {"image": "PRODUCT/DF517XM-2.jpg"}


def test_internal_is_no_brand_all_is_no_season_and_zero_is_no_cost() -> None:
    shirt, oxford, dress = real()["DF517XM"], real()["ID816BN"], real()["MB709SN"]
    assert (value(shirt, "brand"), value(shirt, "season")) == (None, None)
    assert value(shirt, "cost_price") is None
    assert value(oxford, "brand") == "BEN_SHERMAN"
    assert value(dress, "season") == "SUMMER"


def test_a_text_that_is_empty_is_not_sent_and_line_breaks_stay() -> None:
    assert value(real()["NL117CN"], "details", "en_GB") is None
    bag = value(real()["NL616HN"], "details", "en_GB")
    assert bag == "Wipe clean only.\nOuter: PU. Lining: Polyester."


def test_a_sku_knows_its_style_colour_and_size() -> None:
    shoe = real()["VV639JS-12"]
    assert field(shoe, "parent") == "VV639JS"
    assert field(shoe, "enabled") is True
    assert (value(shoe, "color"), value(shoe, "size")) == ("RED", "12")
    assert value(shoe, "variant_name", "en_GB") == "Vans Canvas Shoes"
    assert (value(shoe, "stocked"), value(shoe, "orderable")) == (True, True)
    assert labels(shoe, "color") == {"RED": {}}


def test_templates_are_left_out_by_the_flag_of_the_product_and_not_of_its_parts() -> None:
    assert own().states == {"mapped": 2, "filtered": 1}
    scarf, sku = own()["ST1"], own()["ST1-9"]
    assert value(scarf, "name", "fr_FR") == "Écharpe en laine"
    assert value(scarf, "brand") == "ACME"
    assert value(scarf, "season") == "WINTER"
    assert value(scarf, "cost_price") == price("4.2", "GBP")
    assert value(scarf, "updated") == "2026-03-01"
    assert field(sku, "enabled") is False
    assert value(sku, "color") == "DARK_RED"
