"""Attacks by XML, and accidents: each ends in a clear error, in little memory and little time."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from pim_connector.erp.reader import read_order, read_records
from pim_connector.records import UnreadableFileError
from tests.unit.erp.bounds import bounded
from tests.unit.erp.reading_world import PLAIN, compiled_mapping_of, reader_of, records_of

MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    """Native memory counts, too: that of expat and libxml2 is not seen by tracemalloc."""
    with bounded(megabytes=384, cpu_seconds=120):
        yield


class Generated(io.RawIOBase):
    """A file that is made while it is read, so that its size costs the test nothing."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def readable(self) -> bool:
        return True

    def read(self, _: int = -1) -> bytes:
        return next(self._parts, b"")


def refused(data: bytes | str, mapping: str = PLAIN) -> str:
    with pytest.raises(UnreadableFileError) as error:
        records_of(data, mapping)
    return str(error.value)


def refused_within(parts: Iterator[bytes], megabytes: float) -> str:
    """The error of a generated file, and that memory stayed under a bound."""
    compiled = compiled_mapping_of(PLAIN)
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableFileError) as error:
            list(read_records(lambda: _file(parts), compiled))
        assert tracemalloc.get_traced_memory()[1] < megabytes * MEGABYTE
    finally:
        tracemalloc.stop()
    return str(error.value)


def _file(parts: Iterator[bytes]) -> BinaryIO:
    return Generated(parts)  # type: ignore[return-value]  # reads are all it is used for


def test_an_external_entity_is_never_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("<name>stolen</name>")
    message = refused(
        f'<!DOCTYPE catalog [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
        '<catalog><product sku="1"><name>&x;</name></product></catalog>'
    )
    assert "&x; is an external entity; those are never fetched" in message
    assert "stolen" not in message


def test_an_external_dtd_and_parameter_entities_are_not_read(tmp_path: Path) -> None:
    dtd = tmp_path / "x.dtd"
    dtd.write_text('<!ENTITY name "from outside">')
    start = (
        f'<!DOCTYPE catalog SYSTEM "{dtd.as_uri()}" [<!ENTITY % p SYSTEM "{dtd.as_uri()}"> %p;]>'
    )
    assert len(records_of(f'{start}<catalog><product sku="1"/></catalog>')) == 1
    message = refused(f'{start}<catalog><product sku="1"><name>&name;</name></product></catalog>')
    assert "&name; is not declared in the file" in message


def test_a_billion_laughs_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    message = refused(
        f'<!DOCTYPE catalog [<!ENTITY l0 "ha">{laughs}]>'
        '<catalog><product sku="1"><name>&l9;</name></product></catalog>'
    )
    assert "expand to far more than the file holds" in message


def test_laughs_in_an_attribute_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    message = refused(
        f'<!DOCTYPE catalog [<!ENTITY l0 "ha">{laughs}]>'
        '<catalog><product sku="&l9;"><name/></product></catalog>'
    )
    assert "expand to far more than the file holds" in message


def test_quadratic_blow_up_is_refused() -> None:
    big = "A" * 60_000
    uses = "".join(f'<product sku="{n}"><name>&big;</name></product>' for n in range(200))
    message = refused(f'<!DOCTYPE catalog [<!ENTITY big "{big}">]><catalog>{uses}</catalog>')
    assert "expand to far more than the file holds" in message


def test_entities_that_contain_themselves_are_refused() -> None:
    message = refused(
        '<!DOCTYPE catalog [<!ENTITY a "&b;"><!ENTITY b "&a;">]>'
        '<catalog><product sku="1"><name>&a;</name></product></catalog>'
    )
    assert "contains itself" in message


def test_attribute_defaults_of_a_dtd_are_there_and_not_ignored() -> None:
    (record,) = records_of(
        '<!DOCTYPE catalog [<!ATTLIST product sku CDATA "7">]><catalog><product/></catalog>'
    )
    assert '<product sku="7">' in record.xml


