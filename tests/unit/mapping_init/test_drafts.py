"""What a draft says about a sample: records, languages, rows, prices, tables, doubts."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drafting.attributes import likeness
from drafting.drafting import draft_mapping
from drafting.records import candidates
from drafting.sample import read_sample
from drafting.writing import comment, scalar
from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.language import MappingFile, Source, ValueRule
from pim_connector.mapping.loading import load_mapping, load_yaml

DOCS = Path(__file__).parents[3] / "docs" / "mapping.md"


def draft(xml: str, structure: Structure | None = None) -> str:
    return draft_mapping(lambda: io.BytesIO(xml.encode()), structure).text


def mapping_of(xml: str, structure: Structure | None = None) -> MappingFile:
    mapping = load_mapping(draft(xml, structure).encode(), name="draft")
    compile_mapping(mapping)
    return mapping.file


def values_of(xml: str, structure: Structure | None = None) -> dict[str, object]:
    (record,) = mapping_of(xml, structure).records.values()
    return dict(record.values)


def shop(*items: str, head: str = "") -> str:
    numbered = (f"<item id='N-{n}'>{item}</item>" for n, item in enumerate(items))
    return f"<shop>{head}{''.join(numbered)}</shop>"


def paths_of(xml: str) -> list[str]:
    sample = read_sample(lambda: io.BytesIO(xml.encode()))
    return [each.path for each in candidates(sample.root, sample.names)]


def test_rows_inside_a_record_are_not_taken_for_records() -> None:
    rows = "".join(f"<param name='k{n}'>v</param>" for n in range(30))
    assert paths_of(shop(f"<name>A</name><price>1</price>{rows}", "<name>B</name>")) == [
        "/shop/item"
    ]


def test_a_single_product_beside_many_categories_is_the_record() -> None:
    tree = "".join(f"<CATEGORY><ID>{n}</ID><NAME>c</NAME></CATEGORY>" for n in range(50))
    xml = f"<X>{tree}<ARTICLE><AID>1</AID><NAME>a</NAME><EAN>2</EAN></ARTICLE></X>"
    assert paths_of(xml)[0] == "/X/ARTICLE"


def test_languages_in_an_attribute_become_one_rule_with_a_map() -> None:
    text = "<name lang='DE'>Hemd</name><name lang='eng'>Shirt</name>"
    rule = values_of(shop(text, text))["name"]
    assert isinstance(rule, ValueRule)
    assert rule.each == "name"
    assert mapping_of(shop(text, text)).maps["languages"] == {"DE": "de_DE", "eng": "en_US"}


@pytest.mark.parametrize(
    ("row", "source", "language"),
    [
        ("<tr><lang>{}</lang><title>{}</title><msg>5</msg></tr>", "title", "lang"),
        ("<tr Language_Code='{}'><title>{}</title></tr>", "title", "@Language_Code"),
        ("<tr ISO='{}' T='{}'/>", "@T", "@ISO"),
    ],
)
def test_rows_that_say_their_language_in_a_place_of_their_own_are_texts_in_languages(
    row: str, source: str, language: str
) -> None:
    rows = row.format("DE", "Hemd") + row.format("FR", "Chemise")
    (rule,) = values_of(shop(rows, rows)).values()
    assert isinstance(rule, ValueRule)
    assert (rule.each, rule.from_) == ("tr", source)
    assert isinstance(rule.locale, Source)
    assert rule.locale.from_ == language
    assert mapping_of(shop(rows, rows)).maps["languages"] == {"DE": "de_DE", "FR": "fr_FR"}


def test_languages_that_are_numbers_are_told_apart_and_doubted() -> None:
    text = "<name><language id='1'>Shirt</language><language id='2'>Chemise</language></name>"
    rule = values_of(shop(text, text))["name"]
    assert isinstance(rule, ValueRule)
    assert rule.each == "name/language"
    assert mapping_of(shop(text, text)).maps["languages"] == {"1": "en_US", "2": "de_DE"}
    assert "# ? no language says 2: taken for de_DE" in draft(shop(text, text))


def test_records_under_several_parents_are_one_path() -> None:
    one = "<article nr='{}'><label>Spade</label><cost>10</cost></article>"
    xml = (
        f"<s><garden>{one.format(1)}</garden><kitchen>{one.format(2)}{one.format(3)}</kitchen></s>"
    )
    assert paths_of(xml) == ["/s/*/article"]
    (record,) = mapping_of(xml).records.values()
    assert record.path == "/s/*/article"
    assert "Drafted from 3 records" in draft(xml)


def test_rows_of_one_name_that_hold_something_else_are_not_taken_for_records() -> None:
    goods = "<L><REF>1</REF><NAME>a</NAME><EAN>1</EAN><PRICE>2</PRICE></L>"
    media = "<L><REF>1</REF><URL>http://a/b</URL><NUM>1</NUM></L>"
    assert paths_of(f"<F><B01>{goods}{goods}</B01><B03>{media}{media}</B03></F>")[0] == "/F/B01/L"


def test_attributes_in_the_namespace_of_the_elements_get_a_prefix() -> None:
    row = "<R s:kind='x{0}'><SKU>A-{0}</SKU></R>"
    xml = f"<T xmlns='urn:s' xmlns:s='urn:s'>{row.format(1)}{row.format(2)}</T>"
    mapping = mapping_of(xml)
    assert mapping.namespaces == {"default": "urn:s", "s": "urn:s"}
    assert list(mapping.records["r"].values.values()) == ["@s:kind"]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ("<W unitOfMeasure='KG'>{}</W>", "W/@unitOfMeasure"),
        ("<POIDS>{}</POIDS><POIDSU>KG</POIDSU>", "POIDSU"),
        ("<Weight><Value>{}</Value><Unit>kg</Unit></Weight>", "Weight/Unit"),
    ],
)
def test_units_are_found_beside_their_amounts(item: str, path: str) -> None:
    rules = values_of(shop(item.format("1.5"), item.format("2.25")))
    (rule,) = (rule for rule in rules.values() if isinstance(rule, ValueRule) and rule.unit)
    assert isinstance(rule.unit, Source)
    assert rule.unit.from_ == path


@pytest.mark.parametrize(
    ("item", "identifier"),
    [
        ("<No>18-{}</No><Category_Code>C{}</Category_Code>", "No"),
        ("<unitDescriptorCode>K{}</unitDescriptorCode><gtin>40063813339{}1</gtin>", "gtin"),
        ("<sku>1,{}</sku><ref>R-{}</ref>", "ref"),
        ("<DOCNUM>77{}</DOCNUM><MATNR>000{}1</MATNR>", "MATNR"),
    ],
)
def test_codes_of_something_else_are_no_identifiers(item: str, identifier: str) -> None:
    xml = f"<s><r>{item.format(1, 1)}</r><r>{item.format(2, 2)}</r></s>"
    (record,) = mapping_of(xml).records.values()
    assert record.identifier == identifier


def test_keys_and_values_may_have_the_names_of_other_languages() -> None:
    pair = "<v><Наименование>{}</Наименование><Значение>{}</Значение></v>"
    items = (f"<p>{pair.format('Вес', n)}{pair.format('Цвет', 'красный')}</p>" for n in (1, 2))
    (record,) = mapping_of(shop(*items)).records.values()
    assert [(p.key, p.from_) for p in record.pivots] == [("Наименование", "Значение")]


def test_languages_in_the_names_of_elements_become_one_rule() -> None:
    text = "<title>Сковорода</title><title_ua>Пательня</title_ua>"
    rule = values_of(shop(text, text))["title"]
    assert isinstance(rule, ValueRule)
    assert rule.each == "title | title_ua"
    assert "# ? no language says title" in draft(shop(text, text))


def test_key_value_rows_become_a_pivot_with_their_keys() -> None:
    row = "<f><n>Width</n><v>5,5</v><u>cm</u></f><f><n>Colour</n><v>red</v></f>"
    xml = shop(row, row, row).replace("<u>", "<unit>").replace("</u>", "</unit>")
    xml = xml.replace("<n>", "<fname>").replace("</n>", "</fname>")
    xml = xml.replace("<v>", "<value>").replace("</v>", "</value>")
    (record,) = mapping_of(xml).records.values()
    (pivot,) = record.pivots
    assert (pivot.each, pivot.key, pivot.from_) == ("f", "fname", "value")
    assert list(pivot.attributes) == ["Width", "Colour"]


def test_a_currency_is_found_beside_the_amount_or_in_the_head() -> None:
    price = "<price cur='EUR'>1.50</price>"
    rule = values_of(shop(price, price))["price"]
    assert isinstance(rule, ValueRule)
    assert rule.currency is not None
    assert "EUR?" not in draft(shop(price, price))
    plain = shop("<price>1</price>", "<price>2</price>", head="<currency>CZK</currency>")
    assert mapping_of(plain).head == {"currency": "/shop/currency"}
    assert "the file does not say the currency" in draft(
        shop("<price>1</price>", "<price>2</price>")
    )


def test_a_category_tree_becomes_a_table_that_the_categories_walk() -> None:
    head = "<c id='1'>Home</c><c id='2' parentId='1'>Towels</c>"
    xml = shop("<categoryId>2</categoryId>", "<categoryId>1</categoryId>", head=head)
    found = mapping_of(xml)
    assert found.tables["categories"].key == "@id"
    assert "ancestors: categories" in draft(xml)


def test_numbers_that_repeat_are_said_not_to_be_unique() -> None:
    xml = "<s><row><id>1</id><a>x</a></row><row><id>1</id><a>y</a></row><row><id>2</id></row></s>"
    assert "# ? not unique: 1 of 3" in draft(xml)


def test_attributes_of_the_pim_are_proposed_by_name_and_type() -> None:
    structure = Structure.from_catalog(
        {
            "attributes": [
                {"code": "sku", "type": "pim_catalog_identifier"},
                {"code": "brand", "type": "pim_catalog_text"},
                {"code": "product_name", "type": "pim_catalog_text", "localizable": True},
                {"code": "height", "type": "pim_catalog_boolean"},
            ],
            "channels": [{"code": "web", "locales": ["de_DE"], "currencies": ["EUR"]}],
        }
    )
    item = "<title>Hammer</title><manufacturer>Acme</manufacturer><height>5.5</height>"
    found = mapping_of(shop(item, item), structure)
    (record,) = found.records.values()
    assert set(record.values) == {"product_name", "brand"}
    assert found.defaults.locale == "de_DE"
    assert "# height = 5.5 (number)" in draft(shop(item, item), structure)


@pytest.mark.parametrize(
    ("name", "code", "least", "most"),
    [
        ("PRODUCTNAME", "name", 0.9, 0.95),
        ("colour", "color", 0.9, 0.9),
        ("Ширина", "width", 0.9, 0.95),
        ("net_weight", "NetWeight", 1.0, 1.0),
        ("delivery_price", "list_price", 0.0, 0.5),
        ("height", "brand", 0.0, 0.0),
    ],
)
def test_names_are_alike_by_words_and_by_meaning(
    name: str, code: str, least: float, most: float
) -> None:
    assert least <= likeness(name, code) <= most


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_text_is_read_back_from_the_draft_as_it_was(text: str) -> None:
    document, _ = load_yaml(f"k: {scalar(text)}  # {comment(text)}\n".encode())
    assert document == {"k": text}


NAMES = st.sampled_from(["name", "sku", "price", "lang", "a.b", "x-y", "цена", "param", "id", "ab"])
TEXTS = st.sampled_from(["", "5", "1,5", "red", "de", "2024-01-01", "EUR", "a'b\"c", "#x: [", "Y"])


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> str:
    name, text = draw(NAMES), draw(TEXTS).replace("<", "").replace("&", "")
    attribute = draw(st.sampled_from(["", " lang='de'", " id='7'", " name='k'", " unit='kg'"]))
    inner = draw(st.lists(elements(depth - 1), max_size=3)) if depth else []
    return f"<{name}{attribute}>{text}{''.join(inner)}</{name}>"


@settings(max_examples=40, deadline=None)
@given(st.lists(elements(), min_size=2, max_size=4))
def test_a_draft_of_any_sample_can_be_loaded_and_maps_a_record_or_says_why(
    items: list[str],
) -> None:
    found = draft_mapping(lambda: io.BytesIO(shop(*items).encode()), None, record="/shop/item")
    compile_mapping(load_mapping(found.text.encode(), name="draft"))
    assert " mapped" in found.said[1], found.said


def test_the_draft_on_the_page_about_mappings_is_what_comes_out() -> None:
    section = DOCS.read_text().partition("## A draft from a sample")[2].partition("\n## ")[0]
    (xml,) = re.findall(r"^```xml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (written,) = re.findall(r"^```yaml\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert draft(xml) == written


def test_what_the_root_says_is_not_dropped() -> None:
    xml = shop("<name>A</name>", "<name>B</name>").replace("<shop>", "<shop made='today'>")
    assert "# /shop/@made = today" in draft(xml)


TABLE = (
    "<t><r><c><d>Artikelnummer</d></c><c><d>Bezeichnung</d></c><c><d>Preis</d></c></r>"
    "<r><c><d>A-1</d></c><c><d>Bohrer</d></c><c><d>12,50</d></c></r>"
    "<r><c><d>A-2</d></c><c><d>Säge</d></c><c><d>9,90</d></c></r></t>"
)


def test_columns_go_by_the_header_row_which_is_no_record() -> None:
    (record,) = mapping_of(TABLE).records.values()
    assert record.when == "normalize-space(c[1]) != 'Artikelnummer'"
    assert record.identifier == "c[1]/d"
    assert record.values["bezeichnung"] == "c[2]/d"
    price = record.values["preis"]
    assert isinstance(price, ValueRule)
    assert (price.from_, price.currency) == ("c[3]/d", "EUR")


def test_columns_without_header_go_by_names_elsewhere_or_by_their_number() -> None:
    rows = TABLE[: TABLE.index("<r>")] + TABLE[TABLE.index("</r>") + 4 :]
    (record,) = mapping_of(rows).records.values()
    assert record.values["c_2"] == "c[2]/d"
    assert record.when is None
    fields = "".join(f"<f NAME='{name}'/>" for name in ("Nr", "Titel", "VK"))
    (record,) = mapping_of(f"<x><meta>{fields}</meta>{rows}</x>").records.values()
    assert (record.identifier, record.values["titel"]) == ("c[1]/d", "c[2]/d")


def test_repeated_values_beside_others_are_no_columns() -> None:
    item = "<name>A</name>" + "".join(f"<tag>t{n}</tag>" for n in range(4))
    assert "tag[1]" not in draft(shop(item, item))
