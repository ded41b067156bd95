"""What a draft makes of files as programs write them: rows, wrappers, prices, names."""

# ruff: noqa: E501 - XML is written as it is

from __future__ import annotations

import io

import pytest

from drafting.drafting import draft_mapping
from drafting.records import candidates
from drafting.sample import read_sample
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.language import PivotRule, RecordRule, Source, Step, ValueRule
from pim_connector.mapping.loading import load_mapping


def draft(xml: str) -> str:
    return draft_mapping(lambda: io.BytesIO(xml.encode()), None).text


def records_of(xml: str) -> list[RecordRule]:
    mapping = load_mapping(draft(xml).encode(), name="draft")
    compile_mapping(mapping)
    return [*mapping.file.records.values()]


def record_of(xml: str) -> RecordRule:
    (record,) = records_of(xml)
    return record


def first_path(xml: str) -> str:
    sample = read_sample(lambda: io.BytesIO(xml.encode()))
    return candidates(sample.root, sample.names)[0].path


STOCK = "<stock v='2'><code>{0}</code><name>n{0}</name><unit>kg</unit><price>1</price></stock>"
ROW = "<row><field name='id'>{0}</field><field name='model'>m{0}</field></row>"


@pytest.mark.parametrize(
    ("xml", "path"),
    [
        (
            f"<pack><packItem v='2'><list>{STOCK.format(1)}{STOCK.format(2)}</list></packItem></pack>",
            "/pack/packItem/list/stock",
        ),
        (
            "<offer><products lang='en' cur='EUR'><product id='1'><name>a</name><ean>2</ean></product>"
            "</products></offer>",
            "/offer/products/product",
        ),
        (
            f"<dump><database name='d'><structure><col a='1' b='2' c='3'/></structure>"
            f"<table_data name='products'>{ROW.format(1)}{ROW.format(2)}</table_data>"
            f"<table_data name='texts'>{ROW.format(3)}{ROW.format(4)}</table_data></database></dump>",
            "/dump/database/table_data/row",
        ),
        (
            "<doc><Body><ThingList><Thing id='1'><a>1</a><b>2</b></Thing></ThingList></Body></doc>",
            "/doc/Body/ThingList/Thing",
        ),
        (
            f"<shop><section name='a'>{STOCK.format(1)}{STOCK.format(2)}</section>"
            f"<section name='b'>{STOCK.format(3)}</section></shop>".replace("stock", "item"),
            "/shop/section/item",
        ),
    ],
)
def test_what_stands_around_the_records_is_not_taken_for_them(xml: str, path: str) -> None:
    assert first_path(xml) == path


def test_a_single_product_with_many_variants_stays_the_record() -> None:
    sizes = "".join(f"<size id='{n}'><a>{n}</a><b>x</b><c>y</c></size>" for n in range(5))
    assert first_path(f"<shop><product id='1'><name>n</name>{sizes}</product></shop>") == (
        "/shop/product"
    )


def test_the_identifier_may_be_one_of_the_key_value_rows() -> None:
    rows = (
        "<field name='id'>A/{0}</field><field name='name'>n{0}</field><field name='cat'>c</field>"
    )
    xml = f"<add><doc>{rows.format(1)}</doc><doc>{rows.format(2)}</doc></add>"
    record = record_of(xml)
    assert record.identifier == "field[@name = 'id']"
    (pivot,) = record.pivots
    assert set(pivot.attributes) == {"name", "cat"}


@pytest.mark.parametrize(
    ("item", "identifier"),
    [
        ("<POSITIONNUMBER>{0}7</POSITIONNUMBER><IDSUPPLIER>77{0}</IDSUPPLIER>", "IDSUPPLIER"),
        ("<PRODUCTGROUPCODE>1{0}</PRODUCTGROUPCODE><PRODUCTCODE>5{0}</PRODUCTCODE>", "PRODUCTCODE"),
        ("<AtcCode>J05{0}</AtcCode><Packs><GTIN>768{0}</GTIN></Packs>", "Packs/GTIN"),
    ],
)
def test_what_counts_or_classifies_identifies_nothing(item: str, identifier: str) -> None:
    xml = f"<s><r>{item.format(1)}</r><r>{item.format(2)}</r></s>"
    assert record_of(xml).identifier == identifier


