"""cXML Index: parts added, deleted, and configured in the shop."""

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

MAPPING = "docs/mappings/cxml_index.yaml"
PIM = "trade.json"


def own() -> Export:
    return own_export("cxml_index.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_the_one_part_of_the_sample() -> None:
    sample = real_export("cxml_index.xml", MAPPING, PIM)
    assert sample.states == {"mapped": 1}
    part = sample["PROMINATE-SKU"]
    assert value(part, "name", "en_US") == "English description"
    assert value(part, "name", "de_DE") == "German description"
    assert value(part, "price") == price("1.23", "EUR")
    assert value(part, "order_unit") == "EA"
    assert value(part, "price_basis_quantity") == "10"
    assert field(part, "categories") == ["partner_merchandise"]
    assert value(part, "product_url") == "https://example.com/product"
    assert value(part, "lead_time") == {"amount": "2", "unit": "DAY"}
    assert (value(part, "size"), value(part, "color")) == ("l", "red")
    assert value(part, "on_demand") is True
    assert value(part, "extra_note") == "custom_note"
    assert value(part, "expires") == "2026-02-05"
    assert value(part, "territories") == ["DE", "CH", "AT"]
    assert value(part, "supplier_id") == "id"
    assert media(part) == {"image": "https://example.com/product/image.jpg"}


def test_a_description_with_a_short_name_gives_both_and_comments_are_no_text() -> None:
    gloves = own()["GL-10"]
    assert value(gloves, "name", "en_US") == "Work gloves"
    assert value(gloves, "description", "en_US") == "Gloves of goatskin, size 10"
    assert value(gloves, "name", "de_DE") == "Arbeitshandschuhe"
    assert value(gloves, "description", "de_DE") is None


def test_classifications_by_code_and_by_text_and_the_countries_name_stays_a_text() -> None:
    gloves = own()["GL-10"]
    assert field(gloves, "categories") == ["safety", "46181504"]
    assert value(gloves, "territories") == ["NO"]
    assert labels(gloves, "brand") == {"hande_co": {"en_US": "Hände & Co"}}
    assert value(gloves, "mpn") == "0010"
    assert value(gloves, "on_demand") is False
    assert value(gloves, "lead_time") == {"amount": "6", "unit": "DAY"}
    assert value(gloves, "supplier_id") == "123456789"


def test_a_deleted_part_is_switched_off_and_never_created() -> None:
    assert own().states == {"mapped": 3}
    gone = own()["GL-9"]
    assert gone.payload == {"identifier": "GL-9", "enabled": False}


def test_a_part_to_configure_has_a_link_and_no_price() -> None:
    made = own()["GL-X"]
    assert value(made, "punched_out") is True
    assert value(made, "product_url") == "https://shop.example/gloves"
    assert value(made, "name", "en_US") == "Gloves to your measure"
    assert value(made, "price") is None
