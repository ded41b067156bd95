"""Ceneo, Skroutz, OnBuy and a Czech wholesaler's file; values read in the files."""

from __future__ import annotations

import pytest

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

CENEO = "docs/mappings/ceneo.yaml"
SKROUTZ = "docs/mappings/skroutz.yaml"
ONBUY = "tests/data/mappings/onbuy.yaml"
ZBOZI = "tests/data/mappings/zbozi.yaml"
PIM = "shop.json"


@pytest.mark.parametrize("mapping", [CENEO, SKROUTZ, ONBUY, ZBOZI])
def test_the_mapping_fits_its_pim(mapping: str) -> None:
    assert problems_of(mapping, PIM) == ()


class TestCeneo:
    """Everything in attributes; rows with units in the value; a word for "no producer"."""

    def export(self) -> Export:
        return real_export("ceneo_marekkomp.xml", CENEO, PIM)

    def test_all_offers_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 81}

    def test_the_power_supply(self) -> None:
        supply = self.export()["6730"]
        assert value(supply, "name", "pl_PL") == "Oryginalny Zasilacz Lenovo USB typ C 65W"
        assert value(supply, "price") == price("129", "PLN")
        assert value(supply, "stock") == 2
        assert labels(supply, "brand") == {"lenovo": {"pl_PL": "LENOVO"}}
        assert value(supply, "power") == {"amount": "65", "unit": "WATT"}
        assert value(supply, "voltage") == {"amount": "20", "unit": "VOLT"}
        assert value(supply, "warranty_period") == {"amount": "12", "unit": "MONTH"}
        assert value(supply, "model") == "02DL128 (i inne)"
        assert value(supply, "mpn") == "5678"
        assert value(supply, "category_path") == "Zasilacze do laptopów"
        assert field(supply, "categories") == ["ceneo_zasilacze_do_laptopow"]
        pictures = [f"https://sklep998844.shoparena.pl/userdata/public/gfx/{n}" for n in (
            "80638.png", "80639.jpg", "80640.jpg", "80641.jpg")]  # fmt: skip
        assert [*media(supply).values()] == pictures

    def test_an_undefined_producer_is_none(self) -> None:
        computer = self.export()["7178"]
        assert value(computer, "brand") is None
        assert value(computer, "price") == price("3299", "PLN")
        assert value(computer, "processor") == "I5-8400, 9MB Cache, 8 gen."
        assert value(computer, "name", "pl_PL") == (
            "Komputer Do Gier 16GB 480GB I5-8400, Tower NOWA GeForce RTX 3050 6GB [Nowy]"
        )
        without = [r for r in self.export().records if value(r, "brand") is None]
        assert len(without) == 10  # nine that say so, one without the row

    def test_a_voltage_without_its_unit(self) -> None:
        battery = self.export()["9467"]
        assert value(battery, "voltage") == {"amount": "11.4", "unit": "VOLT"}
        assert value(battery, "warranty_period") == {"amount": "6", "unit": "MONTH"}
        assert labels(battery, "brand") == {"dell": {"pl_PL": "DELL"}}

    def test_one_colour_in_many_spellings(self) -> None:
        colours = [value(r, "colour") for r in self.export().records]
        assert (colours.count("silver"), colours.count("black")) == (7, 3)
        keyboard = self.export()["9652"]
        assert value(keyboard, "colour") == "black"  # Czarny

    def test_inches_become_centimetres(self) -> None:
        sizes = [value(r, "screen_diagonal") for r in self.export().records]
        assert sizes.count({"amount": "68.58", "unit": "CENTIMETER"}) == 2  # 27"


