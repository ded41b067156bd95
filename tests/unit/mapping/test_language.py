"""What the language does beyond the examples of its page."""

# ruff: noqa: E501 - XML, mappings and messages are written as they are

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.mapping.results import Mapped, Rejected
from tests.unit.erp.reading_world import compiled_mapping_of, records_of
from tests.unit.mapping.mapping_world import errors_by, mapped_by, mapping_of, slots_by, value_by

LETTERS = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=60,
)


@given(LETTERS)
def test_any_text_arrives_as_it_is_where_white_space_is_kept(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert value_by(f"<x>{escaped}</x>", "{from: x, whitespace: keep}") == text


@given(
    st.lists(LETTERS.map(str.strip).filter(lambda t: t and ";" not in t), min_size=1, max_size=6)
)
def test_no_value_is_lost_between_split_and_join(texts: list[str]) -> None:
    text = ";".join(texts).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    joined = value_by(f"<x>{text}</x>", "{from: x, steps: [{split: ';'}, {join: '|'}]}")
    assert joined == "|".join(texts)


@pytest.mark.parametrize(
    ("steps", "text", "result"),
    [
        ("[{slice: [0, 2]}]", "abcdef", "ab"),
        ("[{slice: [-2]}]", "abcdef", "ef"),
        ("[{pad: 5}]", "42", "00042"),
        ("[{pad: 4, pad_with: x, pad_side: right}]", "42", "42xx"),
        ("[strip_zeros]", "000120", "120"),
        ("[strip_zeros]", "000", "0"),
        ("[{replace: a, with: o}]", "banana", "bonono"),
        (r"[{regex: '(\d+)x(\d+)', with: '\2x\1'}]", "10x20", "20x10"),
        (r"[{extract: '(\d+) mm'}]", "about 35 mm", "35"),
        (r"[{extract: '\d+'}]", "about 35 mm", "35"),
        ("[upper, {prefix: '<'}, {suffix: '>'}]", "a", "<A>"),
        ("[unescape]", "2.5 mm&amp;amp;sup2;", "2.5 mm&sup2;"),
        ("[{split: '|'}, {index: 1}]", "a|b|c", "b"),
        ("[{split: '|'}, {index: -1}]", "a|b|c", "c"),
        ("[{split: '|'}, distinct, sort, {join: ','}]", "b|a|b", "a,b"),
        ("[{split: '|'}, last]", "a|b", "b"),
        ("[{split: '|'}, count]", "a|b|c", "3"),
        ("[{split: '|'}, sum]", "0.1|0.2", "0.3"),
        ("[{split: '|'}, product]", "1.1|1.1", "1.21"),
        ("[{multiply: '0.001'}]", "1500", "1.5"),
        ("[{divide: 3}, {round: 4}]", "1", "0.3333"),
        ("[{add: '-0.5'}]", "2", "1.5"),
        ("[boolean]", "1", "true"),
        ("[{no_value: ['<= 0']}]", "5", "5"),
        ("[{map: {a: 1, b: true}}]", "b", "true"),
        ("[{code: {keep: '-', lower: false}}]", "AB-1 x", "AB-1_x"),
    ],
)
def test_a_step_does_what_its_name_says(steps: str, text: str, result: str) -> None:
    assert value_by(f"<x>{text}</x>", f"{{from: x, steps: {steps}}}") == result


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ("[{no_value: ['00000000', /, 'N/A']}]", "N/A"),
        ("[{no_value: '<= 0'}]", "-0.50"),
        ("[{map: {a: null}}]", "a"),
        ("[{map: {a: b}, unknown: drop}]", "x"),
        (r"[{extract: '\d+'}]", "none"),
        ("[{split: '|'}, {index: 9}]", "a|b"),
    ],
)
def test_what_a_step_makes_nothing_of_is_not_sent(steps: str, text: str) -> None:
    assert slots_by(f"<x>{text}</x>", f"values: {{a: {{from: x, steps: {steps}}}}}") == {}


def test_all_errors_of_a_record_come_together() -> None:
    errors = errors_by(
        "<n>x</n><d>y</d><p>1</p>",
        "values: {n: {from: n, type: number}, d: {from: d, type: date}, p: {from: p, type: price}}",
    )
    assert [error.partition(":")[0] for error in errors] == ["n", "d", "p"]


def test_an_error_names_attribute_source_and_value() -> None:
    result = mapped_by("<n>x</n>", "values: {stock: {from: n, type: number}}")
    assert isinstance(result, Rejected)
    (error,) = result.errors
    assert (error.attribute, error.source, error.value) == ("stock", "n", "x")


