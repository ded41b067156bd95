"""Values as ERPs write them: signs, positions, orders, rows of one key, columns of tables."""

from __future__ import annotations

import pytest

from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.language import NumberFormat
from pim_connector.mapping.loading import MappingError, load_mapping
from pim_connector.mapping.numbers import plain, read_number
from pim_connector.mapping.results import Filtered, Mapped, Rejected
from tests.unit.erp.reading_world import compiled_mapping_of, records_of
from tests.unit.mapping.mapping_world import mapped_by, slots_by, value_by

COMMA = NumberFormat(decimal=",", thousands=".", decoration=True)


@pytest.mark.parametrize(
    "text",
    ["7,25-", "(7,25)", "- 7,25", "—7,25 zł", "-PLN 7,25", "PLN-7,25", "7,25 −", "(EUR 7,25)"],
)
def test_a_minus_in_a_decorated_number_is_never_lost(text: str) -> None:
    assert plain(read_number(text, COMMA)) == "-7.25"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("USD 7,25", "7.25"),
        ("7,- €", "7"),
        ("3-teilig", "3"),
        ("Preis-Index: 7,25", "7.25"),
        ("Kabel (2,5 m)", "2.5"),
        ("+7,25 EUR", "7.25"),
        ("1,5E3 g", "1500"),
    ],
)
def test_a_hyphen_is_no_minus(text: str, number: str) -> None:
    assert plain(read_number(text, COMMA)) == number


@pytest.mark.parametrize("text", ["±7,25", "< 7 kg", "7 CR", "T-7", "-7,25-", "~7", "7 -- 8"])
def test_a_sign_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(Refusal):
        read_number(text, COMMA)


@pytest.mark.parametrize(
    ("text", "minus"),
    [
        ("99.50-", "trailing"),
        ("(99.50)", "brackets"),
        ("- 99.50", "leading"),
        ("99.50 CR", "credit"),
    ],
)
def test_the_refusal_names_the_option_that_reads_the_number(text: str, minus: str) -> None:
    with pytest.raises(Refusal, match=f"minus: {minus}"):
        read_number(text, NumberFormat())
    assert plain(read_number(text, NumberFormat(minus=minus))) == "-99.5"  # type: ignore[arg-type]
    assert plain(read_number(text, NumberFormat(minus="any"))) == "-99.5"


def test_debits_stay_positive_and_a_plain_minus_is_read_in_every_style() -> None:
    assert plain(read_number("99.50 DR", NumberFormat(minus="credit"))) == "99.5"
    assert plain(read_number("-99.50", NumberFormat(minus="trailing"))) == "-99.5"


def test_a_condition_that_compares_a_text_with_a_number_is_refused_and_not_silently_false() -> None:
    rule = "when: qty >= 1\nvalues: {a: n}"
    refused = mapped_by("<n>Saw</n><qty>1,5</qty>", rule)
    assert isinstance(refused, Rejected)
    assert "translate(qty, ',', '.')" in refused.errors[0].message
    assert isinstance(mapped_by("<n>Saw</n><qty>1.5</qty>", rule), Mapped)
    assert isinstance(mapped_by("<n>Saw</n><qty>0</qty>", rule), Filtered)
    assert isinstance(mapped_by("<n>Saw</n>", rule.replace("qty >= 1", "1 <= qty")), Filtered)


def test_empty_parts_keep_their_place_where_an_index_follows() -> None:
    levels = "<h>A//C</h>"
    assert slots_by(levels, """values: {a: {from: h, steps: [{split: "/"}, {index: 1}]}}""") == {}
    third = """{from: h, steps: [{split: "/"}, {index: 2}]}"""
    assert value_by(levels, third) == "C"
    dropped = """{from: h, steps: [{split: "/", keep_empty: false}, {index: 1}]}"""
    assert value_by(levels, dropped) == "C"
    assert value_by(levels, """{from: h, steps: [{split: "/"}, {join: "|"}]}""") == "A|C"


def test_numbers_are_ordered_by_size_and_texts_as_texts() -> None:
    three = "<n>30</n><n>4</n><n>5.5</n>"
    assert value_by(three, "{from: n, steps: [number, min]}") == "4"
    assert value_by(three, "{from: n, steps: [number, max]}") == "30"
    assert value_by(three, """{from: n, steps: [number, sort, {join: " "}]}""") == "4 5.5 30"
    assert value_by(three, """{from: n, steps: [sort, {join: " "}]}""") == "30 4 5.5"


def test_rows_of_one_key_are_put_together_by_the_steps_of_its_rule() -> None:
    rows = "<f k='Use'>sea</f><f k='Old'>1</f><f k='Use'>lake</f><f k='Old'>2</f>"
    rule = """
pivots:
  - each: f
    key: "@k"
    from: .
    attributes:
      Use: {attribute: a, from: ., steps: [upper, {join: " and "}]}
      Old: {attribute: b, from: ., steps: [number, sum]}
"""
    data = {key[1]: value for key, value in slots_by(rows, rule).items()}
    assert data == {"a": "SEA and LAKE", "b": "3"}


TABLE = """
namespaces: {default: "urn:shop"}
tables:
  stock: {path: /catalog/stock, key: "@of", columns: {amount: ., place: "@in"}}
records:
  product:
    path: /catalog/product
    identifier: "@sku"
    values:
      a: {each: {table: stock, key: "@sku"}, from: COLUMN, type: text}
"""
STOCK = '<catalog xmlns="urn:shop"><product sku="1"/><stock of="1" in="B">7</stock></catalog>'


def test_columns_of_a_table_have_no_namespace() -> None:
    mapping = "version: 1\n" + TABLE.replace("COLUMN", "amount")
    (record,) = records_of(STOCK, mapping)
    result = compiled_mapping_of(mapping).map(record, None)
    assert isinstance(result, Mapped)
    assert [slot.data for slot in result.slots] == ["7"]


def test_a_column_that_the_table_does_not_have_is_named_with_the_nearest_one() -> None:
    with pytest.raises(MappingError, match="no column amuont; did you mean amount"):
        compiled_mapping_of("version: 1\n" + TABLE.replace("COLUMN", "amuont"))


def test_all_problems_of_the_schema_are_told_at_once_with_the_word_that_is_meant() -> None:
    with pytest.raises(MappingError) as caught:
        load_mapping(
            b"""version: 1
records:
  p:
    path: /a/b
    identifier: sku
    values:
      a: {from: a, steps: [uppercase]}
      b: {from: b, steps: strip}
      c: {form: c}
""",
            name="m.yaml",
        )
    lines = caught.value.problems
    assert len(lines) == 3
    assert "m.yaml:7" in lines[0]
    assert "did you mean `upper`?" in lines[0]
    assert "m.yaml:8" in lines[1]
    assert "[strip]" in lines[1]
    assert "did you mean `from`?" in lines[2]


@pytest.mark.parametrize("source", ["@id", "{from: a[b]/c}"])
def test_an_xpath_without_quotes_is_told_with_the_way_out(source: str) -> None:
    text = f"version: 1\nrecords:\n  p:\n    path: /a\n    identifier: {source}\n"
    with pytest.raises(MappingError, match="in quotes"):
        load_mapping(text.encode(), name="m.yaml")
