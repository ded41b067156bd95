"""Price lists in the format of hotline.ua: a category tree, pasted texts, many pictures."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.real_exports.exports import (
    REAL,
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

MAPPING = "docs/mappings/hotline.yaml"
PIM = "shop.json"


def real() -> Export:
    return real_export("yml_allo_andrii.xml", MAPPING, PIM)


def own() -> Export:
    return own_export("hotline.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_all_375_items_are_sent() -> None:
    assert real().states == {"mapped": 375}
    assert len({r.identifier for r in real().records}) == 375


def test_an_axe() -> None:
    axe = real()["1052045"]
    assert value(axe, "name", "uk_UA") == "Сокира-колун Fiskars Solid A18 (1052045)"
    assert value(axe, "mpn") == "1052045"
    assert value(axe, "ean") == "6411501310835"
    assert labels(axe, "brand") == {"fiskars": {"uk_UA": "Fiskars"}}
    assert value(axe, "price") == price("2999", "UAH")
    assert value(axe, "in_stock") is True
    assert value(axe, "warranty_period") == {"amount": "300", "unit": "MONTH"}
    assert value(axe, "condition") == "new"
    assert value(axe, "customs_tariff") == "8201400000"
    assert field(axe, "categories") == ["hotline_3"]
    assert value(axe, "category_path") == "FISKARS > Садовий інвентар Fiskars > Сокири та колуни"
    pictures = media(axe)
    assert sorted(pictures) == ["image", "image_2", "image_3", "image_4"]
    assert pictures["image_2"].endswith("/15/41650360493183_+e16acac9d5.jpg")


def test_two_more_with_and_without_guarantee() -> None:
    fork, small_axe = real()["1072103"], real()["1015641"]
    assert value(fork, "name", "uk_UA") == "Вила для бур'янів Solid (1072103)"
    assert value(fork, "price") == price("377", "UAH")
    assert value(fork, "warranty_period") is None
    assert value(small_axe, "price") == price("3299", "UAH")
    assert value(small_axe, "product_url") == "https://fiskars-gratis.com.ua/sokyra-kolun-m-kh17/"
    pictures = media(small_axe)
    assert sorted(pictures) == ["image", "image_2", "image_3", "image_4", "image_5", "image_6"]
    assert pictures["image_6"].endswith("-11835972275241_+3922aa3f4e.jpg")


def test_the_rubbish_of_editors_and_chats_is_gone_and_the_text_is_there() -> None:
    texts = [str(value(r, "description", "uk_UA")) for r in real().records]
    for rubbish in ("<article", "data-", "style=", "<span", "<style", "{border"):
        assert not any(rubbish in text for text in texts), rubbish
    text = str(value(real()["1052045"], "description", "uk_UA"))
    assert text.startswith("<p><strong>Сокира‑колун Фіскарс Solid A18 (1052045)</strong> &mdash;")
    assert "<strong>Матеріали:</strong>" in text


def test_the_tree_gives_the_paths_that_the_shop_writes_itself() -> None:
    sent = {r.identifier: value(r, "category_path") for r in real().records}
    root = ElementTree.parse(REAL / "yml_allo_andrii.xml").getroot()  # noqa: S314 - our own copy
    for item in root.iter("item"):
        own_path = item.findtext("param[@name='Категорія Хорошоп']") or ""
        assert sent[item.findtext("code")] == own_path.replace(" / ", " > ")


def test_a_watering_can() -> None:
    assert own().states == {"mapped": 1, "rejected": 1}
    can = own()["WC-77"]
    assert value(can, "name", "uk_UA") == 'Лійка "Дощ", 5\u00a0л'
    assert value(can, "description", "uk_UA") == "<p>Об'єм 5 л, <b>легка</b><br></p>"
    assert value(can, "ean") is None
    assert value(can, "in_stock") is False
    assert value(can, "warranty_period") is None
    assert value(can, "customs_tariff") == "8424900000"
    assert value(can, "category_path") == "Сад > Лійки"
    # A script without Latin form: the option's code is a hash, its label the word.
    assert list(labels(can, "colour").values()) == [{"uk_UA": "Зелений"}]
    assert media(can) == {
        "image": "https://shop.example/1.jpg",
        "image_2": "https://shop.example/2.jpg",
    }


def test_words_for_a_price_and_an_unknown_state_of_stock_are_refused() -> None:
    errors = own().records[1].errors
    assert [e.attribute for e in errors] == ["price", "in_stock"]
    assert [e.value for e in errors] == ["за домовленістю", "Під замовлення"]
