"""Time grows with the size of a file and not with its square; memory does not grow with it.

Work is counted: bytes handed to expat, calls of Python functions, and processor time of a file
beside that of one four times as large, where the square would be sixteen.
"""

from __future__ import annotations

import gzip
import io
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from pim_connector.erp import elements, parser
from pim_connector.erp.elements import XmlStream
from pim_connector.erp.parser import Parser
from pim_connector.erp.reader import read_records
from pim_connector.records import UnreadableFileError
from tests.unit.erp.bounds import bounded
from tests.unit.erp.reading_world import PLAIN, OneWay, compiled_mapping_of, records_of

MEGABYTE = 1 << 20
PRODUCT = '<product sku="1"><name>x</name></product>'
ANY_NAME = PLAIN.replace("/catalog/product", "/catalog/*")
RECOVERING = PLAIN + "file: {recover: records}\n"


@pytest.fixture(autouse=True)
def bounds() -> Iterator[None]:
    with bounded(megabytes=512, cpu_seconds=120):
        yield


def commented_out(size: int) -> bytes:
    markup = '<product sku="no"><![CDATA[&x; </catalog>'
    return f"<catalog><!-- {markup * (size // len(markup))} -->{PRODUCT}</catalog>".encode()


def instructed(size: int) -> bytes:
    markup = "<product <!-- </product>"
    return f"<catalog><?x {markup * (size // len(markup))}?>{PRODUCT}</catalog>".encode()


