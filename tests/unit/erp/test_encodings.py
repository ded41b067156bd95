"""Encodings: declared, marked, overridden, contradicted; never a damaged character."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pim_connector.records import UnreadableFileError
from tests.unit.erp.reading_world import PLAIN, records_of

LEGAL = st.characters(
    codec="utf-8", exclude_characters="\x7f\ufffe\uffff", exclude_categories=["Cc", "Cs"]
)


def document(text: str, encoding: str | None) -> str:
    declaration = f'<?xml version="1.0" encoding="{encoding}"?>\n' if encoding else ""
    return f'{declaration}<catalog><product sku="1"><name>{text}</name></product></catalog>'


def name_in(data: bytes, mapping: str = PLAIN) -> str:
    (record,) = records_of(data, mapping)
    return record.xml.partition("<name>")[2].partition("</name>")[0]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("UTF-8", "Größe – Źdźbło"),
        ("ISO-8859-1", "Größe"),
        ("ISO-8859-2", "źdźbło"),
        ("ISO-8859-15", "5 €"),
        ("windows-1250", "Źdźbło – žluťoučký"),
        ("windows-1251", "Привет"),
        ("windows-1252", "5 € – “x”"),
        ("windows-1254", "ığşİ"),
        ("Shift_JIS", "日本語"),
        ("GB18030", "中文"),
        ("US-ASCII", "plain"),
    ],
)
def test_the_declared_encoding_is_used(encoding: str, text: str) -> None:
    assert name_in(document(text, encoding).encode(encoding)) == text


@pytest.mark.parametrize(
    ("bom", "encoding", "declared"),
    [
        (codecs.BOM_UTF8, "utf-8", "UTF-8"),
        (codecs.BOM_UTF8, "utf-8", None),
        (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
        (codecs.BOM_UTF16_BE, "utf-16-be", None),
        (b"", "utf-16-le", None),
        (b"", "utf-16-be", "UTF-16"),
        (codecs.BOM_UTF32_LE, "utf-32-le", None),
    ],
)
def test_a_byte_order_mark_or_its_absence_is_understood(
    bom: bytes, encoding: str, declared: str | None
) -> None:
    assert name_in(bom + document("Größe 𝄞", declared).encode(encoding)) == "Größe 𝄞"


def test_the_mapping_overrides_an_encoding_that_lies() -> None:
    data = document("5 €", "ISO-8859-1").encode("windows-1252")
    assert name_in(data, PLAIN + "file: {encoding: windows-1252}\n") == "5 €"


def test_windows_characters_in_a_file_that_says_iso_are_refused_and_not_damaged() -> None:
    with pytest.raises(UnreadableFileError, match=r"probably windows-125x; set `file\.encoding`"):
        records_of(document("5 €", "ISO-8859-1").encode("windows-1252"))


def test_a_file_that_declares_utf_16_and_is_not_says_what_to_set() -> None:
    data = document("x", "utf-16").encode()
    with pytest.raises(UnreadableFileError, match="declares utf-16 and is not; set"):
        records_of(data)
    assert name_in(data, PLAIN + "file: {encoding: utf-8}\n") == "x"


def test_bytes_that_do_not_fit_are_refused_with_byte_line_and_column() -> None:
    data = b'<catalog>\n<product sku="1"/>\n<product sku="\xfcber"/></catalog>'
    with pytest.raises(UnreadableFileError, match=r"byte 43 \(FC 62 65 72\) does not fit") as error:
        records_of(data)
    assert (error.value.line, error.value.column, error.value.records_read) == (3, 15, 1)


@pytest.mark.parametrize("piece", [1, 2, 3, 5])
def test_characters_cut_by_the_pieces_of_the_stream_stay_whole(piece: int) -> None:
    text = "Größe € 𝄞"
    for encoding in ("utf-8", "utf-16-le"):
        (record,) = records_of(document(text, None).encode(encoding), piece=piece)
        assert text in record.xml


@pytest.mark.parametrize("name", ["rot13", "utf-7", "idna", "unicode_escape", "hex", "martian"])
def test_encodings_that_no_file_has_are_refused(name: str) -> None:
    with pytest.raises(UnreadableFileError, match=f"names the encoding {name}"):
        records_of(document("x", name).encode())


def test_an_ebcdic_file_is_named_and_read_with_the_override() -> None:
    data = document("Grün", None).encode("cp500")
    declared = document("Grün", "cp500").encode("cp500")
    with pytest.raises(UnreadableFileError, match="EBCDIC"):
        records_of(declared)
    assert name_in(data, PLAIN + "file: {encoding: cp500}\n") == "Grün"


@given(st.text(LEGAL, max_size=80), st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "gb18030"]))
@settings(max_examples=60, deadline=None)
def test_any_text_arrives_as_it_was_in_any_encoding(text: str, encoding: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    declared = "gb18030" if encoding == "gb18030" else None
    assert name_in(document(escaped, declared).encode(encoding)) == escaped