@pytest.mark.parametrize(
    ("item", "attribute", "currency"),
    [
        ("<price gross='1{0}' net='9'/>", "price_gross", "../@currency"),
        ("<RETAILPRICE>1{0}.50</RETAILPRICE>", "retailprice", "../@currency"),
        ("<Fiyat>4{0},90</Fiyat>", "fiyat", "../@currency"),
        (
            "<POSITIONCURRENCY>UAH</POSITIONCURRENCY><PRICE>1{0}</PRICE>",
            "price",
            "POSITIONCURRENCY",
        ),
    ],
)
def test_prices_are_known_by_what_is_around_them_and_by_words_in_one(
    item: str, attribute: str, currency: str
) -> None:
    items = "".join(f"<p id='A{n}'>{item.format(n)}</p>" for n in (1, 2))
    (rule,) = (
        rule
        for code, rule in record_of(f"<s><list currency='PLN'>{items}</list></s>").values.items()
        if code == attribute
    )
    assert isinstance(rule, ValueRule)
    assert isinstance(rule.currency, Source)
    assert rule.currency.from_ == currency


@pytest.mark.parametrize(
    "item", ["<STOCK><AMOUNT>{0}</AMOUNT></STOCK>", "<PACKAGE_AMOUNT>25{0}</PACKAGE_AMOUNT>"]
)
def test_amounts_of_something_else_are_no_prices(item: str) -> None:
    items = "".join(f"<p id='A{n}'>{item.format(n)}</p>" for n in (1, 2))
    (rule,) = record_of(f"<s>{items}</s>").values.values()
    assert isinstance(rule, ValueRule)
    assert (rule.type, rule.currency) == ("number", None)


def test_variants_inside_a_product_get_a_rule_of_their_own_and_the_product_is_their_model() -> None:
    variant = "<Variant><EAN>859{0}</EAN><PRICE>1{0}</PRICE></Variant>"
    rows = [variant.format(n) * 1 for n in range(10, 14)]
    products = (f"<P id='A{n}'><N>n{n}</N><VS>{rows[n]}{rows[n + 2]}</VS></P>" for n in (0, 1))
    model, variants = records_of(f"<S>{''.join(products)}</S>")
    assert (model.resource, list(model.values)) == ("product_model", ["n"])
    assert (variants.path, variants.identifier) == ("/S/P/VS/Variant", "EAN")
    assert (variants.parent, list(variants.values)) == ("../../@id", ["price"])


def test_a_currency_by_its_sign_goes_through_a_map() -> None:
    price = (
        "<Цена><ИдТипа>{0}</ИдТипа><ЦенаЗаЕдиницу>6{0}</ЦенаЗаЕдиницу><Валюта>руб</Валюта></Цена>"
    )
    items = "".join(
        f"<Товар><Ид>A-{n}</Ид><Цены>{price.format('a')}{price.format('b')}</Цены></Товар>".replace(
            "6a", "61"
        ).replace("6b", "62")
        for n in (1, 2)
    )
    (pivot,) = record_of(f"<s>{items}</s>").pivots
    assert (pivot.each, pivot.key, pivot.from_) == ("Цены/Цена", "ИдТипа", "ЦенаЗаЕдиницу")
    for rule in pivot.attributes.values():
        assert isinstance(rule, PivotRule)
        assert isinstance(rule.currency, Source)
        step = rule.currency.steps[0]
        assert isinstance(step, Step)
        assert step.map == {"руб": "RUB"}


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ("<f ID='1{1}' Value='x{0}'><Name Value='n{1}'/></f>", "Name/@Value", "@Value"),
        ("<f id='{1}' name='n{1}'><value id='9' name='x{0}'/></f>", "@name", "value/@name"),
    ],
)
def test_names_are_better_keys_than_numbers(row: str, key: str, value: str) -> None:
    items = "".join(f"<p sku='A{n}'>{row.format(n, 1)}{row.format(n, 2)}</p>" for n in range(1, 4))
    (pivot,) = record_of(f"<s>{items}</s>").pivots
    assert (pivot.key, pivot.from_) == (key, value)


