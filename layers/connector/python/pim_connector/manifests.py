"""Which products a file holds, as 64-bit hashes: a million of them in 10 MB.

During a split the set finds records that repeat a product. Afterwards, sorted, it is the run's
manifest: a file that comes late is told by it which of its records a newer file held.
Two identifiers share a hash once in 37 million files of a million records; then a record is sent
although it need not be, or a late one is passed over in favour of a newer file.
"""

from __future__ import annotations

import sys
import tempfile
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from pim_connector.digests import hasher
from pim_connector.errors import RejectedError

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket
    from pim_connector.runs.registry import RunName

SPOOL_BYTES: Final = 1_048_576
_BITS: Final = 13
"""As many first bits of a hash are the number of its bucket."""
_SHIFT: Final = 64 - _BITS
_HASH: Final = hasher(8)


def identity_hash(resource: str, identifier: str) -> int:
    """Hash who a record is about; never 0, which says that nobody knows."""
    return int.from_bytes(_HASH(f"{resource}|{identifier}".encode())) or 1


class HashSet:
    """A set of identity hashes, in buckets by their first bits: 8 bytes each, one after the other.

    Nothing is ever copied but one bucket, so a set of millions takes no more while it grows.
    """

    def __init__(self) -> None:
        self._buckets = [b""] * (1 << _BITS)

    def __len__(self) -> int:
        return sum(map(len, self._buckets)) // 8

    def add(self, value: int) -> bool:
        """Add the hash; False says that it was there."""
        number, name = value >> _SHIFT, value.to_bytes(8)
        bucket = self._buckets[number]
        if bucket.find(name) >= 0 and _holds(bucket, name):
            return False
        self._buckets[number] = bucket + name
        return True

    def extend(self, values: Iterable[int]) -> None:
        """Add hashes that are all different and not there yet, in a third of the time."""
        buckets = self._buckets
        for value in values:
            buckets[value >> _SHIFT] += value.to_bytes(8)

    def __contains__(self, value: int) -> bool:
        return _holds(self._buckets[value >> _SHIFT], value.to_bytes(8))

    def manifest(self) -> Iterator[bytes]:
        """Give all hashes as an encoded manifest, in pieces that follow one another."""
        filled = filter(None, self._buckets)
        return (encode_hashes(array("Q", sorted(decode_hashes(each)))) for each in filled)


class Manifest:
    """The products of one run, sorted: 8 bytes each, most significant byte first."""

    def __init__(self, hashes: array[int]) -> None:
        self._hashes = hashes

    def __len__(self) -> int:
        return len(self._hashes)

    def __iter__(self) -> Iterator[int]:
        return iter(self._hashes)

    def __contains__(self, value: int) -> bool:
        place = bisect_left(self._hashes, value)
        return place < len(self._hashes) and self._hashes[place] == value

    @classmethod
    def decode(cls, body: bytes) -> Manifest:
        """Read what `HashSet.manifest` gave; RejectedError if it is cut."""
        return cls(decode_hashes(body))


def manifest_key(source: str, run: str) -> str:
    """Say where the manifest of a run lies."""
    return f"manifests/{source}/{run}"


def write_manifest(hashes: HashSet, source: str, run: str, bucket: Bucket) -> None:
    """Keep a run's manifest; by way of a file, because a large one is as large as the set."""
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        for piece in hashes.manifest():  # `writelines` would move to the disk only at its end
            file.write(piece)
        file.seek(0)
        bucket.put(manifest_key(source, run), file)


def read_manifest(source: str, run: str, bucket: Bucket) -> Manifest:
    """Give a run's manifest; a file without a readable record has none, and held nothing."""
    try:
        return Manifest.decode(bucket.get(manifest_key(source, run)))
    except FileNotFoundError:
        return Manifest(array("Q"))


def manifests_of(runs: Iterable[RunName], bucket: Bucket) -> tuple[Manifest, ...]:
    """Give the manifests of several runs."""
    return tuple(read_manifest(name.source, name.run, bucket) for name in runs)


def encode_hashes(hashes: array[int]) -> bytes:
    """Write hashes as 8 bytes each, most significant byte first."""
    return _most_significant_first(hashes[:]).tobytes()


def decode_hashes(body: bytes) -> array[int]:
    """Read what `encode_hashes` wrote; RejectedError if it is cut."""
    if len(body) % 8:
        raise RejectedError(f"a list of hashes has {len(body)} bytes, not a multiple of 8")
    return _most_significant_first(array("Q", body))


def _most_significant_first(hashes: array[int]) -> array[int]:
    if sys.byteorder == "little":
        hashes.byteswap()
    return hashes


def _holds(bucket: bytes, name: bytes) -> bool:
    """Whether the name stands in the bucket, and not over the border of two others."""
    place = bucket.find(name)
    while place > 0 and place % 8:
        place = bucket.find(name, place + 1)
    return place >= 0
