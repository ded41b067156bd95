"""YML by docs/mappings/yml.yaml, and Epicentr's dialect; values read in the files."""

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

STARTER = "docs/mappings/yml.yaml"
EPICENTR = "tests/data/mappings/yml_epicentr.yaml"
PIM = "shop.json"


@pytest.mark.parametrize("mapping", [STARTER, EPICENTR])
def test_the_mapping_fits_its_pim(mapping: str) -> None:
    assert problems_of(mapping, PIM) == ()


class TestMahrof:
    """A tree of categories in any order, pictures that repeat, parameters with units."""

    def export(self) -> Export:
        return real_export("yml_mahrof.xml", STARTER, PIM)

    def test_all_offers_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 364}

    def test_the_first_offer(self) -> None:
        towel = self.export()["858467046"]
        assert value(towel, "name", "ru_RU") == "Махровое полотенце для лица 50*90"
        assert value(towel, "price") == price("85", "UAH")
        assert value(towel, "mpn") == "113434"
        (brand,) = labels(towel, "brand").values()
        assert brand["ru_RU"] == "Ашгабатская Текстильная фабрика"
        assert field(towel, "enabled") is True
        assert field(towel, "categories") == ["yml_52029425"]
        assert value(towel, "category_path") == "Полотенце > полотенце лицевое 50*90/50*100 см"
        assert "\n\nОтвечу на любые вопросы." in str(value(towel, "description", "ru_RU"))

    def test_measures_old_price_and_group(self) -> None:
        towel = self.export()["876088385"]
        assert value(towel, "price") == price("99.2", "UAH")
        assert value(towel, "list_price") == price("155", "UAH")
        assert value(towel, "width") == {"amount": "70", "unit": "CENTIMETER"}
        assert value(towel, "length") == {"amount": "140", "unit": "CENTIMETER"}
        assert value(towel, "density") == 400
        assert value(towel, "cotton_share") == 100
        assert value(towel, "item_group") == "638211684"
        assert [*labels(towel, "colour").values()] == [{"ru_RU": "Малиновый"}]
        assert len(media(towel)) == 4

    def test_options_whose_letters_have_no_latin_form_stay_apart(self) -> None:
        wanted = [labels(r, "colour") for r in self.export().records]
        codes = {code: texts["ru_RU"] for found in wanted for code, texts in found.items()}
        assert len(set(codes.values())) == len(codes) > 10

    def test_a_category_that_is_not_in_the_tree_has_no_path(self) -> None:
        offer = self.export()["983692957"]
        assert field(offer, "categories") == ["yml_36654285"]
        assert value(offer, "category_path") is None


class TestEva:
    """Two languages by element name, HTML in CDATA, codes among the parameters."""

    def export(self) -> Export:
        return real_export("yml_eva_andrii.xml", STARTER, PIM)

    def test_all_offers_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 150}
        enabled = [field(r, "enabled") for r in self.export().records]
        assert (enabled.count(True), enabled.count(False)) == (141, 9)

    def test_an_offer_that_is_sold_out(self) -> None:
        pan = self.export()["1052247"]
        assert field(pan, "enabled") is False
        assert value(pan, "stock") == 0
        assert value(pan, "price") == price("1999", "UAH")
        assert value(pan, "list_price") == price("3649", "UAH")
        assert value(pan, "ean") == "6411501702647"
        assert value(pan, "warranty_period") == {"amount": "24", "unit": "MONTH"}
        assert value(pan, "customs_tariff") == "7323930090"
        assert value(pan, "category_path") == "Сковороди"
        assert len(media(pan)) == 5

    def test_html_stays_as_it_is(self) -> None:
        pan = self.export()["1059096"]
        text = str(value(pan, "description", "uk_UA"))
        assert text.startswith(
            '<p><span style="font-size:18px;"><b>Сковорода Fiskars Steel 28 см (1059096)</b> '
            '</span><span style="font-size:14px;">&mdash; кухонний посуд'
        )
        assert text.endswith("<p><br />\n&nbsp;</p>")

    def test_the_last_offer(self) -> None:
        grater = self.export()["1079968"]
        assert value(grater, "name", "uk_UA") == "Терка крупна"
        assert value(grater, "ean") == "6424002021384"
        assert field(grater, "categories") == ["yml_1003"]
        assert labels(grater, "brand") == {"Fiskars": {"ru_RU": "Fiskars", "uk_UA": "Fiskars"}}


