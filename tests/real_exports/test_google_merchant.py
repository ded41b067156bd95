"""Google Merchant by docs/mappings/google_merchant.yaml; values read in the files."""

from __future__ import annotations

from collections import Counter

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

STARTER = "docs/mappings/google_merchant.yaml"
PIM = "shop.json"


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(STARTER, PIM) == ()


class TestSamsung:
    """663 entries: variants by group, amount and currency in one text, rows inside a row."""

    def export(self) -> Export:
        return real_export("googleshopping_samsung.xml", STARTER, PIM)

    def test_every_entry_is_a_product_and_members_of_a_group_give_their_model(self) -> None:
        # 193 are alone in their group, 23 in groups of which two have the same colour and size.
        assert self.export().states == {"mapped": 1110, "filtered": 216}
        products = [r for r in self.export().records if r.resource == "product"]
        assert len(products) == 663
        assert all(r.state == "mapped" for r in products)

    def test_groups_by_what_tells_their_members_apart(self) -> None:
        models = [r for r in self.export().records if r.resource == "product_model" and r.payload]
        counted = Counter(str(field(r, "family_variant")) for r in models)
        assert (counted["item_by_colour"], counted["item_by_size"]) == (235, 62)
        assert counted["item_by_colour_and_size"] == 150
        assert len({r.identifier for r in models}) == 78 + 16 + 23

    def test_a_phone_is_a_variant(self) -> None:
        phone = self.export()["SM-S948BZWQSKZ"]
        assert field(phone, "parent") == "group_SM-S948B"
        assert value(phone, "price") == price("1179990", "KZT")
        assert value(phone, "sale_price") == price("1089990", "KZT")
        assert value(phone, "available_from") == "2026-03-25"
        assert value(phone, "ean") == "8806097852636"
        assert [*labels(phone, "colour").values()] == [{"ru_RU": "Белый"}]
        assert [*labels(phone, "size").values()] == [{"ru_RU": "1 ТБ 16 ГБ"}]
        assert value(phone, "brand") is None  # it is the model's
        model = self.export()["group_SM-S948B"]
        assert value(model, "brand") == "samsung"
        assert value(model, "category_path") == "Мобильные устройства > Смартфоны > Galaxy S"

    def test_a_group_whose_members_cannot_be_told_apart_has_no_model(self) -> None:
        cover = self.export()["VG-SCLB00YS/RU"]
        assert field(cover, "parent") is None
        assert value(cover, "brand") == "samsung"
        assert value(cover, "price") == price("19990", "KZT")

    def test_an_empty_price_is_none_and_a_path_is_no_picture(self) -> None:
        box = self.export()["bespoke-merch-box"]
        assert value(box, "name", "ru_RU") == "BESPOKE merch box"
        assert value(box, "price") is None
        assert field(box, "categories") is None
        assert media(box) == {}

    def test_of_rows_that_come_twice_the_second_language_is_taken(self) -> None:
        oven = self.export()["NA64H3030BS/WT"]  # 11.3 кг, then 11.8 кг
        assert value(oven, "weight") == {"amount": "11.8", "unit": "KILOGRAM"}
        hob = self.export()["NZ64T3506AK/WT"]  # 7.7 кг. and 7.7 кг
        assert value(hob, "weight") == {"amount": "7.7", "unit": "KILOGRAM"}

    def test_pictures(self) -> None:
        tv = self.export()["UE65U8000FUXKZ"]
        assert media(tv)["image"].startswith("https://images.samsung.com/is/image/samsung/p6pim/")
        assert len(media(tv)) == 3


class TestOwnFile:
    def export(self) -> Export:
        return own_export("google_merchant.xml", STARTER, PIM)

    def test_two_colours_are_variants_of_one_model(self) -> None:
        red, blue = self.export()["T-RED"], self.export()["T-BLUE"]
        assert field(red, "parent") == field(blue, "parent") == "group_T"
        assert value(red, "price") == price("1990.5", "KZT")  # not that of the shipping
        assert value(red, "weight") == {"amount": "0.5", "unit": "KILOGRAM"}
        assert value(blue, "weight") == {"amount": "0.6", "unit": "KILOGRAM"}
        assert media(blue) == {}
        assert value(self.export()["group_T"], "category_path") == "Home > Towels"
        assert field(red, "categories") == ["google_home_towels"]

    def test_one_alone_is_no_variant(self) -> None:
        soap = self.export()["SOAP"]
        assert field(soap, "parent") is None
        assert value(soap, "price") is None

    def test_a_price_without_currency_rejects_its_product_only(self) -> None:
        assert self.export().states == {"mapped": 5, "filtered": 2, "rejected": 1}
        (error,) = self.export().records[-1].errors
        assert error.attribute == "price"
        assert "currency is missing" in error.message
