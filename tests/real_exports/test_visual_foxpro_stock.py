"""A stock file of Visual FoxPro: repeated articles, blank dates, zero for nothing."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    media,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

MAPPING = "tests/data/mappings/visual_foxpro_stock.yaml"
PIM = "trade.json"


def real() -> Export:
    return real_export("systemx_stock.xml", MAPPING, PIM)


def own() -> Export:
    return own_export("visual_foxpro_stock.xml", MAPPING, PIM)


def test_the_mapping_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_all_1393_rows_but_the_44_for_things_without_a_number() -> None:
    assert real().states == {"mapped": 1349, "filtered": 44}
    assert len({r.identifier for r in real().records if r.identifier}) == 1283
    assert real().summary.repeated == 66


def test_an_article_with_prices_of_four_decimals() -> None:
    deck = real()["PBWORSKBLK"]
    assert value(deck, "name", "en_US") == "Playboater Work Deck SK Black"
    assert value(deck, "price") == price("79.99", "GBP")
    assert value(deck, "price_ex_vat") == price("66.6583", "GBP")
    assert value(deck, "weight") == {"amount": "1", "unit": "KILOGRAM"}
    assert (value(deck, "stock"), value(deck, "free_stock")) == ("5", "5")
    assert value(deck, "erp_id") == "2"
    assert value(deck, "on_order") == "0"
    assert value(deck, "entered") is None
    assert value(deck, "updated") == "2012-02-23"
    assert value(deck, "promised") is None
    assert value(deck, "tax_code") == "T1"


def test_rows_of_one_article_say_the_same_and_the_next_delivery_is_the_earliest() -> None:
    boats = [r.payload for r in real().records if r.identifier == "LLREM69Y"]
    assert len(boats) == 3
    assert boats[0] == boats[1] == boats[2]
    boat = real()["LLREM69Y"]
    assert value(boat, "promised") == "2012-08-13"
    assert value(boat, "on_order") == "4"
    assert value(boat, "price") == price("799.95", "GBP")
    assert value(real()["ECKWHE"], "price") == price("19.9525", "GBP")
    assert value(real()["ECKWHE"], "promised") == "2012-08-10"


def test_discontinued_articles_are_off_and_others_on() -> None:
    off = {r.identifier for r in real().records if field(r, "enabled") is False}
    assert off == {
        "ASTBELSMG",
        "WATSHO",
        "LLCOUADA",
        "LLCOUWHE",
        "LLREM79RM",
        "LLSTO90RM",
        "OBMESCB",
    }


def test_a_windows_path_gives_the_name_of_the_picture() -> None:
    assert media(real()["HANDIHR20"]) == {"image": "HR20.JPG"}
    assert media(own()["TENT4"]) == {"image": "TENT4.JPG"}


def test_letters_of_windows_1252_and_zero_as_no_price() -> None:
    tent = own()["TENT4"]
    assert value(tent, "name", "en_US") == "Zelt für 4 – grün"
    assert value(tent, "price_ex_vat") is None
    assert value(tent, "promised") == "2026-10-15"
    assert value(own()["PEG"], "description", "en_US") == "Steel, 20 cm"
    assert value(own()["PEG"], "entered") == "2009-11-19"


def test_what_cannot_be_read_is_named_all_at_once() -> None:
    assert own().states == {"mapped": 3, "filtered": 1, "rejected": 1}
    errors = {e.attribute: e for e in own().records[4].errors}
    assert errors["enabled"].value == "maybe"
    assert errors["price"].value == "9,95"
    assert errors["promised"].value == "31/02/26"
    assert len(errors) == 3
