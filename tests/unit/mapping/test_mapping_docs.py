"""Every example of docs/mapping.md is run: XML and YAML in, payload or error out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pim_connector.mapping.language import MappingFile, RecordRule
from pim_connector.mapping.results import Mapped, Rejected, payload
from tests.unit.erp.reading_world import compiled_mapping_of, records_of

DOCS = Path(__file__).parents[3] / "docs" / "mapping.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> Iterator[tuple[str, str, str, str]]:
    """XML, YAML, kind of the third block, and its text."""
    blocks = BLOCK.findall(DOCS.read_text())
    for (first, xml), (second, mapping), (third, expected) in zip(
        blocks, blocks[1:], blocks[2:], strict=False
    ):
        if (first, second) == ("xml", "yaml") and third in ("json", "text"):
            yield xml, mapping, third, expected


def whole_mapping(text: str) -> str:
    if re.search(r"^records:", text, re.MULTILINE):
        return text if text.startswith("version") else f"version: 1\n{text}"
    inside = "".join(f"    {line}\n" for line in text.splitlines())
    return (
        "version: 1\nrecords:\n  product:\n    path: /catalog/product\n"
        f'    identifier: "@sku"\n{inside}'
    )


@pytest.mark.parametrize(("xml", "mapping", "kind", "expected"), list(examples()))
def test_an_example_gives_what_the_page_says(
    xml: str, mapping: str, kind: str, expected: str
) -> None:
    short = xml.startswith("<product ")
    text = whole_mapping(mapping)
    compiled = compiled_mapping_of(text)
    results = [
        compiled.map(record, None)
        for record in records_of(f"<catalog>{xml}</catalog>" if short else xml, text)
    ]
    if kind == "text":
        (rejected,) = results
        assert isinstance(rejected, Rejected)
        said = [f"{error.attribute}: {error.message}" for error in rejected.errors]
        assert said == expected.strip().splitlines()
        return
    payloads = [payload(result) for result in results if isinstance(result, Mapped)]
    if short:
        for sent in payloads:
            sent.pop("identifier")
    wanted = json.loads(expected)
    assert payloads == (wanted if isinstance(wanted, list) else [wanted])


def test_the_page_has_its_examples() -> None:
    assert len(list(examples())) >= 15


def test_the_settings_the_page_shows_are_settings() -> None:
    for kind, text in BLOCK.findall(DOCS.read_text()):
        if kind == "yaml" and re.match(r"(file|source):", text):
            mapping = yaml.safe_load(text)
            assert set(mapping) <= set(MappingFile.__struct_encode_fields__)
            compiled_mapping_of(text + 'version: 1\nrecords: {p: {path: /a, identifier: "@b"}}\n')


def test_every_key_of_a_record_rule_is_in_the_page() -> None:
    page = DOCS.read_text()
    for key in RecordRule.__struct_encode_fields__:
        assert f"`{key}" in page, key
