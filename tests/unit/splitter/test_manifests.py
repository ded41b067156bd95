"""Sets of identity hashes: what a file holds, in a few bytes a product."""

from __future__ import annotations

from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.errors import RejectedError
from pim_connector.manifests import HashSet, Manifest, encode_hashes, identity_hash

HASHES = st.lists(st.integers(1, 2**64 - 1))


@given(HASHES)
def test_it_is_a_set(values: list[int]) -> None:
    found, known = HashSet(), set[int]()
    for value in values + values:
        assert found.add(value) == (value not in known)
        known.add(value)
    assert len(found) == len(known)
    assert all(value in found for value in known)
    assert list(Manifest.decode(found.into_manifest())) == sorted(known)
    assert len(found) == 0


def test_it_grows_past_its_first_size_and_stays_under_22_bytes_a_product() -> None:
    found = HashSet()
    hashes = [identity_hash("product", f"SKU-{number}") for number in range(20_000)]
    assert all(found.add(value) for value in hashes)
    assert not any(found.add(value) for value in hashes)
    assert found.size_bytes / len(found) < 22


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
