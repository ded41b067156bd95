"""Auto Care PIES: codes in attributes, prices joined with their sheets, deletions inside items."""

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

MAPPING = "docs/mappings/pies.yaml"
PIM = "trade.json"


def own() -> Export:
    return own_export("pies.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_the_one_item_of_the_sample() -> None:
    sample = real_export("pies65_stibo_sample.xml", MAPPING, PIM)
    assert sample.states == {"mapped": 1}
    part = sample["VC21499"]
    assert field(part, "enabled") is True
    assert field(part, "categories") == ["pcdb_5696", "aaia_199456"]
    assert value(part, "description", "en_US") == "MKT"
    assert value(part, "name", "en_US") is None
    assert value(part, "gtin") == "11234567890123"
    assert labels(part, "brand") == {"DKGX": {"en_US": "Wako"}}
    assert labels(part, "sub_brand") == {"DMST": {"en_US": "SubBrand Label"}}
    assert value(part, "hazardous") is True
    assert value(part, "hazard_class") == "2.2"
    assert value(part, "base_item") == "VC21"
    assert value(part, "container_type") == "BO"
    assert value(part, "harmonized_code") == "01"
    assert value(part, "min_order_quantity") == "123"
    assert value(part, "order_unit") == "EA"
    assert value(part, "pack_quantity") == "1"
    assert value(part, "part_terminology") == "5696"
    assert value(part, "released") == "2010-08-13"
    assert value(part, "unspsc") == "11223348"
    assert value(part, "package_width") == {"amount": "3.6", "unit": "CENTIMETER"}
    assert value(part, "price") == price("10", "USD")
    assert value(part, "price_sheet") == "2017 WD Prices"
    # The price's own dates, and not those of its sheet.
    assert (value(part, "price_valid_from"), value(part, "price_valid_to")) == (
        "2008-10-22",
        "2012-10-22",
    )
    assert value(part, "package_height") == {"amount": "10.2", "unit": "CENTIMETER"}
    assert value(part, "package_length") == {"amount": "2", "unit": "CENTIMETER"}
    assert value(part, "package_weight") == {"amount": "12.5", "unit": "POUND"}
    assert value(part, "emission_code") == 1
    assert value(part, "msds_number") == "MSDS26426"
    assert value(part, "interchange") == [
        {"part_number": "GL26409", "brand": "Great Lakes", "notes": "Yellow indicator light"}
    ]
    assert field(part, "quantified_associations") == {
        "KIT": {
            "products": [
                {"identifier": "VC36004", "quantity": 2},
                {"identifier": "VC36009", "quantity": 1},
            ]
        }
    }
    assert media(part) == {"image": "images/SVlight.tif"}


def test_currency_and_dates_come_from_the_sheet_where_the_price_has_none() -> None:
    pads = own()["0042-B"]
    assert value(pads, "price") == price("31.05", "USD")
    assert value(pads, "jobber_price") == price("40", "EUR")
    assert value(pads, "price_valid_from") == "2026-01-01"
    assert value(pads, "price_sheet") == "Jobber 2026"


def test_deleted_segments_are_not_read_and_a_deleted_item_is_switched_off() -> None:
    pads, gone = own()["0042-B"], own()["0041"]
    assert value(pads, "name", "en_US") == "Brake pad set"
    assert value(pads, "short_name", "en_US") == "Brk pads"
    assert value(pads, "name", "es_ES") == "Juego de pastillas"
    assert value(pads, "name", "de_DE") is None
    assert value(pads, "emission_code") is None
    assert field(gone, "enabled") is False


def test_rows_codes_and_paths() -> None:
    pads = own()["0042-B"]
    assert value(pads, "gtin") == "04006381333931"
    assert value(pads, "hazardous") is False
    assert value(pads, "country_of_origin") == "MX"
    assert value(pads, "package_length") == {"amount": "6.25", "unit": "INCH"}
    assert value(pads, "interchange") == [
        {"part_number": "S-1", "brand": "Southern"},
        {"part_number": "E-1", "brand": "Eastern", "notes": "with sensor"},
    ]
    assert media(pads) == {"image": "img/pads/front.jpg"}
