"""A mapping that cannot be used says file, line, key and what was expected."""

# ruff: noqa: E501 - XML, mappings and messages are written as they are

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.errors import ConfigurationError
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.language import ValueRule, json_schema
from pim_connector.mapping.loading import MappingError, load_mapping
from tests.unit.mapping.mapping_world import mapping_of

SCHEMA = Path(__file__).parents[3] / "docs" / "mapping.schema.json"


def problem(text: str) -> str:
    with pytest.raises(MappingError) as error:
        compile_mapping(load_mapping(text.encode(), name="erp.yaml"))
    return str(error.value)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("values: {a: {form: x}}", "erp.yaml:8: records.product.values.a.form: there is no such key here; did you mean `from`?"),
        ("values: {a: {from: 3}}", "erp.yaml:8: records.product.values.a.from: expected `str | null`, got `int`, not 3"),
        ("mode: sometimes", "erp.yaml:8: records.product.mode: invalid value 'sometimes'"),
        ("values:\n  a: x\n  b: '//['", "erp.yaml:10: records.product.values.b: not an XPath"),
        ("values: {a: g:id}", "the prefix `g` is not declared under `namespaces`"),
        ("values: {a: foo(x)}", "erp.yaml:8: records.product.values.a: not an XPath: Unregistered function in `foo(x)`"),
        ("values: {a: $curency}", "$curency is not known; did you mean currency?"),
        ("values: {a: {}}", "expected exactly one of from, value, first, all; there is none"),
        ("values: {a: {from: x, value: y}}", "there is from, value"),
        ("values: {a: {from: x, steps: [{split: ';', join: ','}]}}", "erp.yaml:8: records.product.values.a.steps[0]: expected exactly one step"),
        ("values: {a: {from: x, steps: [{upper: true}]}}", "steps[0].upper: there is no such key here"),
        ("values: {a: {from: x, steps: [uper]}}", "invalid value 'uper'; did you mean `upper`?"),
        ("values: {a: {from: x, steps: [{split: ';', default: x}]}}", "these options do not belong to `split`: default"),
        ("values: {a: {from: x, steps: [{map: unis}]}}", "no such entry of `maps`; did you mean units?"),
        ("values: {a: {from: x, steps: [{lookup: t, column: c}]}}", "no such entry of `tables`: t"),
        ("values: {a: {from: x, steps: [{date: DD.MM.YYYY}]}}", '"DD" means nothing in a date pattern'),
        ("values: {a: {from: x, steps: [{extract: '('}]}}", "not a regular expression"),
        (r"values: {a: {from: x, steps: [{regex: 'a', with: '\1'}]}}", "not a regular expression: `with` names group 1"),
        ("values: {a: {from: x, steps: [{divide: 0}]}}", "division by zero"),
        ("values: {a: {from: x, locale: '@lang'}}", "expected a code; to read it from the file write {from: '@lang'}"),
        ("values: {a: {each: x, from: ., locale: {from: '@l'}, absent: clear}}", "clear needs a constant locale"),
        ("resource: product_model", "the key is missing: `family_variant`"),
        ("family_variant: x", "only product models have one"),
        ("within: /catalog/other", "expected the path of an ancestor of `path`"),
        ("pivots: [{key: k, from: v}]", "the key is missing: `each`"),
    ],
)  # fmt: skip
def test_a_problem_has_its_line_and_key(rule: str, expected: str) -> None:
    top = "head: {currency: /catalog/@c}\nmaps: {units: {a: b}}"
    text = mapping_of(rule, top)
    assert text.splitlines()[7] == f"    {rule.splitlines()[0]}"
    assert expected in problem(text)


NESTED = """version: 1
records:
  model: {path: /shop/item, %s, resource: product_model, identifier: "@id", family_variant: f}
  variant: {path: /shop/item/sizes/size, identifier: "@id", parent: ../../@id}
"""


@pytest.mark.parametrize(
    "rule",
    [
        "when: count(sizes/size) > 1",
        "let: {n: sizes/size/@id}",
        "values: {n: {from: sizes/size/@id, steps: [count]}}",
        "values: {n: [x, {each: sizes/size, from: '@id', locale: en_US}]}",
        "pivots: [{each: sizes/size, key: '@k', from: '@v', attributes: {}}]",
    ],
)
def test_a_rule_cannot_read_the_records_inside_its_own_without_saying_so(rule: str) -> None:
    expected = "`sizes/size` holds the records of `variant`, which this rule does not see; write `nested: keep` under `model`"
    assert expected in problem(NESTED % rule)
    compile_mapping(load_mapping((NESTED % f"nested: keep, {rule}").encode(), name="erp.yaml"))


