"""Elements cut out by their text are those that a parser would announce, wherever that is hard."""

from __future__ import annotations

import pytest

from pim_connector.erp import scanner
from pim_connector.erp.paths import ElementPath, PathStep
from pim_connector.erp.scanner import Scanner
from pim_connector.erp.siblings import MAX_DEPTH, Siblings

PATH = ElementPath("/c/p", (PathStep("c"), PathStep("p")))
INNER = ElementPath("/c/p/v", (*PATH.steps, PathStep("v")))
PLAIN = b'<p id="1"><n>A</n></p>'
TRAPS = [
    b'<p id="2"/>',
    b'<p id="/>">x</p>',
    b"""<p id='">' x="'/>"/>""",
    b"<p><![CDATA[</p>]]></p>",
    b"<p><![CDATA[<!--]]><!--</p>--><?i </p>?></p>",
    b"<p><!-- <![CDATA[ --></p>",
    b"<p><p>inside</p ></p>",
    b"<p><p/></p>",
    b"<p><pp></pp></p\n>",
    b'<p xmlns="urn:x">elsewhere</p>',
    b"<p>\r\n\r<n/></p>",
    b"<q><p>not at the path</p></q>",
    b"text <!-- <p>no</p> --> <![CDATA[<p>no</p>]]>",
    "<p ä='ö'>日本</p>".encode(),
    b"<p>" + b"<d>" * 100 + b"</d>" * 100 + b"</p>",
    b"<p>" + b"<d><e/></d>" * 300 + b"</p>",
    b"<p>" + b"<d a='/>'>" * 200 + b"<e/>" * 300 + b"</d>" * 200 + b"</p>",
]


def cuts(data: bytes, chunk: int, *more: ElementPath) -> tuple[list[tuple[int, bytes]], str]:
    followed = Scanner([PATH, *more], max_bytes=1 << 20)
    found = []
    for at in range(0, len(data), chunk):
        found += followed.feed(data[at : at + chunk])
        if followed.failure:
            break
    else:
        found += followed.close()
    flat = [cut for outermost in found for cut in outermost.flat()]
    return [(cut.line, cut.content) for cut in flat], str(followed.failure)


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("trap", TRAPS)
def test_what_is_cut_by_text_is_what_the_parser_announces(
    trap: bytes, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"<c>\n" + b"\n".join([PLAIN, PLAIN, trap, PLAIN, trap, trap, PLAIN]) + b"\n</c>"
    announced = cuts(data, len(data))
    monkeypatch.setattr(scanner, "FIRST_PIECE", 8)
    assert cuts(data, chunk) == announced
    assert announced[0]


REFERENCES = [
    b"<p>&e;</p>",
    b"<p>&amp; &#x26; &lt;</p>",
    b'<p a="&e;"/>',
    b"<p>one</p> &e; <p>two</p>",
    b"<p><![CDATA[&z;]]></p>",
    b"<p>&z;</p>",
    b"<p>&m;</p>",
    b"text &m; text",
]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize("trap", REFERENCES)
@pytest.mark.parametrize("subset", [b"", b"[<!ENTITY e 'x'><!ENTITY m '<b/>'>]"])
def test_entities_of_a_dtd_are_seen_wherever_records_are_cut_by_their_text(
    subset: bytes, trap: bytes, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = b'<!DOCTYPE c SYSTEM "c.dtd"' + subset + b">\n<c>\n"
    data = opening + b"\n".join([PLAIN, PLAIN, trap, PLAIN, trap, PLAIN]) + b"\n</c>"
    announced = cuts(data, len(data))
    monkeypatch.setattr(scanner, "FIRST_PIECE", 8)
    assert cuts(data, chunk) == announced
    assert len(announced[0]) >= 2


def test_text_in_a_cdata_section_refers_to_nothing() -> None:
    data = b'<!DOCTYPE c SYSTEM "c.dtd"><c><p><![CDATA[&nbsp;]]></p></c>'
    assert cuts(data, len(data)) == ([(1, b"<p><![CDATA[&nbsp;]]></p>")], "None")


@pytest.mark.parametrize("cut", range(60, 160, 7))
def test_a_file_that_breaks_off_gives_the_whole_records_before(
    cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (b"<c>" + PLAIN * 7)[:cut]
    monkeypatch.setattr(scanner, "FIRST_PIECE", 8)
    found, problem = cuts(data, 1 << 20)
    assert len(found) == data.count(b"</p>")
    assert "the file ends in the middle" in problem


def test_what_is_not_well_formed_inside_a_run_ends_it_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scanner, "FIRST_PIECE", 8)
    found, problem = cuts(b"<c>" + PLAIN * 3 + b"\n<p>a & b</p>" + PLAIN + b"</c>", 1 << 20)
    assert len(found) == 3
    assert "(line 2, column 7)" in problem


def test_siblings_take_a_run_and_leave_what_could_pass_a_limit() -> None:
    siblings = Siblings()
    siblings.learn("p", (0,))
    deep = b"<p>" + b"<d>" * MAX_DEPTH + b"</d>" * MAX_DEPTH + b"</p>"
    data = PLAIN * 3 + deep + PLAIN
    found = siblings.run(data, 0, len(data), MAX_DEPTH)
    assert [(start, end) for start, end, _ in found] == [(0, 22), (22, 44), (44, 66)]


@pytest.mark.parametrize("deep", [MAX_DEPTH - 3, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH])
@pytest.mark.parametrize("tag", [b"<d>", b"<d a='/>'>", b'<d b=">">'])
def test_a_record_of_many_elements_is_cut_as_long_as_they_are_not_nested_too_deep(
    tag: bytes, deep: int
) -> None:
    record = b"<p>" + b"<e/>" * 400 + tag * deep + b"</d>" * deep + b"</p>"
    siblings = Siblings()
    siblings.learn("p", (0,))
    found = siblings.run(record, 0, len(record), MAX_DEPTH)
    assert len(found) == (deep < MAX_DEPTH - 2)
    many, problem = cuts(b"<c>" + PLAIN + record + b"</c>", 1 << 20)
    assert (len(many), "nested more than" in problem) == (
        (2, False) if deep < MAX_DEPTH - 1 else (1, True)
    )


@pytest.mark.parametrize("chunk", [1, 3, 10, 40])
def test_an_element_within_another_is_whole_wherever_the_file_is_read_in_pieces(chunk: int) -> None:
    product = b"<p>\n<n/><v>one</v>\n<v>two</v><v>three</v></p>"
    found, _ = cuts(b"<c>" + product * 3 + b"</c>", chunk, INNER)
    assert [content for _, content in found[:4]] == [
        product,
        b"<v>one</v>",
        b"<v>two</v>",
        b"<v>three</v>",
    ]
    assert found[4:8] == [(line + 2, content) for line, content in found[:4]]
    assert len(found) == 12
