"""Rows of tables travel with the records whose rules ask for them, whichever way they ask."""

from __future__ import annotations

import io

import pytest

from pim_connector.erp.reader import read_records
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.mapping.results import Mapped

MAPPING = """
version: 1
tables:
  brands: {path: /c/brand, key: "@id", columns: {name: "@name"}}
records:
  product:
    path: /c/p
    identifier: "@id"
    let:
      brand: {from: "@brand", steps: [{lookup: brands, column: name}]}
      loud: {from: $brand, steps: [upper]}
    values:
      name: {from: name, type: text}
    %s
"""
FILE = b"<c><brand id='1' name='One'/><p id='A' brand='1'><name>x</name><k n='a'>One</k></p></c>"
ASKING = [
    (
        "values: {brand: {from: '@brand', type: text, steps: [{lookup: brands, column: name}]}}",
        "One",
    ),
    ("values: {brand: {from: $brand, type: text}}", "One"),
    ("values: {brand: {from: $loud, type: text}}", "ONE"),
    ("values: {brand: {from: name, type: text, when: $loud = 'ONE'}}", "x"),
    ("values: {brand: {from: ., type: text, each: 'k[. = $brand]'}}", "One"),
    ("values: {brand: {each: {table: brands, key: '@brand'}, from: name, type: text}}", "One"),
    ("values: {brand: {first: [{from: none}, {from: $brand}], type: text}}", "One"),
    (
        "pivots: [{each: k, key: '@n', from: ., attributes: "
        "{a: {attribute: brand, from: $loud, type: text}}}]",
        "ONE",
    ),
    ("categories: {from: $loud}", ["ONE"]),
]


@pytest.mark.parametrize(("rule", "data"), ASKING)
def test_a_record_maps_by_itself_as_it_would_in_its_file(rule: str, data: object) -> None:
    text = (
        MAPPING % rule
        if not rule.startswith("values")
        else MAPPING.replace("values:\n      name: {from: name, type: text}\n    %s", rule)
    )
    compiled = compile_mapping(load_mapping(text.encode(), name="test.yaml"))
    (record,) = read_records(lambda: io.BytesIO(FILE), compiled)
    assert record.tables == {"brands": {"1": [{"name": "One"}]}}
    mapped = compiled.map(record, None)
    assert isinstance(mapped, Mapped)
    assert data in [slot.data for slot in mapped.slots]


def test_rows_that_only_a_variable_without_use_would_ask_for_stay() -> None:
    compiled = compile_mapping(load_mapping((MAPPING % "").encode(), name="test.yaml"))
    (record,) = read_records(lambda: io.BytesIO(FILE), compiled)
    assert record.tables == {}
