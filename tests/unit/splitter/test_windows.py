"""Which records go on to the queue, and how a file is cut into windows."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import chain

import pytest
from msgspec.structs import replace

from pim_connector.mapping.results import Filtered, Identity, Rejected
from pim_connector.products.decisions import Candidate, FileEnd, RunContext, chunks_of, decide
from pim_connector.records import SourceRecord, UnreadableFileError
from pim_connector.sync.chunks import Manifest
from pim_connector.sync.state import StateEntry

IDENTITY = Identity(resource="product", identifier="A", family_key="A", parent=None)
RUN_CONTEXT = RunContext(order="2026-02", digest="m1")


def record(number: int, xml: str = "<p/>") -> SourceRecord:
    return SourceRecord(number=number, line=number, rule="product", xml=xml)


def found(of: SourceRecord) -> Identity:
    return replace(IDENTITY, identifier=f"P{of.number}")


SEEN = Candidate(record=record(1), found=IDENTITY, hash=7, fingerprint=b"f1")
ENTRY = StateEntry(
    source="shop",
    resource="product",
    identifier="A",
    order="2026-01",
    fingerprint=b"f1",
    mapping="m1",
    slots=b"",
    run="r0",
    record=1,
)


def test_a_product_that_is_as_the_pim_accepted_it_goes_no_further() -> None:
    assert decide(SEEN, ENTRY, RUN_CONTEXT) == "u"


@pytest.mark.parametrize(
    ("candidate", "entry", "run_context"),
    [
        (SEEN, None, RUN_CONTEXT),
        (replace(SEEN, fingerprint=b"f2"), ENTRY, RUN_CONTEXT),
        (SEEN, ENTRY, replace(RUN_CONTEXT, digest="m2")),
        (SEEN, ENTRY, replace(RUN_CONTEXT, shortcut=False)),
        (replace(SEEN, repeats=True), ENTRY, RUN_CONTEXT),
    ],
    ids=["never accepted", "changed", "other mapping", "older file under way", "repeated"],
)
def test_a_product_that_may_differ_is_queued(
    candidate: Candidate, entry: StateEntry | None, run_context: RunContext
) -> None:
    assert decide(candidate, entry, run_context) == "q"


def test_a_product_of_a_newer_file_is_superseded_whether_the_pim_has_it_yet_or_not() -> None:
    newer = (Manifest(array("Q", [3, 7])),)
    assert decide(SEEN, ENTRY, replace(RUN_CONTEXT, newer=newer)) == "s"
    assert decide(SEEN, None, replace(RUN_CONTEXT, newer=newer)) == "s"
    assert decide(SEEN, replace(ENTRY, order="2026-03"), RUN_CONTEXT) == "s"


def test_what_the_mapping_does_not_want_or_cannot_read_is_filtered_or_rejected() -> None:
    assert decide(replace(SEEN, found=Filtered(reason="no")), None, RUN_CONTEXT) == "f"
    assert decide(replace(SEEN, found=Rejected(errors=())), None, RUN_CONTEXT) == "r"


def test_a_repeated_product_is_rejected_where_the_mapping_says_so() -> None:
    refusing = replace(RUN_CONTEXT, refuse_repeats=True)
    assert decide(replace(SEEN, repeats=True), ENTRY, refusing) == "r"
    assert decide(SEEN, ENTRY, refusing) == "u"


def test_chunks_have_a_thousand_records_and_the_last_has_the_rest() -> None:
    chunks = list(chunks_of(map(record, range(1, 2_501)), found, FileEnd()))
    assert [len(chunk) for chunk in chunks] == [1_000, 1_000, 500]
    each = [(record(number), found(record(number))) for number in range(1, 2_501)]
    assert list(chain.from_iterable(chunks)) == each


def test_chunks_of_heavy_records_are_shorter() -> None:
    heavy = "x" * 1_500_000
    chunks = chunks_of((record(number, heavy) for number in range(7)), found, FileEnd())
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]


def test_what_was_before_the_place_where_a_file_breaks_off_is_not_lost() -> None:
    def broken() -> Iterator[SourceRecord]:
        yield from map(record, range(1, 1_002))
        raise UnreadableFileError("not XML", line=9, column=3, records_read=1_001)

    end = FileEnd()
    assert [len(chunk) for chunk in chunks_of(broken(), found, end)] == [1_000, 1]
    assert end.problem is not None
    assert (end.problem.line, end.problem.column) == (9, 3)
