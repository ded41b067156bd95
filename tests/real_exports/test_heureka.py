"""Heureka feeds by the starters docs/mappings/heureka*.yaml; values read in the files."""

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

STARTER = "docs/mappings/heureka.yaml"
VARIANTS = "docs/mappings/heureka_variants.yaml"
PIM = "shop.json"


@pytest.mark.parametrize("mapping", [STARTER, VARIANTS])
def test_the_starter_fits_its_pim(mapping: str) -> None:
    assert problems_of(mapping, PIM) == ()


class TestOrris:
    """A byte order mark, delivery blocks, texts of many lines, numbers spoilt by a spreadsheet."""

    def export(self) -> Export:
        return real_export("heureka_orris.xml", STARTER, PIM)

    def test_all_items_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 75}

    def test_the_first_item(self) -> None:
        perfume = self.export()["49915334295890"]
        assert value(perfume, "name", "cs_CZ") == "Afnan 9 AM EDP Default Title"
        assert value(perfume, "price") == price("615", "CZK")
        assert value(perfume, "ean") == "6290171002345"
        assert value(perfume, "mpn") == "NT202412"
        assert value(perfume, "stock") == 4
        assert labels(perfume, "brand") == {"afnan": {"cs_CZ": "AFNAN"}}
        assert field(perfume, "categories") == ["heureka_perfume"]
        assert value(perfume, "item_group") == "9820516155730"

    def test_lines_of_a_text_stay_lines(self) -> None:
        text = str(value(self.export()["49915334295890"], "description", "cs_CZ"))
        assert text.startswith("Afnan 9 AM EDP\nDiscover the Essence of Elegance, Experience")

    def test_an_ean_in_scientific_notation_is_none(self) -> None:
        soap = self.export()["50371481370962"]  # 7.8332E+11 in the file
        assert value(soap, "ean") is None
        assert value(soap, "stock") == 0
        assert value(soap, "delivery_days") == 7
        assert media(soap) == {}

    def test_an_item_without_category_has_none(self) -> None:
        gold = self.export()["51034337804626"]
        assert field(gold, "categories") is None
        assert value(gold, "price") == price("370", "CZK")


class TestOrrisV1:
    """Decimal commas, CDATA, escaped apostrophes, pictures that repeat."""

    def export(self) -> Export:
        return real_export("heureka_orris_v1.xml", STARTER, PIM)

    def test_all_items_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 76}

    def test_prices_with_a_comma_and_names_with_an_apostrophe(self) -> None:
        perfume = self.export()["NT202405"]
        assert value(perfume, "price") == price("2279", "CZK")
        assert value(perfume, "vat_rate") == "21"
        assert value(perfume, "name", "cs_CZ") == (
            "Hermès Twilly d'Hermès EDP 50 ml + EDP MINI 7.5 ml + BL 40 ml (woman)"
        )
        assert value(perfume, "delivery_days") == 60
        prices = [value(record, "price") for record in self.export().records]
        assert price("2283.75", "CZK") in prices  # 2283,75

    def test_html_in_cdata_and_html_that_is_escaped_come_out_alike(self) -> None:
        assert str(value(self.export()["NT202403"], "description", "cs_CZ")).startswith(
            "<p><strong>Al Haramain Amber Oud Gold Edition</strong> – opulentní"
        )
        assert value(self.export()["ORS202568"], "description", "cs_CZ") == (
            "<p>Moderní a podmanivá vůně ukotvená v smyslné vanilce.</p>"
        )

    def test_a_parameter_with_its_unit_and_the_pictures(self) -> None:
        oud = self.export()["NT202410_1"]
        assert value(oud, "volume") == {"amount": "100", "unit": "MILLILITER"}
        assert value(oud, "price") == price("9152", "CZK")
        pictures = media(oud)
        assert len(pictures) == 4
        assert pictures["image_4"].endswith(
            "/57-3_50ml-xerjoff-oud-stars-alexandria-ii-parfum-unisex-50-ml--unisex--3.jpg?672e4192"
        )

    def test_a_path_of_categories(self) -> None:
        oil = self.export()["ORS202566"]
        assert value(oil, "category_path") == (
            "Kosmetika a parfémy > Tělo > Deodoranty a antiperspiranty"
        )
        assert field(self.export()["NT202410_1"], "categories") == [
            "heureka_parfemy_pro_damy_a_pany"
        ]

    def test_parameters_nobody_listed_are_told(self) -> None:
        (warning,) = self.export()["NT202405"].warnings
        assert warning.value == "Hermès Twilly d'Hermès"


