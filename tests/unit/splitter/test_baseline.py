"""The list of what the sync state holds after a run, and how the next file is compared with it."""

from __future__ import annotations

import io
from array import array
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.aws.bucket import Bucket
from pim_connector.outcomes import STATES, Problem, RecordOutcome
from pim_connector.sync import snapshot as baseline
from pim_connector.sync.chunks import Chunk, encode_hashes
from pim_connector.sync.runs import Run
from pim_connector.sync.snapshot import Baseline, keep_baseline, print_of
from tests.nights.aws.faults import Clock, Faults
from tests.nights.aws.s3 import S3


@dataclass
class Shelf:
    """A bucket in memory, and a run whose list lies in it."""

    s3: S3 = field(default_factory=lambda: S3(Clock(datetime.now(UTC).timestamp()), Faults()))

    @property
    def bucket(self) -> Bucket:
        client: Any = self.s3
        return Bucket(client, "bucket")

    def keep(self, *chunks: Chunk, outcomes: tuple[RecordOutcome, ...] = ()) -> Baseline | None:
        records = sum(len(chunk.decisions) for chunk in chunks)
        run = Run(
            id="night-1",
            source="shop",
            bucket="bucket",
            key="incoming/shop/a.xml",
            version="1",
            size=1,
            order="1",
            turn="1",
            phase="delivering",
            counts=dict.fromkeys(STATES, 0),
            records=records,
            duplicates=sum(chunk.duplicates for chunk in chunks),
        )
        keep_baseline(run, lambda: chunks, outcomes, self.bucket)
        return Baseline.open(run, self.bucket)


def fingerprint(product: int, version: int = 1) -> bytes:
    return product.to_bytes(4) + version.to_bytes(4) + b"rest"


def chunk(number: int, letters: str, *products: int, duplicates: int = 0) -> Chunk:
    """A window whose records with an identity are about these products, all in version 1."""
    prints = array("Q", (print_of(fingerprint(product)) for product in products))
    return Chunk(
        number=number,
        decisions=letters,
        hashes=encode_hashes(array("Q", products)),
        prints=encode_hashes(prints),
        duplicates=duplicates,
    )


def took(number: int, state: Any = "updated", *reasons: str) -> RecordOutcome:
    problems = tuple(Problem(reason=reason) for reason in reasons)
    return RecordOutcome(number=number, line=1, state=state, problems=problems)


def test_what_was_unchanged_or_taken_is_known_in_that_version_only() -> None:
    found = Shelf().keep(chunk(1, "uq", 11, 12), outcomes=(took(2, "created"),))
    assert found is not None
    for product in (11, 12):
        assert found.holds(product, fingerprint(product))
        assert not found.holds(product, fingerprint(product, version=2))
    assert not found.holds(13, fingerprint(13))


@pytest.mark.parametrize(
    "outcomes",
    [
        (),
        (took(2, "rejected", "no"),),
        (took(2, "superseded"),),
        (took(2, "filtered", "not wanted"),),
        (took(2, "updated", "one value was left out"),),
        (took(2, "updated"), took(2, "parked", "waits")),
    ],
)
def test_what_the_pim_did_not_take_whole_is_not_known(outcomes: tuple[RecordOutcome, ...]) -> None:
    found = Shelf().keep(chunk(1, "uq", 11, 12), outcomes=outcomes)
    assert found is not None
    assert not found.holds(12, fingerprint(12))


def test_a_record_that_was_parked_first_is_known_by_its_last_word() -> None:
    ends = (took(1, "parked", "waits for its model"), took(1, "created"))
    found = Shelf().keep(chunk(1, "q", 11), outcomes=ends)
    assert found is not None
    assert found.holds(11, fingerprint(11))


def test_records_without_identity_do_not_shift_those_after_them() -> None:
    found = Shelf().keep(
        chunk(1, "frsu", 11, 12), chunk(2, "fq", 13), outcomes=(took(6, "created"),)
    )
    assert found is not None
    assert not found.holds(11, fingerprint(11)), "superseded: the sync state has a newer version"
    assert found.holds(12, fingerprint(12))
    assert found.holds(13, fingerprint(13))


def test_a_product_that_the_file_has_twice_is_not_known() -> None:
    found = Shelf().keep(
        chunk(1, "qu", 11, 12),
        chunk(2, "q", 11, duplicates=1),
        outcomes=(took(1, "created"), took(3, "updated")),
    )
    assert found is not None
    assert not found.holds(11, fingerprint(11))
    assert found.holds(12, fingerprint(12))


def test_a_chunk_of_a_release_before_prints_were_kept_is_passed_over() -> None:
    old = Chunk(number=1, decisions="u", hashes=encode_hashes(array("Q", [11])))
    assert Shelf().keep(old) is None
    found = Shelf().keep(old, chunk(2, "u", 12))
    assert found is not None
    assert found.holds(12, fingerprint(12))


def test_a_run_whose_list_has_expired_has_none() -> None:
    shelf = Shelf()
    assert shelf.keep(chunk(1, "u", 11)) is not None
    shelf.s3.delete_object(Bucket="bucket", Key="baselines/shop/night-1.index")
    run: Any = type("Run", (), {"source": "shop", "id": "night-1"})
    assert Baseline.open(run, shelf.bucket) is None


@dataclass
class Counted:
    """A file that counts how often somebody went elsewhere in it."""

    file: io.BytesIO
    jumps: int = 0

    def seek(self, place: int) -> int:
        self.jumps += 1
        return self.file.seek(place)

    def read(self, size: int) -> bytes:
        return self.file.read(size)


def listed(*products: int) -> tuple[Baseline, Counted]:
    entries = [(product, print_of(fingerprint(product))) for product in products]
    block = baseline.BLOCK
    index = array("Q", (entry[0] for entry in entries[::block]))
    flat = array("Q", (value for entry in entries for value in entry))
    file = Counted(io.BytesIO(encode_hashes(flat)))
    return Baseline(index, file), file  # type: ignore[arg-type]  # all of a file that is used


def missed(found: Baseline, *products: int) -> int:
    return sum(not found.holds(product, fingerprint(product)) for product in products)


MANY = range(1, 60_001)


def test_a_file_in_the_same_order_is_found_whole_without_a_jump_and_in_little_memory() -> None:
    found, file = listed(*MANY)
    assert missed(found, *MANY) == 0
    assert file.jumps == 0
    assert len(found._prints) <= (baseline.KEPT_BLOCKS + 1) * baseline.BLOCK


def test_a_long_piece_that_is_new_or_gone_costs_a_jump_and_a_block_at_most() -> None:
    found, file = listed(*MANY)
    new = range(100_000, 130_000)
    assert missed(found, *MANY[:20_000], *new, *MANY[20_000:]) == len(new)
    assert file.jumps == 0
    found, file = listed(*MANY)
    assert missed(found, *MANY[:10_000], *MANY[50_100:]) <= baseline.BLOCK
    assert file.jumps <= 2


def test_a_file_in_another_order_costs_a_bounded_number_of_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(baseline, "MOST_JUMPS", 20)
    found, file = listed(*MANY)
    missed(found, *reversed(MANY))
    assert file.jumps == 20


@given(st.lists(st.integers(1, 400), unique=True), st.lists(st.integers(1, 400)))
def test_it_never_knows_what_is_not_in_it(there: list[int], asked: list[int]) -> None:
    found, _ = listed(*there)
    for product in asked:
        if product not in there:
            assert not found.holds(product, fingerprint(product))
        assert not found.holds(product, fingerprint(product, version=2))