class TestEpicentr:
    """Languages and codes in attributes, labels beside them."""

    def export(self) -> Export:
        return real_export("yml_epicentr_kryshtof.xml", EPICENTR, PIM)

    def test_all_offers_are_mapped(self) -> None:
        assert self.export().states == {"mapped": 206}
        enabled = [field(r, "enabled") for r in self.export().records]
        assert (enabled.count(True), enabled.count(False)) == (119, 87)

    def test_both_languages(self) -> None:
        case = self.export()["33703-L-Black"]
        assert value(case, "name", "ru_RU") == (
            "Чемодан Snowball 33703 большой 101л черный (33703-L-Black)"
        )
        assert value(case, "name", "uk_UA") == (
            "Валіза Snowball 33703 велика 101л чорна (33703-L-Black)"
        )

    def test_codes_become_options_and_their_texts_labels(self) -> None:
        case = self.export()["WN01-L-Creme"]
        assert labels(case, "brand") == {"hkpphtpoqpxibqxr": {"uk_UA": "Wings"}}
        assert labels(case, "material") == {"59474de512292": {"uk_UA": "ABS-пластик"}}
        assert labels(case, "country_of_origin") == {"pol": {"uk_UA": "Польща"}}
        assert value(case, "colour") == "09a334800e7d6ccc7d54827f16cf4df2"
        assert field(case, "categories") == ["epicentr_5442"]

    def test_numbers_measures_and_prices(self) -> None:
        case = self.export()["WN01-L-Creme"]
        assert value(case, "price") == price("1770", "UAH")
        assert value(case, "list_price") == price("2600", "UAH")
        assert value(case, "volume") == {"amount": "97", "unit": "LITER"}
        assert value(case, "height") == {"amount": "760", "unit": "MILLIMETER"}
        assert value(case, "weight") == {"amount": "4000", "unit": "GRAM"}
        assert value(case, "wheels") == 4
        assert len(media(case)) == 6  # of eight: the PIM has six picture attributes

    def test_an_offer_without_vendor_has_no_brand(self) -> None:
        assert value(self.export()["SKU402-BC-Beige"], "brand") is None
        last = self.export()["63703-S-Champagne"]
        assert value(last, "price") == price("1600", "UAH")
        assert value(last, "weight") == {"amount": "3000", "unit": "GRAM"}


class TestOwnFiles:
    def test_yml(self) -> None:
        feed = own_export("yml.xml", STARTER, PIM)
        towel = feed["501"]
        assert value(towel, "name", "uk_UA") == "Рушник"
        assert value(towel, "description", "ru_RU") == "Первая строка\n\nвторая"
        assert value(towel, "description", "uk_UA") == "<p>Рядок &mdash; <b>один</b></p>"
        assert value(towel, "price") == price("99.2", "UAH")
        assert value(towel, "mpn") == "00113"
        assert value(towel, "width") == {"amount": "50.5", "unit": "CENTIMETER"}
        assert value(towel, "category_path") == "Полотенца > Кухонные полотенца"
        assert media(towel)["image_2"] == "https://shop.example/2.jpg"
        kettle = feed["502"]
        assert value(kettle, "name", "ru_RU") == "Чайник Acme T-1"
        assert field(kettle, "enabled") is False

    def test_yml_tells_all_that_is_wrong_with_an_offer(self) -> None:
        feed = own_export("yml.xml", STARTER, PIM)
        assert feed.states == {"mapped": 2, "rejected": 1}
        assert [(e.attribute, e.value) for e in feed.records[2].errors] == [
            ("price", "XXX"),
            ("width", "локоть"),
        ]

    def test_epicentr(self) -> None:
        feed = own_export("yml_epicentr.xml", EPICENTR, PIM)
        case = feed["C-1"]
        assert value(case, "name", "uk_UA") == "Валіза"
        assert labels(case, "material") == {"595": {"uk_UA": "пластик"}}
        assert value(case, "volume") == {"amount": "97", "unit": "LITER"}
        assert feed.states == {"mapped": 1, "rejected": 1}
        assert feed.records[1].errors[0].value == "pl"