@pytest.mark.parametrize(
    "rule",
    [
        "when: \"@kind = 'sizes/size'\"",
        "values: {n: sizes/sizes, m: old/sizes/size}",
        "values: {n: {each: parts/part, from: sizes/size, locale: en_US}}",
    ],
)
def test_what_only_looks_like_records_inside_is_read(rule: str) -> None:
    compile_mapping(load_mapping((NESTED % rule).encode(), name="erp.yaml"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "erp.yaml:1: the file is empty"),
        ("version: 1\nrecords: [", "erp.yaml:2: not valid YAML"),
        ("version: 1\nversion: 1", "erp.yaml:2: the key `version` is there twice"),
        ("version: 2\nrecords: {p: {path: /a, identifier: b}}", "erp.yaml:1: version: invalid value 2"),
        ("version: 1\nrecords: {}", "expected a block of keys"),
        ("version: 1\nrecords: !!python/object:x {}", "tags such as"),
        ("version: 1\nrecords: {p: {path: a, identifier: b}}", "expected an absolute path such as /catalog/product, not `a`"),
        ("version: 1\nrecords: {p: {path: '/a[1]', identifier: b}}", "conditions belong under `when`"),
        ("version: 1\nhead: {x: '//a'}\nrecords: {p: {path: /a, identifier: b}}", "a head value needs its path from the root"),
        ("version: 1\nhead: {x: '/a[1]/b'}\nrecords: {p: {path: /a/c, identifier: b}}", "/a holds the records"),
        ("version: 1\nrecords: {p: {path: /a}}", "the key is missing: `identifier`"),
        ("- 1", "mapping: expected a block of keys"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_mapping_is_refused_with_its_line(text: str, expected: str) -> None:
    assert expected in problem(text)


def test_all_problems_come_at_once() -> None:
    assert len(problem(mapping_of("values: {a: '//[', b: $x, c: {}}")).splitlines()) == 3


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"erp.yaml:2: not UTF-8"):
        load_mapping("version: 1\n# Größe".encode("latin-1"), name="erp.yaml")


def test_aliases_may_be_used_but_not_to_blow_up() -> None:
    rule = "values:\n  a: &rule {from: x, steps: [upper]}\n  b: *rule"
    compile_mapping(load_mapping(mapping_of(rule).encode(), name="erp.yaml"))
    laughs = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    assert "too many or too deeply nested keys" in problem(laughs)
    assert "not valid YAML" in problem("[" * 5_000) or "too deeply" in problem("[" * 5_000)


def test_merged_keys_stand_behind_those_that_are_written_beside_them() -> None:
    rule = (
        "values:\n  a: &one {from: x, steps: [upper]}\n  b: &two {from: y, type: text}\n"
        "  c:\n    <<: [*one, *two]\n    type: number\n  d: {<<: *one, from: z}"
    )
    values = load_mapping(mapping_of(rule).encode(), name="m").file.records["product"].values
    assert values["c"] == ValueRule(from_="x", steps=["upper"], type="number")
    assert values["d"] == ValueRule(from_="z", steps=["upper"])
    wrong = "values:\n  a: &one {from: x, stepz: [upper]}\n  b:\n    <<: *one\n    typ: text"
    assert "erp.yaml:8: records.product.values.a.stepz" in problem(mapping_of(wrong))


@pytest.mark.parametrize(
    "merge", ["<<: 1", "<<: [1]", "&a {<<: *a}", "&a {b: &b {<<: *a}, <<: *b}"]
)
def test_what_cannot_be_merged_is_refused(merge: str) -> None:
    assert "takes the keys of something else" in problem(merge)


@given(st.text(max_size=200))
def test_any_text_is_a_mapping_or_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError):
        load_mapping(text.encode(), name="erp.yaml")


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["path", "values", "steps", "from", "each", "map", "a", "when"]), inner, max_size=3
    ),
    max_leaves=12,
))  # fmt: skip
def test_any_rule_is_compiled_or_a_configuration_error(rule: object) -> None:
    document = {
        "version": 1,
        "records": {"p": {"path": "/a", "identifier": "b", "values": {"a": rule}}},
    }
    with suppress(ConfigurationError):
        compile_mapping(load_mapping(json.dumps(document).encode(), name="erp.yaml"))


def test_countries_article_numbers_and_times_are_texts_as_written() -> None:
    rule = "values: {a: {from: x, steps: [{map: {NO: 010, yes: 12:30, 1e3: 1_000}}]}}"
    mapping = load_mapping(mapping_of(rule).encode(), name="erp.yaml")
    said = mapping.file.records["product"].values["a"]
    assert said.steps[0].map == {"NO": "010", "yes": "12:30", "1e3": "1_000"}  # type: ignore[union-attr]


def test_the_digest_is_of_the_meaning() -> None:
    one = load_mapping(b"version: 1\nrecords: {p: {path: /a, identifier: b}}", name="x")
    same = load_mapping(
        b"# note\nrecords:\n  p:\n    identifier: b\n    path: /a\nversion: 1", name="y"
    )
    other = load_mapping(b"version: 1\nrecords: {p: {path: /a, identifier: c}}", name="x")
    assert one.digest == same.digest
    assert one.digest != other.digest
    assert len(one.digest) == 16


def test_the_schema_in_the_documents_is_the_one_of_the_types() -> None:
    assert SCHEMA.read_text() == json_schema(), (
        "run: pim-connector mapping schema > docs/mapping.schema.json"
    )