def test_keys_that_are_named_elsewhere_get_these_names() -> None:
    names = (
        "<prop><id>x-1</id><name>Colour</name></prop><prop><id>x-2</id><name>Brand</name></prop>"
    )
    row = "<v><id>x-1</id><value>red</value></v><v><id>x-2</id><value>Acme</value></v>"
    items = "".join(f"<item sku='A{n}'><n>n{n}</n>{row}</item>" for n in (1, 2, 3))
    (pivot,) = record_of(f"<s><props>{names}</props>{items}</s>").pivots
    assert pivot.attributes == {"x-1": "colour", "x-2": "brand"}


def test_of_rows_of_several_sorts_only_those_of_categories_are_categories() -> None:
    row = (
        "<category domain='pa_color'>Blue</category><category domain='product_cat'>Hats</category>"
    )
    xml = "<s>" + "".join(f"<item><id>{n}5</id>{row}</item>" for n in (1, 2, 3)) + "</s>"
    record = record_of(xml)
    assert isinstance(record.categories, Source)
    assert record.categories.from_ == "category[@domain = 'product_cat']"
    assert [set(pivot.attributes) for pivot in record.pivots] == [{"pa_color"}]


def test_languages_are_found_where_names_have_humps() -> None:
    item = "<NameDe>Hut</NameDe><NameFr>Chapeau</NameFr><NameIt>Cappello</NameIt>"
    record = record_of(f"<s><r id='1a'>{item}</r><r id='2a'>{item}</r></s>")
    rule = record.values["name"]
    assert isinstance(rule, ValueRule)
    assert rule.each == "NameDe | NameFr | NameIt"


def test_a_word_at_the_end_of_a_name_is_no_language() -> None:
    item = "<Unit>a</Unit><BuildIn>b</BuildIn><CheckIt>c</CheckIt>"
    record = record_of(f"<s><r id='1a'>{item}</r><r id='2a'>{item}</r></s>")
    assert list(record.values) == ["unit", "build_in", "check_it"]


def test_names_that_access_wrote_are_read_as_they_were_meant() -> None:
    row = "<T_x0020_1><Item_x0020_No>A{0}</Item_x0020_No><Unit_x0020_Cost>1{0}.5</Unit_x0020_Cost></T_x0020_1>"
    record = record_of(f"<dataroot>{row.format(1)}{row.format(2)}</dataroot>")
    assert record.identifier == "Item_x0020_No"
    assert list(record.values) == ["unit_cost"]


def test_the_language_of_an_element_is_no_value_of_its_own() -> None:
    item = "<d langid='1' url='u{0}'/><t>x{0}</t>"
    xml = f"<s><r id='1a'>{item.format(1)}</r><r id='2a'>{item.format(2)}</r></s>"
    assert "d/@langid" not in str(record_of(xml).values)
    assert "# d/@langid = 1" in draft(xml)


def test_the_group_of_a_price_is_no_category() -> None:
    price = "<Price productId='A{0}' productStoreGroupId='_NA_' amount='1{0}'/>"
    xml = (
        "<s>"
        + "".join(f"<Product productId='A{n}' name='n{n}'/>{price.format(n)}" for n in (1, 2, 3))
        + "</s>"
    )
    assert record_of(xml).categories is None
