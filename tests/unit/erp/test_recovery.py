"""What exports get wrong: refused with the option that helps, or repaired and counted."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.mapping.results import Rejected
from pim_connector.records import SourceRecord, UnreadableFileError
from tests.unit.erp.reading_world import PLAIN, compiled_mapping_of, reader_of, records_of

XML = '<catalog>\n<product sku="1"><name>{}</name></product>\n</catalog>'


def mapping(options: str) -> str:
    return f"{PLAIN}file: {{{options}}}\n"


def refused(data: bytes | str, options: str = "") -> str:
    with pytest.raises(UnreadableFileError) as error:
        records_of(data, mapping(options))
    return str(error.value)


def repaired(data: bytes | str, options: str) -> tuple[str, dict[str, int]]:
    """The only record of a file, and what was repaired on the way to it."""
    reader = reader_of(data, mapping(options))
    (record,) = reader
    return record.xml, dict(reader.repairs)


# ── Before and behind the document ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("start", "encoding", "skipped"),
    [
        (b"\n", "utf-8", 1),
        (b" \r\n\t", "utf-8", 4),
        (b"\n\xef\xbb\xbf", "utf-8", 4),
        (b"\xef\xbb\xbf\n", "utf-8", 1),
        (b"\n\0", "utf-16-le", 1),
        (b"\0\n", "utf-16-be", 1),
        (b"\xff\xfe\n\0", "utf-16-le", 1),
        (b"\n", "iso-8859-1", 1),
    ],
)
def test_white_space_before_the_declaration_is_skipped_where_asked(
    start: bytes, encoding: str, skipped: int
) -> None:
    name = "utf-16" if encoding.startswith("utf-16") else encoding
    text = f'<?xml version="1.0" encoding="{name}"?>\n' + XML.format("ü")
    data = start + text.encode(encoding)
    assert "`file: {leading_space: skip}`" in refused(data)
    xml, repairs = repaired(data, "leading_space: skip")
    assert "<name>ü</name>" in xml
    assert repairs == {"leading_space": skipped}


def test_lines_count_from_the_beginning_of_the_file_also_where_it_is_skipped() -> None:
    text = '\n\n<?xml version="1.0"?>\n' + XML.format("x")
    (record,) = records_of(text, mapping("leading_space: skip"))
    assert record.line == 5


@pytest.mark.parametrize("garbage", ["\x1a", "\0\0\0", "\n\n\x1a\n", "end of file", "&"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_stands_behind_the_document_is_skipped_where_asked(
    garbage: str, encoding: str
) -> None:
    data = (XML.format("x") + garbage).encode(encoding)
    assert "`file: {trailing_garbage: skip}`" in refused(data)
    xml, repairs = repaired(data, "trailing_garbage: skip")
    assert "<name>x</name>" in xml
    assert repairs == {"trailing_garbage": len(garbage.strip())}


@pytest.mark.parametrize("garbage", [b"\n", b"\r\n", b"\x1a", b"not gzip" * 10_000])
def test_what_stands_behind_a_gzip_archive_is_skipped_where_asked(garbage: bytes) -> None:
    data = gzip.compress(XML.format("x").encode()) + garbage
    assert "`file: {trailing_garbage: skip}`" in refused(data)
    _, repairs = repaired(data, "trailing_garbage: skip")
    assert repairs == {"trailing_garbage": len(garbage)}


def test_a_second_document_is_no_garbage() -> None:
    data = XML.format("x") + XML.format("y")
    assert "`file: {documents: several}`" in refused(data, "trailing_garbage: skip")


@pytest.mark.parametrize("between", ["", "\n", "\ufeff", "\n<?xml version='1.0'?>\n"])
def test_several_documents_are_read_one_after_another_where_asked(between: str) -> None:
    data = XML.format("x") + between + XML.format("y") + between * 0 + "\n" + XML.format("z")
    assert "`file: {documents: several}`" in refused(data)
    reader = reader_of(data, mapping("documents: several"))
    assert [record.xml.partition("<name>")[2][0] for record in reader] == ["x", "y", "z"]
    assert reader.repairs == {"documents": 2}


def test_each_document_has_entities_of_its_own() -> None:
    first = "<!DOCTYPE catalog [<!ENTITY e 'one'>]>" + XML.format("&e;")
    records = records_of(first + "\n" + XML.format("two"), mapping("documents: several"))
    assert ["one" in records[0].xml, "two" in records[1].xml] == [True, True]
    assert "&e; is not declared" in refused(first + XML.format("&e;"), "documents: several")


def test_several_documents_with_garbage_between_need_both_options() -> None:
    data = XML.format("x") + "\0\0" + XML.format("y") + "\x1a"
    assert refused(data, "documents: several")
    reader = reader_of(data, mapping("documents: several, trailing_garbage: skip"))
    assert len([*reader]) == 2
    assert reader.repairs == {"documents": 1, "trailing_garbage": 3}


# ── Entities and ampersands ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a&nbsp;b", "a&#160;b"),
        ("&copy; &Uuml;", "&#169; &#220;"),
        ("<![CDATA[&nbsp;]]>", "<![CDATA[&nbsp;]]>"),
        ("<!-- &nbsp; --><?x &nbsp; ?>&nbsp;", "<!-- &nbsp; --><?x &nbsp; ?>&#160;"),
        ('<a b="&nbsp;&amp;"/>', '<a b="&#160;&amp;"/>'),
        ("&NotEqualTilde;", "&#8770;&#824;"),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_html_entities_are_read_where_asked(text: str, read: str, piece: int) -> None:
    data = XML.format(text).encode()
    reader = reader_of(data, mapping("html_entities: read"), piece=piece)
    assert f"<name>{read}</name>" in next(reader).xml
    if "CDATA" not in text:
        assert "html_entities: read" in refused(data)


def test_an_entity_that_the_file_declares_is_not_that_of_html() -> None:
    data = "<!DOCTYPE catalog [<!ENTITY nbsp '_'>]>" + XML.format("a&nbsp;b")
    assert "<name>a_b</name>" in repaired(data, "html_entities: read")[0]


def test_an_entity_that_html_does_not_know_stays_an_error_without_a_hint() -> None:
    message = refused(XML.format("&martian;"), "html_entities: read")
    assert "&martian; is not declared" in message
    assert "html_entities" not in message


@pytest.mark.parametrize(
    ("text", "read", "count"),
    [
        ("Black & Decker", "Black &amp; Decker", 1),
        ("a&b&&c", "a&amp;b&amp;&amp;c", 3),
        ('<a href="?x=1&y=2&copy=3"/>', '<a href="?x=1&amp;y=2&amp;copy=3"/>', 2),
        ("&amp; &#65; &#x42;", "&amp; &#65; &#x42;", 0),
        ("&#; &#xyz;", "&amp;#; &amp;#xyz;", 2),
        ("<![CDATA[&]]>", "<![CDATA[&]]>", 0),
        ("<!-- & -->&", "<!-- & -->&amp;", 1),
    ],
)
@pytest.mark.parametrize("piece", [1, 7, 1 << 16])
def test_bare_ampersands_are_text_where_asked(text: str, read: str, count: int, piece: int) -> None:
    data = XML.format(text).encode()
    reader = reader_of(data, mapping("bare_ampersands: read"), piece=piece)
    assert [f"<name>{read}</name>" in record.xml for record in reader] == [True]
    assert reader.repairs == ({"bare_ampersands": count} if count else {})
    if count:
        assert refused(data)


def test_illegal_characters_in_cdata_are_dropped_and_their_spelling_is_kept() -> None:
    xml, repairs = repaired(XML.format("<![CDATA[a\x04&#4;b]]>&#4;"), "illegal_characters: drop")
    assert "<![CDATA[a&#4;b]]></name>" in xml
    assert repairs == {"illegal_characters": 2}


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("&#4;", "illegal_characters: drop"),
        ("\x04", "illegal_characters: drop"),
        ("\ufffe", "illegal_characters: drop"),
        ("&nbsp;", "html_entities: read"),
        ("a & b", "bare_ampersands: read"),
        ("<b>", "recover: records"),
        ("</b>", "recover: records"),
        ("a < b", "recover: records"),
    ],
)
def test_every_refusal_names_the_option_that_helps(text: str, option: str) -> None:
    assert option in refused(XML.format(text))


@pytest.mark.parametrize(
    "declared", ["ANSI", "cp1252x", "x-user-defined", "utf8mb4", "UTF-16", "hex"]
)
def test_every_message_about_an_encoding_names_the_option(declared: str) -> None:
    data = f'<?xml version="1.0" encoding="{declared}"?>{XML.format("x")}'
    assert "`file: {encoding: " in refused(data)


def test_only_the_declaration_says_the_encoding() -> None:
    sheet = '<?xml-stylesheet href="x" encoding="iso-8859-15"?>\n'
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (record,) = records_of((sheet + XML.format("ö")).encode(encoding))
        assert "<name>ö</name>" in record.xml
    later = '<!-- <?xml version="1.0" encoding="iso-8859-15"?> -->' + XML.format("ö")
    assert "<name>ö</name>" in records_of(later.encode())[0].xml


# ── Archives of file managers ───────────────────────────────────────────────────────────────────


def zipped(**entries: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return packed.getvalue()


@pytest.mark.parametrize(
    "junk",
    ["__MACOSX/._a.xml", "._a.xml", ".DS_Store", "sub/.DS_Store", "Thumbs.db", "a/Desktop.ini"],
)
def test_what_file_managers_put_into_an_archive_is_no_file(junk: str) -> None:
    assert len(records_of(zipped(**{junk: "\0", "a/a.xml": XML.format("x")}))) == 1
    message = refused(zipped(**{junk: "\0"}))
    assert "it holds none (beside 1 of a file manager)" in message


def test_two_files_in_an_archive_are_still_two() -> None:
    message = refused(zipped(**{"a.xml": XML, "b.xml": XML, ".DS_Store": ""}))
    assert "it holds 'a.xml', 'b.xml'; send each export as a file of its own" in message


# ── One bad spot costs one record ───────────────────────────────────────────────────────────────

BAD = {
    "entity": '<product sku="{}"><name>a&nbsp;b</name></product>',
    "ampersand": '<product sku="{}"><name>a & b</name></product>',
    "in an attribute": '<product sku="{}" x="a & b"/>',
    "less than": '<product sku="{}"><name>a < b</name></product>',
    "character": '<product sku="{}"><name>a\x01b</name></product>',
    "in a comment": '<product sku="{}"><!-- \x01 <product sku="no"/> --><name/></product>',
    "in CDATA": '<product sku="{}"><![CDATA[ \x01 <product sku="no"/> ]]></product>',
    "behind CDATA": '<product sku="{}"><![CDATA[<product sku="no"/>]]>&x;</product>',
    "end tag": '<product sku="{}"><name>a</nam></product>',
    "no end of a child": '<product sku="{}"><name>a</product>',
    "end of nothing": '<product sku="{}"></name></product>',
    "twice": '<product sku="{}" a="1" a="2"/>',
    "no end": '<product sku="{}"><name>a</name>',
    "quote": '<product sku="{}" a="b></product>',
    "nothing": "</nothing>",
    "between": "a & b",
}
GOOD = '<product sku="{}"><name>ü</name></product>'


def outcome(record: SourceRecord) -> str:
    return "bad" if record.fault else record.xml.partition('sku="')[2].partition('"')[0]


def recovered(text: str, piece: int = 1 << 16) -> list[str]:
    reader = reader_of(text, mapping("recover: records"), piece=piece)
    found = [outcome(record) for record in reader]
    assert reader.holes == found.count("bad")
    return found


@pytest.mark.parametrize("bad", [b for n, b in BAD.items() if n not in ("quote", "no end")])
@pytest.mark.parametrize("piece", [1, 3, 1 << 16])
def test_a_record_that_is_not_well_formed_is_rejected_and_reading_goes_on(
    bad: str, piece: int
) -> None:
    items = [GOOD.format(1), bad.format(2), GOOD.format(3), bad.format(4), GOOD.format(5)]
    text = "<catalog>\n" + "\n".join(items) + "\n</catalog>"
    assert recovered(text, piece) == ["1", "bad", "3", "bad", "5"]


def test_a_hole_says_where_it_is_and_is_rejected_by_the_mapping() -> None:
    text = f"<catalog>\n{GOOD.format(1)}\n{BAD['entity'].format(2)}\n{GOOD.format(3)}</catalog>"
    records = records_of(text, mapping("recover: records"))
    assert [(record.number, record.line) for record in records] == [(1, 2), (2, 3), (3, 4)]
    assert records[1].fault.endswith("(line 3, column 25)")
    for result in (
        compiled_mapping_of(PLAIN).identify(records[1]),
        compiled_mapping_of(PLAIN).map(records[1], None),
    ):
        assert isinstance(result, Rejected)
        assert result.errors[0].message == records[1].fault


def test_a_record_without_its_end_tag_costs_itself_only() -> None:
    items = [GOOD.format(1), BAD["no end"].format(2), *(GOOD.format(n) for n in range(3, 9))]
    text = "<catalog>" + "\n".join(items) + "</catalog>"
    assert recovered(text) == ["1", "bad", "3", "4", "5", "6", "7", "8"]


def test_a_record_that_is_too_large_costs_itself_only() -> None:
    large = f'<product sku="2">{"x" * (1 << 21)}</product>'
    text = f"<catalog>{GOOD.format(1)}{large}{GOOD.format(3)}</catalog>"
    reader = reader_of(text, mapping("recover: records, max_record_megabytes: 1"))
    assert [outcome(record) for record in reader] == ["1", "bad", "3"]


def test_bytes_that_fit_no_encoding_cost_one_record_each() -> None:
    one, bad = GOOD.format(1), '<product sku="2"><name>\udcfc</name></product>'
    text = f"<catalog>{one}{bad}{one}{bad}{one}</catalog>"
    data = text.encode("utf-8", "surrogateescape")
    records = records_of(data, mapping("recover: records"))
    assert [outcome(record) for record in records] == ["1", "bad", "1", "bad", "1"]
    assert "(FC 3C 2F 6E) does not fit the encoding utf-8" in records[1].fault
    declared = b'<?xml version="1.0" encoding="us-ascii"?>' + data.replace("ü".encode(), b"u")
    records = records_of(declared, mapping("recover: records"))
    assert [outcome(record) for record in records] == ["1", "bad", "1", "bad", "1"]
    places = [record.fault.partition("(FC")[0] for record in records if record.fault]
    assert places[0] != places[1], "each fault has its own byte"


def test_a_file_that_is_cut_off_is_still_an_error() -> None:
    text = f"<catalog>{GOOD.format(1)}{BAD['entity'].format(2)}{GOOD.format(3)[:20]}"
    with pytest.raises(UnreadableFileError, match="ends in the middle"):
        recovered(text)


def test_a_bad_row_of_a_table_is_an_error_because_products_would_lack_it() -> None:
    tables = """
