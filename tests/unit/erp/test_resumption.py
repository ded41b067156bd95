"""A file is read on from a place in it, and what comes is what reading all of it would give."""

from __future__ import annotations

import gzip
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.erp import archives
from pim_connector.erp.reading import RecordReader, Resumption, read_records
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.mapping.compiled import CompiledMapping
from tests.unit.erp.reading_world import OneWay, compiled_mapping_of

NESTED = compiled_mapping_of("""
version: 1
namespaces: {default: "urn:c"}
head: {season: /catalog/@season}
records:
  model: {path: /catalog/group/model, resource: product_model, identifier: "@id", family_variant: v}
  product:
    path: /catalog/group/product
    identifier: "@sku"
    values:
      name: name
      season: {from: head.season, type: text}
      group: {from: ../@name, type: text}
  part: {path: /catalog/group/product/part, identifier: "@sku"}
""")
BEGINNING = f"<!-- {'a file is recognised by its first 1,024 bytes ' * 25}-->"
OPENING = '<catalog xmlns="urn:c" season="24 &amp; &quot;ü&quot;"><group name="g&#10;1">'
PIECES = st.lists(
    st.sampled_from(
        [
            '<product sku="A"><name>Bücher 日本</name></product>',
            "<product sku='B'/>",
            '<product sku="C"><part sku="C1"/><name>x</name><part sku="C2"/></product>',
            '\n<product sku="D"><name><![CDATA[</product>]]></name></product>\r\n',
            '<model id="M"/>',
            "<!-- <product/> -->",
            "<other>no record</other>\n",
            '</group>\n<group name="two">',
            "text &amp; more ",
        ]
    ),
    max_size=40,
)
ENDINGS = st.sampled_from(["</group></catalog>", "", "<product>&</product>", "</catalog>", "\x01"])


class Seen(io.BytesIO):
    """A file that remembers how many of its bytes were read."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(-1 if size is None else size)
        self.taken += len(data)
        return data


def rest_of(reader: RecordReader) -> tuple[list[SourceRecord], tuple[object, ...]]:
    found: list[SourceRecord] = []
    try:
        found.extend(reader)
    except UnreadableFileError as error:
        return found, (error.what, error.line, error.column, error.records_read)
    return found, ()


def resumption_after(
    data: bytes,
    compiled: CompiledMapping,
    records: int,
    skip: int = 0,
    start: Resumption | None = None,
) -> Resumption | None:
    """How to read on after so many records, as it comes out of a checkpoint."""
    reader = read_records(lambda: io.BytesIO(data), compiled, skip=skip, start=start)
    for _ in range(records - skip):
        next(reader)
    kept = msgspec.msgpack.encode(reader.resumption())
    return msgspec.msgpack.decode(kept, type=Resumption | None)


@given(PIECES, ENDINGS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]), st.data())
def test_reading_on_gives_what_reading_everything_gives(
    pieces: list[str], ending: str, encoding: str, data: st.DataObject
) -> None:
    declared = f"<?xml version='1.0' encoding='{encoding.removesuffix('-sig')}'?>"
    text = f"{declared}{BEGINNING}{OPENING}{''.join(pieces)}{ending}"
    body = text.encode(encoding, "xmlcharrefreplace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archives, "CHUNK", data.draw(st.sampled_from([97, 250, 1 << 18]), "chunk"))
        everything, end = rest_of(read_records(lambda: io.BytesIO(body), NESTED))
        first = data.draw(st.integers(0, len(everything)), "first")
        start = resumption_after(body, NESTED, first)
        records = data.draw(st.integers(first, len(everything)), "records")
        start = resumption_after(body, NESTED, records, first, start) or start
        reader = read_records(lambda: io.BytesIO(body), NESTED, skip=records, start=start)
        assert rest_of(reader) == (everything[records:], end)


def test_no_place_lies_in_the_middle_of_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "CHUNK", 97)
    products = "".join(f"<product sku='{n}'><name>日本語</name></product>" for n in range(60))
    body = f"{OPENING}{products}</group></catalog>".encode()
    everything = list(read_records(lambda: io.BytesIO(body), NESTED))
    for records in range(60):
        start = resumption_after(body, NESTED, records)
        reader = read_records(lambda: io.BytesIO(body), NESTED, skip=records, start=start)
        assert list(reader) == everything[records:]


def test_what_lies_before_the_place_is_not_read() -> None:
    product = '<product sku="A"><name>x</name></product>\n'
    body = f"{OPENING}{product * 40_000}</group></catalog>".encode()
    start = resumption_after(body, NESTED, 30_000)
    assert start is not None
    file = Seen(body)
    rest = list(read_records(lambda: file, NESTED, skip=30_000, start=start))
    assert [record.number for record in rest[:2]] == [30_001, 30_002]
    assert len(rest) == 10_000
    assert file.taken < len(body) / 4 + 2 * archives.CHUNK


TABLE = compiled_mapping_of("""
version: 1
tables: {brands: {path: /catalog/brand, key: "@id", columns: {name: "@name"}}}
records:
  product:
    path: /catalog/product
    identifier: "@sku"
    values: {brand: {from: "@brand", type: text, steps: [{lookup: brands, column: name}]}}
""")


def test_tables_are_read_again_before_the_place() -> None:
    brand, product = b"<brand id='1' name='One'/>", b"<product sku='A' brand='1'/>"
    body = b"<catalog>" + brand + product * 5 + b"</catalog>"
    everything = list(read_records(lambda: io.BytesIO(body), TABLE))
    start = resumption_after(body, TABLE, 3)
    assert start is not None
    rest = list(read_records(lambda: io.BytesIO(body), TABLE, skip=3, start=start))
    assert rest == everything[3:]
    assert rest[0].tables == {"brands": {"1": [{"name": "One"}]}}


@pytest.mark.parametrize(
    "body",
    [
        gzip.compress(f"{OPENING}<product sku='A'/><product sku='B'/></group></catalog>".encode()),
        f"<!DOCTYPE catalog [<!ENTITY e 'x'>]>{OPENING}<product sku='A'>&e;</product>"
        "<product sku='B'/></group></catalog>".encode(),
    ],
)
def test_where_later_parts_depend_on_earlier_ones_reading_begins_anew(body: bytes) -> None:
    assert resumption_after(body, NESTED, 2) is None
    rest = list(read_records(lambda: OneWay(body), NESTED, skip=1))  # type: ignore[arg-type,return-value]
    assert [record.number for record in rest] == [2]