class TestArche:
    """Groups of variants, values that hold another price, an empty path of categories."""

    def export(self) -> Export:
        return real_export("heureka_u7279.xml", VARIANTS, PIM)

    def test_every_item_gives_its_model_and_its_variant(self) -> None:
        assert self.export().states == {"mapped": 154}
        kinds = [record.resource for record in self.export().records]
        assert kinds.count("product_model") == kinds.count("product") == 77
        models = {r.identifier for r in self.export().records if r.resource == "product_model"}
        assert len(models) == 10

    def test_the_gift_card_by_its_face_value(self) -> None:
        card = self.export()["ARCHE-GIFT-KARTA-1000"]
        assert field(card, "parent") == "group_10716721709395"
        assert value(card, "price") == price("1000", "CZK")
        assert labels(card, "face_value") == {"1000_czk": {"cs_CZ": "1 000,00 Kč"}}
        model = self.export()["group_10716721709395"]
        assert field(model, "family_variant") == "by_face_value"
        assert value(model, "name", "cs_CZ") == "Arche dárková karta"

    def test_a_set_has_two_sizes(self) -> None:
        both = self.export()["ARCHE-SET-BLKNAT-TM-CS"]
        assert value(both, "size_sweatshirt") == "S"
        assert value(both, "size_tshirt") == "M"
        assert field(self.export()["group_10505674424659"], "family_variant") == "by_two_sizes"

    def test_colour_and_size_in_either_order(self) -> None:
        shirt = self.export()["ARCHE-TEE-BLK-XL"]
        assert value(shirt, "size") == "XL"
        assert labels(shirt, "colour") == {"cerna": {"cs_CZ": "Černá"}}
        assert field(self.export()["group_10352594878803"], "family_variant") == (
            "by_colour_and_size"
        )
        assert field(self.export()["group_10321519640915"], "family_variant") == "by_size"

    def test_without_variants_the_same_file_gives_77_products(self) -> None:
        plain = real_export("heureka_u7279.xml", STARTER, PIM)
        assert plain.states == {"mapped": 77}
        card = plain["ARCHE-GIFT-KARTA-1000"]
        assert value(card, "name", "cs_CZ") == "Arche dárková karta (1 000,00 Kč)"
        assert field(card, "categories") is None  # "Heureka.cz | " names none


class TestOwnFile:
    def test_the_mug(self) -> None:
        feed = own_export("heureka.xml", STARTER, PIM)
        mug = feed["MUG-1"]
        assert value(mug, "name", "cs_CZ") == "Hrnek d&aacute;rkov&yacute; & více"
        assert value(mug, "description", "cs_CZ") == "<p>Hrnek <b>0,3 l</b> &amp; podšálek</p>"
        assert value(mug, "price") == price("1279.5", "CZK")
        assert value(mug, "volume") == {"amount": "300", "unit": "MILLILITER"}
        assert value(mug, "ean") is None
        assert field(mug, "categories") == ["heureka_dum_hrnky"]
        assert value(mug, "category_path") == "Dům > Hrnky"
        assert media(mug)["image_3"] == "https://shop.example/hrnek-3.jpg"
        assert [warning.value for warning in mug.warnings] == ["Motiv"]

    def test_a_price_that_fits_no_format_rejects_the_item(self) -> None:
        feed = own_export("heureka.xml", STARTER, PIM)
        assert feed.states == {"mapped": 2, "rejected": 1}
        (error,) = feed.records[2].errors
        assert (error.attribute, error.value) == ("price", "1,5,0")

    def test_models_and_variants(self) -> None:
        feed = own_export("heureka.xml", VARIANTS, PIM)
        assert field(feed["group_77"], "family_variant") == "by_size"
        assert field(feed["TEE-S"], "parent") == "group_77"
        assert [error.value for error in feed.records[1].errors] == ["Objem", "Motiv"]