tables: {brands: {path: /catalog/brand, key: "@id", columns: {name: .}}}
"""
    text = f'<catalog><brand id="1">a & b</brand>{GOOD.format(1)}</catalog>'
    with pytest.raises(UnreadableFileError, match="is not escaped"):
        records_of(text, mapping("recover: records") + tables)


def test_names_per_product_are_recovered_from_too() -> None:
    any_name = mapping("recover: records").replace("/catalog/product", "/catalog/*")
    items = "".join(f"<p{n} sku='{n}'>{'&' if n % 3 == 0 else ''}</p{n}>" for n in range(1, 2_000))
    records = records_of(f"<catalog>{items}</catalog>", any_name)
    assert [bool(record.fault) for record in records] == [n % 3 == 0 for n in range(1, 2_000)]


@given(
    st.lists(st.sampled_from(["good", *(set(BAD) - {"quote", "no end"})]), max_size=12),
    st.sampled_from([1, 2, 5, 64, 1 << 16]),
)
def test_every_good_record_is_found_among_any_bad_ones(kinds: list[str], piece: int) -> None:
    items = [
        GOOD.format(n) if kind == "good" else BAD[kind].format(n) for n, kind in enumerate(kinds)
    ]
    text = f"<catalog>{GOOD.format('first')}\n" + "\n".join(items) + "\n</catalog>"
    found = recovered(text, piece)
    good = ["first", *(str(n) for n, kind in enumerate(kinds) if kind == "good")]
    assert [each for each in found if each != "bad"] == good