def test_a_bad_value_is_dropped_and_reported_where_the_mapping_says_so() -> None:
    rule = "refused: drop_value\nvalues: {n: {from: n, type: number}, t: t}"
    result = mapped_by("<n>x</n><t>y</t>", rule)
    assert isinstance(result, Mapped)
    assert [slot.key[1] for slot in result.slots] == ["t"]
    assert [warning.attribute for warning in result.warnings] == ["n"]


@pytest.mark.parametrize(
    ("inside", "policy", "slots"),
    [
        ("", "absent: clear", {("values", "a", "", ""): None}),
        ("", "empty: clear", {}),
        ("<a/>", "empty: clear", {("values", "a", "", ""): None}),
        ("<a/>", "absent: clear", {}),
        ("<a>0</a>", "absent: clear, empty: clear", {("values", "a", "", ""): "0"}),
        ("", "absent: clear, type: multi_select", {("values", "a", "", ""): []}),
        ("", "absent: clear, locale: de_DE", {("values", "a", "de_DE", ""): None}),
    ],
)
def test_absent_and_empty_are_two_things(
    inside: str, policy: str, slots: dict[tuple[str, ...], object]
) -> None:
    assert slots_by(inside, f"values: {{a: {{from: a, {policy}}}}}") == slots


def test_a_value_the_mapping_asks_for_rejects_the_record() -> None:
    (error,) = errors_by("", "values: {a: {from: a, absent: reject}}")
    assert error == "a: there is no value, and the mapping asks for one"


def test_fields_are_cleared_like_values() -> None:
    rule = "family: {from: f, absent: clear}\ncategories: {from: c, empty: clear}\nparent: {from: p, absent: clear}"
    assert slots_by("<c/>", rule) == {("family",): None, ("categories",): [], ("parent",): None}


def test_owners_are_those_of_the_rule_or_of_the_defaults() -> None:
    result = mapped_by(
        "<a>1</a><b>2</b>",
        "family: {value: f, owner: create_only}\nvalues: {a: a, b: {from: b, owner: if_empty}}",
        top="defaults: {owner: always}",
    )
    assert isinstance(result, Mapped)
    assert [slot.owner for slot in result.slots] == ["create_only", "always", "if_empty"]


def test_several_rules_for_one_place_must_agree() -> None:
    rule = "values: {a: [x, y]}"
    assert slots_by("<x>1</x><y>1</y>", rule) == {("values", "a", "", ""): "1"}
    (error,) = errors_by("<x>1</x><y>2</y>", rule)
    assert error == "a: several values for one place (a)"


def test_two_prices_in_one_currency_are_an_error() -> None:
    rule = "values: {a: {each: p, from: ., currency: EUR}}"
    (error,) = errors_by("<p>1</p><p>2</p>", rule)
    assert error == "a: several different prices in one currency (a)"


def test_variables_hold_what_is_worked_out_once() -> None:
    rule = """
let: {key: {from: k, steps: [upper]}, pair: {from: "concat($key, '-', n)"}}
when: $key != 'X'
values: {a: $pair, b: "v[@k = $key]"}
"""
    product = '<k>ab</k><n>7</n><v k="AB">found</v><v k="ab">no</v>'
    assert slots_by(product, rule) == {
        ("values", "a", "", ""): "AB-7",
        ("values", "b", "", ""): "found",
    }
    assert "when" in str(mapped_by("<k>x</k>", rule))


def test_options_to_create_come_with_their_labels() -> None:
    result = mapped_by(
        "<c>Rot</c><c>Blau</c>",
        "values: {a: {from: c, type: multi_select, steps: [code], options: create, labels: {de_DE: c}}}",
    )
    assert isinstance(result, Mapped)
    assert [(option.code, option.labels) for option in result.options] == [
        ("rot", {"de_DE": "Rot"}),
        ("blau", {"de_DE": "Blau"}),
    ]


def test_two_texts_that_become_one_code_are_reported() -> None:
    mapping = mapping_of("values: {a: {from: c, type: simple_select, steps: [code]}}")
    text = '<catalog><product sku="1"><c>A/B</c></product><product sku="2"><c>a-b</c></product></catalog>'
    compiled = compiled_mapping_of(mapping)
    first, second = (compiled.map(record, None) for record in records_of(text, mapping))
    assert isinstance(first, Mapped)
    assert isinstance(second, Mapped)
    assert first.warnings == ()
    assert second.warnings[0].message == '"A/B" and "a-b" both become the code a_b'


def test_files_of_media_attributes_are_beside_the_payload() -> None:
    result = mapped_by(
        "<i>https://x/y.jpg</i>", "values: {a: {from: i, type: image, locale: de_DE}}"
    )
    assert isinstance(result, Mapped)
    assert result.slots == ()
    (media,) = result.media
    assert (media.attribute, media.locale, media.location) == ("a", "de_DE", "https://x/y.jpg")


