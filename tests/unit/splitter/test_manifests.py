"""Sets of identity hashes: what a file holds, in a few bytes a product."""

from __future__ import annotations

import tracemalloc
from array import array
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.errors import RejectedError
from pim_connector.sync.chunks import (
    HashSet,
    Manifest,
    encode_hashes,
    identity_hash,
    write_manifest,
)

HASHES = st.lists(st.integers(1, 2**64 - 1))


@given(HASHES)
def test_it_is_a_set(values: list[int]) -> None:
    found, known = HashSet(), set[int]()
    for value in values + values:
        assert found.add(value) == (value not in known)
        known.add(value)
    assert len(found) == len(known)
    assert all(value in found for value in known)
    assert list(Manifest.decode(b"".join(found.manifest()))) == sorted(known)


@given(st.lists(st.integers(1, 2**64 - 1), unique=True))
def test_what_is_known_to_be_new_is_added_at_once(values: list[int]) -> None:
    one, other = HashSet(), HashSet()
    one.extend(values)
    assert all(map(other.add, values))
    assert len(one) == len(values)
    assert list(one.manifest()) == list(other.manifest())
    assert not any(map(one.add, values))


def test_bytes_that_stand_over_the_border_of_two_hashes_are_none_of_them() -> None:
    found = HashSet()
    assert found.add(1)
    assert found.add(2)
    between = int.from_bytes((1).to_bytes(8)[4:] + (2).to_bytes(8)[:4])
    assert between not in found
    assert found.add(between)
    assert not found.add(between)
    assert between in found


def test_it_takes_less_than_14_bytes_a_product_also_while_it_grows() -> None:
    hashes = [identity_hash("product", f"SKU-{number}") for number in range(100_000)]
    tracemalloc.start()
    found = HashSet()
    assert all(map(found.add, hashes))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most / len(found) < 14


@given(HASHES, HASHES)
def test_a_manifest_read_again_holds_what_it_held(values: list[int], others: list[int]) -> None:
    manifest = Manifest.decode(encode_hashes(array("Q", sorted(set(values)))))
    assert list(manifest) == sorted(set(values))
    assert all(value in manifest for value in values)
    assert not any(value in manifest for value in set(others) - set(values))


def test_a_manifest_that_was_cut_is_not_read() -> None:
    with pytest.raises(RejectedError, match="7 bytes"):
        Manifest.decode(b"1234567")


def test_a_model_and_a_product_of_one_name_are_two() -> None:
    assert identity_hash("product", "A") != identity_hash("product_model", "A")


def test_hashes_are_those_that_manifests_hold() -> None:
    assert identity_hash("product", "Zelt ü") == 7556941965127038857


class Inbox:
    """A bucket that remembers what was put."""

    def put(self, key: str, body: IO[bytes]) -> None:
        self.key, self.size = key, sum(map(len, iter(lambda: body.read(65_536), b"")))


def test_a_manifest_is_written_in_less_memory_than_it_has_bytes() -> None:
    found, bucket = HashSet(), Inbox()
    found.extend(number * 0x9E3779B97F4A7C15 % 2**64 for number in range(1, 500_001))
    tracemalloc.start()
    write_manifest(found, "shop", "run", bucket)  # type: ignore[arg-type]  # all of it that is used
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (bucket.key, bucket.size) == ("manifests/shop/run.2", 4_000_000)
    assert most < 2_000_000