def in_cdata(size: int) -> bytes:
    markup = "<product></product><!-- ]] >"
    inside = markup * (size // len(markup))
    return f"<catalog><product sku='1'><![CDATA[{inside}]]></product></catalog>".encode()


def named_each(size: int) -> bytes:
    items = "".join(f"<A{n}/>" for n in range(size // 10))
    return f"<catalog>{items}</catalog>".encode()


def named_inside(size: int) -> bytes:
    items = "".join(f"<A{n}/>" for n in range(size // 10))
    return f"<catalog><product sku='1'>{items}</product></catalog>".encode()


def named_outside(size: int) -> bytes:
    items = "".join(f"<A{n} b{n}=''/>" for n in range(size // 20))
    return f"<catalog><other>{items}</other>{PRODUCT}</catalog>".encode()


def one_record(size: int) -> bytes:
    items = "<a>text</a>" * (size // 11)
    return f"<catalog><product sku='1'>{items}</product></catalog>".encode()


def one_byte_members(size: int) -> bytes:
    text = f"<catalog>{' ' * (size // 21)}{PRODUCT}</catalog>".encode()
    return b"".join(gzip.compress(bytes([byte]), mtime=0) for byte in text)


def many_entities(size: int) -> bytes:
    items = "<product sku='&e;'><name>&e;&e;</name></product>" * (size // 45)
    return f"<!DOCTYPE c [<!ENTITY e 'text'>]><catalog>{items}</catalog>".encode()


def without_ends(size: int) -> bytes:
    items = '<product sku="1"><name>x</name>' * (size // 31)
    return f"<catalog>{items}</catalog>".encode()


def bad_each(size: int) -> bytes:
    items = '<product sku="1">&</product>' * (size // 28)
    return f"<catalog>{items}</catalog>".encode()


FILES: dict[str, tuple[Callable[[int], bytes], str, int]] = {
    "a comment full of markup": (commented_out, PLAIN, 7 * MEGABYTE),
    "an instruction full of markup": (instructed, PLAIN, 2 * MEGABYTE),
    "a CDATA section full of markup": (in_cdata, PLAIN, 8 * MEGABYTE),
    "a name for each product": (named_each, ANY_NAME, MEGABYTE // 4),
    "names inside of a record": (named_inside, PLAIN, 1 * MEGABYTE),
    "names outside of records": (named_outside, PLAIN, 1 * MEGABYTE),
    "one large record": (one_record, PLAIN, 8 * MEGABYTE),
    "gzip of one-byte members": (one_byte_members, PLAIN, MEGABYTE),
    "entities": (many_entities, PLAIN, MEGABYTE // 2),
    "bad records": (bad_each, RECOVERING, MEGABYTE // 8),
}


def read(data: bytes, mapping: str) -> int:
    compiled = compiled_mapping_of(mapping)
    return sum(1 for _ in read_records(lambda: io.BytesIO(data), compiled))


def calls(data: bytes, mapping: str) -> int:
    """How many Python and C functions are called."""
    count = 0

    def note(_: FrameType, event: str, __: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        read(data, mapping)
    finally:
        sys.setprofile(None)
    return count


def seconds(data: bytes, mapping: str) -> float:
    taken = []
    for _ in range(2):
        begun = time.process_time()
        assert read(data, mapping)
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize("name", FILES)
def test_four_times_the_size_is_no_more_than_a_few_times_the_work(name: str) -> None:
    write, mapping, size = FILES[name]
    read(write(1_000), mapping)
    counted = min(size, MEGABYTE // 2)
    few, many = (calls(write(each), mapping) for each in (counted // 4, counted))
    assert many < 5 * few + 5_000
    small, large = write(size // 4), write(size)
    assert seconds(large, mapping) < 9 * seconds(small, mapping) + 0.05


@pytest.mark.parametrize("name", FILES)
def test_expat_sees_each_byte_once_or_a_little_more(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsers: list[Parser] = []
    begin = Parser.__init__

    def noting(self: Parser, *arguments: Any, **named: Any) -> None:
        parsers.append(self)
        begin(self, *arguments, **named)

    monkeypatch.setattr(Parser, "__init__", noting)
    write, mapping, size = FILES[name]
    data = write(size // 4)
    read(data, mapping)
    assert len(parsers) == 1
    assert (
        parsers[0].parsed < 1.5 * len(data) + 2 * elements.SMALLEST_PIECE or name == "bad records"
    )


def test_records_without_end_tags_are_read_again_within_a_bound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parser, "MAX_REREAD", MEGABYTE)
    mapping = RECOVERING.replace("records}", "records, max_record_megabytes: 1}")
    work = [calls(without_ends(size), mapping) for size in (MEGABYTE // 4, MEGABYTE)]
    assert work[1] < 9 * work[0]


def test_a_million_names_need_no_more_memory_than_a_thousand() -> None:
    def names() -> Iterator[bytes]:
        yield b"<catalog>"
        for start in range(0, 1_000_000, 1_000):
            yield b"".join(b"<A%d/>" % n for n in range(start, start + 1_000))
        yield b"</catalog>"

    compiled = compiled_mapping_of(ANY_NAME)
    before = resident_megabytes()
    records = read_records(lambda: Generated(names()), compiled)  # type: ignore[arg-type,return-value]
    assert sum(1 for _ in records) == 1_000_000
    assert resident_megabytes() - before < 60


def resident_megabytes() -> float:
    """Memory of the process, also that of expat."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / MEGABYTE


class Generated(io.RawIOBase):
    """A file that is made while it is read."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts

    def read(self, _: int = -1) -> bytes:
        return next(self._parts, b"")


def test_a_record_of_sixteen_megabytes_is_held_about_three_times_at_most() -> None:
    data = one_record(16 * MEGABYTE - 1_000)
    compiled = compiled_mapping_of(PLAIN)
    tracemalloc.start()
    try:
        (record,) = read_records(lambda: OneWay(data), compiled)  # type: ignore[arg-type,return-value]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(record.xml) > 15 * MEGABYTE
    assert peak < 5 * 16 * MEGABYTE


class OutOfTimeError(Exception):
    pass


@pytest.mark.parametrize("write", [one_record, named_outside, commented_out])
def test_somebody_can_look_at_the_clock_inside_of_a_record_and_where_there_is_none(
    write: Callable[[int], bytes],
) -> None:
    looks = 0

    def pulse() -> None:
        nonlocal looks
        looks += 1
        if looks > 10:
            raise OutOfTimeError

    data = write(4 * MEGABYTE)
    compiled = compiled_mapping_of(PLAIN)
    file = OneWay(data)
    with pytest.raises(OutOfTimeError):
        list(read_records(lambda: file, compiled, pulse=pulse))  # type: ignore[arg-type,return-value]
    assert file._inner.tell() < len(data) / 2


def test_bytes_of_a_stream_are_handed_over_in_pieces_however_they_come() -> None:
    looks = 0

    def pulse() -> None:
        nonlocal looks
        looks += 1

    data = one_byte_members(200_000)
    stream = XmlStream(open_file=lambda: io.BytesIO(data), pulse=pulse)
    assert [*stream.cuts([])] == []
    assert looks < 5


def test_names_that_nobody_could_hold_are_refused() -> None:
    deep = "".join(f"<{'n' * 2_000}{n}>" for n in range(100))
    names = "".join(f"<A{n}/>" for n in range(20_000))
    with pytest.raises(UnreadableFileError, match="names of the open elements are too long"):
        records_of(f"<catalog><product>{deep}{names}")
