"""Files that are something else than they say: refused in words, within memory and time.

Every test works with 256 MB and a minute of processor time. Attacks by XML itself are in
`test_hostile.py`, which has the same bounds.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import socket
import stat
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pim_connector.records import UnreadableFileError
from tests.unit.erp.bounds import bounded
from tests.unit.erp.reading_world import PLAIN, records_of

XML = '<catalog><product sku="1"><name>x</name></product></catalog>'


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    with bounded(megabytes=256, cpu_seconds=60):
        yield


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails the test."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def refused(data: bytes | str, mapping: str = PLAIN) -> str:
    with pytest.raises(UnreadableFileError) as error:
        records_of(data, mapping)
    return str(error.value)


def zipped(
    *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_STORED
) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return packed.getvalue()


# ── What a file refers to ───────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("offline")
def test_no_schema_stylesheet_or_inclusion_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("stolen")
    (record,) = records_of(
        f"""<?xml-stylesheet type="text/xsl" href="http://evil.example/x.xsl"?>
        <catalog xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
          xmlns:xi="http://www.w3.org/2001/XInclude"
          xsi:noNamespaceSchemaLocation="http://evil.example/x.xsd"
          xsi:schemaLocation="urn:x http://evil.example/y.xsd">
          <product sku="1">
            <name><xi:include href="{secret.as_uri()}" parse="text"/></name>
          </product>
        </catalog>"""
    )
    assert "stolen" not in record.xml


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE catalog SYSTEM "http://evil.example/x.dtd">',
        '<!DOCTYPE catalog PUBLIC "-//X//EN" "http://evil.example/x.dtd">',
        '<!DOCTYPE catalog [<!ENTITY % p SYSTEM "http://evil.example/x.dtd"> %p; %q;]>',
        '<!DOCTYPE catalog [<!NOTATION n SYSTEM "http://evil.example/x">]>',
    ],
)
def test_no_dtd_is_fetched_from_the_network(doctype: str) -> None:
    assert len(records_of(doctype + XML)) == 1


def test_laughs_of_parameter_entities_are_refused() -> None:
    laughs = "".join(f"<!ENTITY % p{n} '{f'%p{n - 1};' * 10}'>" for n in range(1, 10))
    doctype = f"<!DOCTYPE catalog [<!ENTITY % p0 'ha'>{laughs}%p9;]>"
    assert "parameter entity" in refused(doctype + XML)


# ── Archives ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [
        zipped(("a.zip", zipped(("a.xml", XML.encode())))),
        zipped(("a.xml.gz", gzip.compress(XML.encode()))),
        gzip.compress(zipped(("a.xml", XML.encode()))),
    ],
    ids=["zip in zip", "gzip in zip", "zip in gzip"],
)
def test_nested_archives_are_refused(data: bytes) -> None:
    assert "an archive inside an archive" in refused(data)


@pytest.mark.parametrize(
    "name", ["../../outside.xml", "/outside.xml", "C:\\outside.xml", "a\x01.xml"]
)
def test_the_path_in_an_archive_is_nothing_but_a_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)

    assert len(records_of(zipped((name, XML.encode())))) == 1
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_text(XML.replace("x", "stolen"))
    link = zipfile.ZipInfo("a.xml")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16

    message = refused(zipped((link, str(secret).encode())))
    assert "this is not XML" in message
    assert "stolen" not in message


def test_an_archive_of_very_many_files_is_refused_before_its_list_is_read() -> None:
    many = zipped(*((f"{n}.xml", b"") for n in range(2_000)))
    assert "must hold one file; it holds more than 1000" in refused(many)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_a_bomb_is_refused_whatever_packed_it(method: int) -> None:
    bomb = zipped(("a.xml", b"<catalog>" + b" " * (80 << 20)), method=method)
    assert "unpacks to more than 200 times its size" in refused(bomb)


@pytest.mark.parametrize("place", range(0, 100, 7))
def test_a_damaged_archive_is_refused_or_read(place: int) -> None:
    data = bytearray(zipped(("a.xml", XML.encode()), method=zipfile.ZIP_DEFLATED))
    data[place % len(data)] ^= 0xFF
    with suppress(UnreadableFileError):
        assert len(records_of(bytes(data))) == 1


# ── Encodings ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "character",
    [b"\xc0\xbc", b"\xc1\xbf", b"\xe0\x80\xbc", b"\xf0\x80\x80\xbc", b"\xf8\x88\x80\x80\x80"],
)
def test_overlong_utf_8_is_no_utf_8(character: bytes) -> None:
    data = XML.encode().replace(b">x<", b">" + character + b"script<")
    assert "does not fit the encoding utf-8" in refused(data)


@pytest.mark.parametrize("character", [b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf4\x90\x80\x80"])
def test_surrogates_and_what_is_beyond_unicode_are_refused(character: bytes) -> None:
    assert "does not fit" in refused(XML.encode().replace(b">x<", b">" + character + b"<"))


def test_utf_7_without_a_declaration_is_only_text() -> None:
    (record,) = records_of(XML.replace(">x<", ">+ADw-script+AD4-<"))
    assert "+ADw-script+AD4-" in record.xml


@pytest.mark.parametrize(
    ("mark", "written", "declared"),
    [
        (codecs.BOM_UTF8, "utf-8", "ISO-8859-1"),
        (codecs.BOM_UTF8, "utf-8", "UTF-16"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-8"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "ISO-8859-1"),
        (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-8"),
    ],
)
def test_of_mark_and_declaration_the_mark_counts(mark: bytes, written: str, declared: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?>' + XML.replace(">x<", ">Grün €<")
    (record,) = records_of(mark + text.encode(written))
    assert "Grün €" in record.xml


@pytest.mark.parametrize(
    ("mark", "written"),
    [
        (codecs.BOM_UTF16_LE, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-be"),
        (codecs.BOM_UTF16_BE, "utf-8"),
        (codecs.BOM_UTF32_LE, "utf-8"),
        (codecs.BOM_UTF8, "utf-16-le"),
        (codecs.BOM_UTF8, "utf-32-be"),
    ],
)
def test_a_mark_that_lies_is_refused(mark: bytes, written: str) -> None:
    assert refused(mark + XML.encode(written))


@pytest.mark.parametrize("declared", ["UTF-16", "UTF-16LE", "UTF-32", "ucs-2"])
def test_a_declaration_of_wide_characters_over_narrow_ones_is_refused(declared: str) -> None:
    assert refused(f'<?xml version="1.0" encoding="{declared}"?>{XML}')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_nul_in_any_encoding_is_refused_with_its_place(encoding: str) -> None:
    assert "U+0000 is not allowed in XML" in refused(
        XML.replace(">x<", ">a\x00b<").encode(encoding)
    )


# ── Other types of content ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "data",
    [
        b"<!DOCTYPE html><html><head><title>Login</title></head><body><p>Hi<br></body></html>",
        json.dumps({"catalog": [{"sku": "1"}]}).encode(),
        b"sku;name\n1;x\n",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"GIF89a\x01\x00\x01\x00",
        b"\x7fELF\x02\x01\x01",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
        zipped(("[Content_Types].xml", b"<Types/>"), ("xl/workbook.xml", b"<workbook/>")),
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"\x00" * 5_000,
        b"\xff" * 5_000,
        b" " * 2_000_000,
        b"<" * 100_000,
        b"<a " * 100_000,
        b"&" * 100_000,
    ],
    ids=lambda data: repr(data[:8]),
)
def test_what_is_no_export_is_refused_in_words(data: bytes) -> None:
    message = refused(data)
    assert message.endswith("0 records read before it")
    assert len(message) < 1_000