def test_elements_that_come_out_of_an_entity_are_there_and_not_lost() -> None:
    first, second = records_of(
        "<!DOCTYPE catalog [<!ENTITY n '<name>&#38;amp;</name>'><!ENTITY p "
        "\"<product sku='1'>&n;</product>&q;\"><!ENTITY q \"<product sku='2'/>\">]>"
        "<catalog>\n&p;</catalog>"
    )
    assert first.xml.endswith('<product sku="1"><name>&amp;</name></product></catalog>')
    assert second.xml.endswith('<product sku="2"></product></catalog>')
    assert (first.line, second.line) == (2, 2)


def test_a_hundred_megabytes_of_text_in_one_element_are_refused() -> None:
    def parts() -> Iterator[bytes]:
        yield b'<catalog><product sku="1"><name>'
        for _ in range(100):
            yield b"x" * MEGABYTE
        yield b"</name></product></catalog>"

    message = refused_within(parts(), 64)
    assert "the element product is larger than 16 MB" in message
    assert "file.max_record_megabytes" in message


def test_a_hundred_megabytes_outside_the_records_cost_nothing() -> None:
    def parts() -> Iterator[bytes]:
        yield b"<catalog><junk>"
        for _ in range(100):
            yield b"x" * MEGABYTE
        yield b'</junk><product sku="1"/></catalog>'

    tracemalloc.start()
    found = list(read_records(lambda: _file(parts()), compiled_mapping_of(PLAIN)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == 1
    assert peak < 16 * MEGABYTE


def test_a_million_attributes_are_refused() -> None:
    many = b"".join(b' a%d="1"' % n for n in range(1_000_000))
    parts = iter(
        [b"<catalog><product", *(many[n : n + MEGABYTE] for n in range(0, len(many), MEGABYTE))]
    )
    assert "a tag or comment of more than 8 MB" in refused_within(parts, 80)


def test_more_attributes_than_any_element_has_are_refused() -> None:
    many = "".join(f' a{n}="1"' for n in range(10_001))
    assert "more than 10000 attributes" in refused(f"<catalog><product{many}/></catalog>")


def test_a_depth_of_a_hundred_thousand_is_refused() -> None:
    message = refused("<catalog>" + "<a>" * 100_000 + "</a>" * 100_000 + "</catalog>")
    assert "nested more than 240 deep" in message


def test_depth_inside_a_record_is_refused_too() -> None:
    deep = "<a>" * 300 + "</a>" * 300
    message = refused(f'<catalog><product sku="1">{deep}</product></catalog>')
    assert "nested more than 240 deep" in message


def test_a_comment_without_end_is_refused() -> None:
    def parts() -> Iterator[bytes]:
        yield b"<catalog><!--"
        for _ in range(100):
            yield b"x" * MEGABYTE

    assert "a tag or comment of more than 8 MB" in refused_within(parts(), 80)


@pytest.mark.parametrize("character", ["\x00", "\x01", "\x0b", "\x1f", "\ufffe"])
def test_illegal_characters_are_refused_with_their_place(character: str) -> None:
    with pytest.raises(UnreadableFileError) as error:
        records_of(f'<catalog>\n<product sku="1"/>\n<product sku="2{character}"/></catalog>')
    assert (error.value.line, error.value.column) == (3, 16)
    assert error.value.records_read == 1
    assert f"U+{ord(character):04X}" in str(error.value)


def test_a_reference_to_an_illegal_character_is_refused_with_its_place() -> None:
    with pytest.raises(UnreadableFileError) as error:
        records_of('<catalog>\n<product sku="1"><name>a&#11;b</name></product></catalog>')
    assert error.value.line == 2
    assert "a reference to a character that XML does not allow" in str(error.value)


def test_illegal_characters_are_dropped_and_counted_where_the_mapping_asks_for_it() -> None:
    mapping = PLAIN + "file: {illegal_characters: drop}\n"
    reader = reader_of(
        '<catalog><product sku="1"><name>a\x0bb&#11;c&#x1F;d&#10;e</name></product></catalog>',
        mapping,
    )
    (record,) = list(reader)
    assert "abcd&#10;e" in record.xml
    assert reader.repairs == {"illegal_characters": 3}


def test_a_reference_that_is_cut_by_the_chunks_is_still_dropped() -> None:
    mapping = PLAIN + "file: {illegal_characters: drop}\n"
    begin = b"<catalog><!--" + b"x" * 2_000 + b"-->"
    data = begin + b'<product sku="1"><name>a&#x0000B;b</name></product></catalog>'
    for piece in (1, 3, 7, 1024):
        reader = reader_of(data, mapping, piece=piece)
        assert [">ab<" in record.xml for record in reader] == [True]
        assert reader.repairs == {"illegal_characters": 1}


def test_a_gzip_bomb_is_refused() -> None:
    more = gzip.compress(b" " * (40 * MEGABYTE), 9)
    message = refused(gzip.compress(b"<catalog>") + more + more)
    assert "unpacks to more than 200 times its size" in message


def test_a_zip_bomb_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b"<catalog>" + b" " * (100 * MEGABYTE))
    assert "unpacks to more than 200 times its size" in refused(packed.getvalue())


def test_an_archive_in_an_archive_is_refused() -> None:
    assert "an archive inside an archive" in refused(gzip.compress(gzip.compress(b"<catalog/>")))


def test_a_zip_of_several_files_is_refused_by_their_names() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", "<catalog/>")
        archive.writestr("../../etc/b.xml", "<catalog/>")
    message = refused(packed.getvalue())
    assert "must hold one file; it holds 'a.xml', '../../etc/b.xml'" in message


def test_an_encrypted_zip_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", "<catalog/>")
    data = bytearray(packed.getvalue())
    data[6] |= 1
    place = data.index(b"PK\x01\x02")
    data[place + 8] |= 1
    assert "encrypted" in refused(bytes(data))


@pytest.mark.parametrize(
    ("magic", "name"), [(b"BZh9", "bzip2"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a", "rar")]
)
def test_other_archives_are_named(magic: bytes, name: str) -> None:
    assert f"a {name} archive" in refused(magic + b"xxxxxxxx")


def test_a_cut_off_gzip_is_refused_after_the_records_before_the_cut() -> None:
    import random

    numbers = random.Random(7)  # noqa: S311
    products = "".join(
        f'<product sku="{n}"><name>{numbers.random()}</name></product>' for n in range(5_000)
    )
    whole = gzip.compress(f"<catalog>{products}</catalog>".encode())
    with pytest.raises(UnreadableFileError, match="cut off") as error:
        records_of(whole[: len(whole) // 2])
    assert 1_000 < error.value.records_read < 5_000


def test_the_mark_of_a_record_cannot_be_forged_into_other_values() -> None:
    (record,) = records_of(
        '<catalog><product sku="1"><?pim-connector-record?><name>x</name></product></catalog>'
    )
    identity = compiled_mapping_of(PLAIN).identify(record)
    assert getattr(identity, "identifier", None) == "1"


@pytest.mark.parametrize(
    "body",
    [
        '<catalog a="&u;"><product sku="1"/></catalog>',
        '<catalog><product sku="&u;"/></catalog>',
        '<catalog><product sku="1"><name a="x&e;"/></product></catalog>',
        "<catalog><product sku='1'>&u;</product></catalog>",
    ],
    ids=["ancestor", "record", "through another entity", "text"],
)
def test_an_entity_that_only_an_external_dtd_declares_is_refused_with_its_place(body: str) -> None:
    message = refused(f'<!DOCTYPE catalog SYSTEM "x.dtd" [<!ENTITY e "&u;">]>\n{body}')
    assert "the entity &u; is not declared in the file" in message
    assert "(line 2, column " in message


def test_an_undeclared_entity_in_the_order_of_an_export_is_refused() -> None:
    compiled = compiled_mapping_of(PLAIN + "source: {order: /catalog/@made}\n")
    data = b'<!DOCTYPE catalog SYSTEM "x.dtd"><catalog made="2024&u;-01"/>'
    with pytest.raises(UnreadableFileError, match="&u; is not declared"):
        read_order(lambda: io.BytesIO(data), compiled)