class TestSkroutz:
    """Values broken over lines, CDATA."""

    def export(self) -> Export:
        return real_export("skroutz_mihnea.xml", SKROUTZ, PIM)

    def test_all_products_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 149}

    def test_names_and_links_are_one_line_and_descriptions_keep_theirs(self) -> None:
        battery = self.export()["24000rur26a"]
        assert value(battery, "name", "en_US") == (
            "RURIS ALFA UP 2400e X-Charge Battery 20V 4Ah 80Wh, Bidirectional USB-C, LED, "
            "USB-C Cable Included"
        )
        assert media(battery) == {
            "image": "https://www.ruris.ro/"
            "acumulator-ruris-alfa-up-2400e-x-charge-pds-80-1920-1024-0-0-863.jpg"
        }
        text = str(value(battery, "description", "en_US"))
        assert "Supplied with a 1 m USB-C cable.\n\n• Battery and power bank in one:" in text
        assert value(battery, "price") == price("32.99", "EUR")
        assert value(battery, "vat_rate") == "24"
        assert value(battery, "category_path") == "Garden > Battery Tool Accessories"

    def test_weights_with_their_unit(self) -> None:
        shredder = self.export()["200s2024am"]
        assert value(shredder, "weight") == {"amount": "29", "unit": "KILOGRAM"}
        assert value(shredder, "price") == price("235.99", "EUR")
        assert value(self.export()["150st2023am"], "weight") == {
            "amount": "14",
            "unit": "KILOGRAM",
        }

    def test_no_stock_is_zero_and_not_nothing(self) -> None:
        assert value(self.export()["hj-15mam"], "stock") == 0
        assert field(self.export()["hj-15mam"], "enabled") is True
        heater = self.export()["ifh01-33h-13am"]
        assert media(heater)["image_2"].startswith("https://www.ruris.ro/aeroterma-electrica")


class TestOnBuy:
    """One line; whole HTML documents, escaped, inside the description."""

    def export(self) -> Export:
        return real_export("onbuy_feed.xml", ONBUY, PIM)

    def test_all_products_are_mapped_and_all_stand_in_line_2(self) -> None:
        assert self.export().states == {"mapped": 79}
        assert {record.line for record in self.export().records} == {2}

    def test_a_description_that_is_cut_off_inside_its_styles_has_no_text(self) -> None:
        speakers = self.export()["505873497501"]
        assert value(speakers, "description", "en_US") is None
        assert value(speakers, "price") == price("180.6", "GBP")
        assert labels(speakers, "brand") == {"wharfedale": {"en_US": "Wharfedale"}}
        assert value(speakers, "category_path") == (
            "Business, Office & Industrial Supplies > Office Supplies > Office Stationery"
            " > Protractors & Set Squares"
        )

    def test_text_without_tags_and_styles(self) -> None:
        television = self.export()["504048423208"]
        text = str(value(television, "description", "en_US"))
        assert text.startswith("BRAND NEW - CELLO C50WS4K Smart TV\nMADE IN THE UK.")
        assert value(television, "stock") == 7
        assert value(television, "price") == price("461.99", "GBP")
        for record in self.export().records:
            assert "font-family" not in str(value(record, "description", "en_US"))

    def test_unbranded_is_no_brand(self) -> None:
        assert value(self.export()["5058048349204"], "brand") is None
        branded = [r for r in self.export().records if value(r, "brand")]
        assert len(branded) == 3

    def test_pictures_are_numbered_in_the_name_of_their_element(self) -> None:
        pictures = media(self.export()["504048423208"])
        assert pictures["image"] == "https://i.ebayimg.com/images/g/DOkAAeSwt3BpwSw9/s-l1600.jpg"
        assert pictures["image_2"] == "https://i.ebayimg.com/images/g/qawAAeSwShFppWtV/s-l1600.jpg"
        assert pictures["image_6"] == "https://i.ebayimg.com/images/g/wfEAAOSw~FVlaIXe/s-l1600.jpg"