def test_products_by_uuid_carry_their_identifier_as_a_value() -> None:
    uuid = "25566245-55C3-42CE-86D9-8610AC459FA8"
    mapping = mapping_of('uuid: "@uuid"')
    (record,) = records_of(f'<catalog><product sku="1" uuid="{uuid}"/></catalog>', mapping)
    result = compiled_mapping_of(mapping).map(record, None)
    assert isinstance(result, Mapped)
    assert result.uuid == uuid.lower()
    assert [(slot.key, slot.data) for slot in result.slots] == [(("values", "sku", "", ""), "1")]


@pytest.mark.parametrize("sku", ["", "a,b", "a;b", "x" * 256])
def test_identifiers_the_pim_refuses_are_refused_here(sku: str) -> None:
    (record,) = records_of(f'<catalog><product sku="{sku}"/></catalog>', mapping_of("values: {}"))
    assert isinstance(compiled_mapping_of(mapping_of("values: {}")).identify(record), Rejected)


def test_the_family_key_is_the_root_model_where_the_record_says_it() -> None:
    rule = "parent: sub\nroot_model: root"
    result = mapped_by("<sub>S</sub><root>R</root>", rule)
    assert isinstance(result, Mapped)
    assert (result.family_key, result.parent) == ("R", "S")


def test_a_record_of_a_rule_that_is_gone_is_rejected() -> None:
    (record,) = records_of('<catalog><product sku="1"/></catalog>', mapping_of("values: {}"))
    other = compiled_mapping_of(mapping_of("values: {}").replace("  product:", "  article:"))
    result = other.map(record, None)
    assert "no record rule product any more" in str(result)


def test_xpath_numbers_have_no_trailing_zero_and_nan_is_nothing() -> None:
    rule = "values: {a: {from: 'count(x) + 1', type: number}, b: 'number(y)'}"
    assert slots_by("<x/><x/><y>n</y>", rule) == {("values", "a", "", ""): "3"}


def test_comments_and_instructions_are_not_part_of_a_text() -> None:
    assert value_by("<x>a<!-- no --><?php no ?>b</x>", "x") == "ab"


def test_a_table_row_without_any_cell_is_no_row() -> None:
    rule = "values: {a: {type: table, each: r, columns: {c: '@c', n: {from: '@n', type: number}}}}"
    assert slots_by('<r c="x" n="1"/><r/>', rule) == {
        ("values", "a", "", ""): [{"c": "x", "n": "1"}]
    }


def test_true_and_false_of_the_mapping_are_not_read_by_the_words_of_the_file() -> None:
    top = "defaults: {boolean: {true: [J], false: [N]}}"
    rule = (
        "enabled: true\n"
        "values:\n"
        "  a: {from: x, type: boolean}\n"
        "  b: {value: false, type: boolean}\n"
        "  c: {from: y, type: boolean, steps: [{map: {on: true}, default: false}]}\n"
        "  d: {value: true}"
    )
    assert slots_by("<x>N</x><y>off</y>", rule, top=top) == {
        ("enabled",): True,
        ("values", "a", "", ""): False,
        ("values", "b", "", ""): False,
        ("values", "c", "", ""): False,
        ("values", "d", "", ""): "true",
    }


def test_links_with_a_quantity_may_come_from_a_table() -> None:
    top = (
        "tables: {parts: {path: /catalog/part, key: '@of',"
        " columns: {id: '@id', n: '@n', kind: '@kind'}}}"
    )
    rule = (
        "quantified_associations:\n"
        "  SET: {products: {each: {table: parts, key: '@sku'}, when: kind = 'a',"
        " from: id, quantity: n}}"
    )
    mapping = mapping_of(rule, top)
    parts = '<part of="1" id="9" n="2" kind="a"/><part of="1" id="8" n="x" kind="b"/>'
    (record,) = records_of(f'<catalog><product sku="1"/>{parts}</catalog>', mapping)
    result = compiled_mapping_of(mapping).map(record, None)
    assert isinstance(result, Mapped), result
    assert {slot.key: slot.data for slot in result.slots} == {
        ("quantified_associations", "SET", "products"): [{"identifier": "9", "quantity": 2}]
    }


def test_the_language_of_a_value_that_is_not_there_does_not_matter() -> None:
    rule = "values: {a: {from: x, locale: {from: y, steps: [{map: {de: de_DE}}]}}}"
    assert slots_by("<y>fr</y>", rule) == {}
    assert slots_by("<x/><y>fr</y>", rule) == {}
    assert errors_by("<x>1</x><y>fr</y>", rule) == ['a: "fr" is not in the map']
    wanted = rule.replace("from: x,", "from: x, empty: reject,")
    assert errors_by("<x/><y>fr</y>", wanted) == ['a: "fr" is not in the map']
