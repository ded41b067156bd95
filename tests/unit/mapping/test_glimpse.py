"""Whose data a record holds, read out of its text: the same as a parser says, or nothing."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pim_connector.erp.reading import read_records
from pim_connector.erp.record import UnreadableFileError
from pim_connector.mapping.compiled import CompiledMapping, glimpsed, identify
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.mapping.results import Identity, Rejected

MAPPING = """
version: 1
records:
  product: {{path: /all/p, identifier: {identifier}, parent: {parent}}}
"""
PARENTS = {"'@sku'": "'@model'", "sku": "model"}


def compiled(identifier: str) -> CompiledMapping:
    text = MAPPING.format(identifier=identifier, parent=PARENTS[identifier])
    return compile_mapping(load_mapping(text.encode(), name="erp.yaml"))


COMPILED_MAPPINGS = {identifier: compiled(identifier) for identifier in PARENTS}


def both(identifier: str, inside: str) -> tuple[Any, Any]:
    """What the glimpse and what the parser say of the first record."""
    mapping = COMPILED_MAPPINGS[identifier]
    file = f"<all>{inside}</all>".encode()
    record = next(read_records(lambda: io.BytesIO(file), mapping))
    rule = mapping.records["product"]
    seen = mapping._open(record)
    parsed = seen if isinstance(seen, Rejected) else identify(*seen)
    return glimpsed(rule, record.xml), parsed


@pytest.mark.parametrize(
    ("identifier", "record"),
    [
        ("'@sku'", "<p a='/' sku='A 1' model='M'><sku>x</sku></p>"),
        ("'@sku'", "<p sku=' A '/>"),
        (
            "sku",
            "<p a='1'><name>n</name>\n<sku> A </sku><model>M</model><d><![CDATA[<b>]]></d></p>",
        ),
        ("sku", "<p><x><y>1</y></x><sku>A</sku></p>"),
        ("sku", "<p><skus>B</skus><sku>A</sku><skus/></p>"),
        ("'@sku'", "<p sku='A'><i>https://x.y/z?a:b</i><t>10:30 to 11:30</t><c>Farbe: rot</c></p>"),
        ("'@sku'", "<p sku='A'><d><![CDATA[<b>Farbe: rot</b>, a: b]]></d></p>"),
        ("sku", "<p><i at='12:30'>a:b</i><sku>A:1</sku></p>"),
    ],
)
def test_plain_records_are_known_without_parsing(identifier: str, record: str) -> None:
    glimpse, parsed = both(identifier, record)
    assert isinstance(glimpse, Identity)
    assert glimpse == parsed


@pytest.mark.parametrize(
    ("identifier", "record"),
    [
        ("'@sku'", "<p sku='A&amp;B'/>"),
        ("'@sku'", "<p a='/>' sku='A' model=\"M\"/>"),
        ("'@sku'", "<p a=' sku=' b='>' sku='A'/>"),
        ("'@sku'", "<p  sku='A' sku.b='B'/>"),
        ("'@sku'", "<p sku='A\nB'/>"),
        ("'@sku'", "<p x=\" sku='B'\" sku='A&#65;'/>"),
        ("sku", "<p><x><sku>A</sku></x></p>"),
        ("sku", "<p><sku>A</sku><x><sku>B</sku></x></p>"),
        ("sku", "<p><!-- <sku>A</sku> --></p>"),
        ("sku", "<p><![CDATA[<sku>A</sku>]]></p>"),
        ("sku", "<p><?x <sku>A</sku> ?></p>"),
        ("sku", "<p><x a='/>'><sku>A</sku></x></p>"),
        ("sku", "<p>/><x><sku>A</sku></x></p>"),
        ("sku", "<p xmlns='urn:x'><sku>A</sku></p>"),
        ("sku", "<p><sku>A<b>B</b></sku></p>"),
        ("sku", "<p><sku><![CDATA[A]]></sku></p>"),
        ("sku", "<p><sku x='1'>A</sku></p>"),
        ("sku", "<p><sku/></p>"),
        ("sku", "<p><skus/></p>"),
        ("'@sku'", "<p sku='A'><u:c/></p>"),
        ("'@sku'", "<p sku='A'><u:/></p>"),
        ("'@sku'", "<p sku='A'><x y='>' u:b='1'/></p>"),
        ("'@sku'", "<p sku='A'><x u:b\n=\t'1'/></p>"),
        ("'@sku'", "<p sku='A'><x :b='1'/></p>"),
        ("'@sku'", "<p sku='A'><?u:c d?></p>"),
        ("'@sku'", "<p sku='A'><x xmlns='http://www.w3.org/2000/xmlns/'/></p>"),
        ("'@sku'", "<p a=' sku=' b='B'/>"),
        ("'@sku'", "<p  sku='A'  model='M'/>"),
        ("'@sku'", "<p sku ='A'/>"),
        ("'@sku'", "<p sku= 'A'/>"),
    ],
)
def test_where_the_text_could_mean_something_else_nobody_guesses(
    identifier: str, record: str
) -> None:
    try:
        glimpse, parsed = both(identifier, record)
    except UnreadableFileError:
        assert "xmlns" in record
        return
    assert glimpse is None or glimpse == parsed


NAMES = st.sampled_from(["sku", "model", "skus", "x", "p"])
TEXTS = st.text(st.sampled_from("AB1 \n\r\t&<>/'\"=é"), max_size=6)


def element(name: str, attributes: dict[str, str], children: list[Any]) -> Any:
    made = etree.Element(name, attributes)
    last: Any = None
    for child in children:
        if isinstance(child, str) and last is None:
            made.text = (made.text or "") + child
        elif isinstance(child, str):
            last.tail = (last.tail or "") + child
        else:
            made.append(child)
            last = child
    return made


ATTRIBUTES = st.dictionaries(NAMES, TEXTS, max_size=3)
LEAVES = (
    TEXTS
    | TEXTS.map(lambda t: etree.Comment(t.replace("-", "")))
    | st.builds(element, NAMES, ATTRIBUTES, st.lists(TEXTS, max_size=1))
)
TREES = st.recursive(
    LEAVES, lambda inner: st.builds(element, NAMES, ATTRIBUTES, st.lists(inner, max_size=3))
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PARENTS)), ATTRIBUTES, st.lists(TREES, max_size=4))
def test_a_glimpse_is_never_wrong(
    identifier: str, attributes: dict[str, str], children: list[Any]
) -> None:
    record = etree.tostring(element("p", attributes, children), encoding="unicode")
    glimpse, parsed = both(identifier, record)
    assert glimpse is None or glimpse == parsed


SNIPPETS = st.sampled_from(
    [
        *(":", "u:", "://", "xml:", "a:b", "12:30", " u:a='1'", " u:a\t= '1'", " xmlns='urn:a'"),
        *("<u:b/>", "<!--a:b-->", "<?u:v w?>", "<![CDATA[a: b]]>", "<sku>", ">", "/>"),
        *("'", '"', "=", " "),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(PARENTS)), st.lists(st.tuples(st.integers(0, 60), SNIPPETS)))
def test_a_glimpse_is_never_wrong_whatever_stands_in_the_text(
    identifier: str, snippets: list[tuple[int, str]]
) -> None:
    record = "<p sku='A' model='M'><sku>A</sku><x y='1'>t</x><model>M</model></p>"
    for place, snippet in snippets:
        record = record[:place] + snippet + record[place:]
    try:
        glimpse, parsed = both(identifier, record)
    except (UnreadableFileError, StopIteration):
        return
    assert glimpse is None or glimpse == parsed