class TestZbozi:
    """A download that broke off in the second product."""

    def export(self) -> Export:
        return real_export("zbozi_cp1250.xml", ZBOZI, PIM)

    def test_the_file_is_an_error_after_the_one_whole_product(self) -> None:
        broken = self.export().broken
        assert broken is not None
        assert "the file ends in the middle" in str(broken)
        assert (broken.line, broken.records_read) == (58, 1)
        assert [r.identifier for r in self.export().records] == ["A004"]

    def test_the_product_before_it(self) -> None:
        diode = self.export()["A004"]
        assert value(diode, "name", "cs_CZ") == "1N5819 dioda schottky 40V/1A DO41"
        assert value(diode, "price") == [
            {"amount": "1.5", "currency": "CZK"},
            {"amount": "0.062", "currency": "EUR"},
        ]
        assert value(diode, "purchase_price") == [
            {"amount": "0.7", "currency": "CZK"},
            {"amount": "0.029", "currency": "EUR"},
        ]
        assert value(diode, "sale_price") is None  # empty elements
        assert value(diode, "stock") == 338
        assert field(diode, "categories") == ["ESDMSD"]

    def test_letters_that_were_lost_before_do_not_get_in(self) -> None:
        assert value(self.export()["A004"], "category_path") is None


class TestOwnFiles:
    def test_ceneo(self) -> None:
        feed = own_export("ceneo.xml", CENEO, PIM)
        supply = feed["77"]
        assert value(supply, "name", "pl_PL") == "Zasilacz żółty"
        assert value(supply, "price") == price("1299.5", "PLN")
        assert value(supply, "category_path") == "Komputery > Laptopy"
        assert labels(supply, "brand") == {"lodz_spolka": {"pl_PL": "Łódź & Spółka"}}
        assert value(supply, "colour") == "silver"
        assert value(feed["78"], "brand") is None
        assert field(feed["78"], "enabled") is False
        assert feed.states == {"mapped": 2, "rejected": 1}
        assert feed.records[2].errors[0].message == '"różowy" is not in the map'

    def test_skroutz(self) -> None:
        feed = own_export("skroutz.xml", SKROUTZ, PIM)
        shears = feed["s-1"]
        assert value(shears, "name", "en_US") == "Ψαλίδι κλαδέματος 20 cm"
        assert value(shears, "description", "en_US") == "Line one & two\n\n• bullet"
        assert media(shears) == {"image": "https://shop.example/s-1.jpg"}
        assert value(shears, "weight") == {"amount": "1.5", "unit": "KILOGRAM"}
        assert value(feed["s-2"], "weight") == {"amount": "250", "unit": "GRAM"}
        assert field(feed["s-2"], "enabled") is False
        assert feed.states == {"mapped": 2, "rejected": 1}

    def test_onbuy(self) -> None:
        lamp = own_export("onbuy.xml", ONBUY, PIM)["1001"]
        assert value(lamp, "name", "en_US") == "Desk lamp"
        assert value(lamp, "description", "en_US") == "Lamp & shade\nWarm light"
        assert value(lamp, "brand") is None
        assert media(lamp) == {
            "image": "https://img.example/1.jpg",
            "image_2": "https://img.example/2.jpg",
        }

    def test_a_file_in_windows_1250_that_is_cut_off(self) -> None:
        declared = ("file: {encoding: utf-8}\n", "")  # this one does not lie about its encoding
        feed = own_export("zbozi_cut_off.xml", ZBOZI, PIM, declared)
        bulb = feed["B1"]
        assert value(bulb, "name", "cs_CZ") == "Žárovka LED"
        assert value(bulb, "category_path") == "Světla > Žárovky"
        assert value(bulb, "price") == [
            {"amount": "79", "currency": "CZK"},
            {"amount": "3.241", "currency": "EUR"},
        ]
        assert feed.broken is not None
        assert feed.broken.records_read == 1

    def test_bytes_that_do_not_fit_the_encoding_are_refused_with_their_place(self) -> None:
        feed = own_export("zbozi_cut_off.xml", ZBOZI, PIM)
        assert feed.records == ()
        assert feed.broken is not None
        assert feed.broken.line == 5
