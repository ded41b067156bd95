"""Which products a file holds, as 64-bit hashes: a million of them in 16 MB.

During a split the set finds records that repeat a product. Afterwards, sorted, it is the run's
manifest: a file that comes late is told by it which of its records a newer file held.
Two identifiers share a hash once in 37 million files of a million records; then a record is sent
although it need not be, or a late one is passed over in favour of a newer file.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from pim_connector.errors import RejectedError

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket
    from pim_connector.runs.registry import RunName

_SMALLEST: Final = 1 << 12
_PARTS: Final = 16


def identity_hash(resource: str, identifier: str) -> int:
    """Hash who a record is about; never 0, which marks an empty place."""
    name = f"{resource}|{identifier}".encode()
    return int.from_bytes(blake2b(name, digest_size=8).digest()) or 1


class HashSet:
    """A set of identity hashes in open addressing: 8 bytes a place, three quarters filled."""

    def __init__(self) -> None:
        self._places = array("Q", bytes(8 * _SMALLEST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size_bytes(self) -> int:
        return self._places.itemsize * len(self._places)

    def add(self, value: int) -> bool:
        """Add the hash; False says that it was there."""
        places = self._places
        if 4 * self._count >= 3 * len(places):
            self._grow()
            places = self._places
        mask = len(places) - 1
        place = value & mask
        while found := places[place]:
            if found == value:
                return False
            place = (place + 1) & mask
        places[place] = value
        self._count += 1
        return True

    def __contains__(self, value: int) -> bool:
        return self._places[_place(self._places, value)] != 0

    def into_manifest(self) -> bytes:
        """Give all hashes as an encoded manifest, and forget them.

        A sixteenth is sorted at a time and no third copy is made: this is where a split needs the
        most memory.
        """
        everything = array("Q")
        for part in range(_PARTS):
            found = (value for value in self._places if value and value >> 60 == part)
            everything.extend(sorted(found))
        self._places, self._count = array("Q", bytes(8 * _SMALLEST)), 0
        return _most_significant_first(everything).tobytes()

    def _grow(self) -> None:
        larger = array("Q", bytes(8)) * (2 * len(self._places))
        for value in self._places:
            if value:
                larger[_place(larger, value)] = value
        self._places = larger


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
        """Read what `HashSet.into_manifest` wrote; RejectedError if it is cut."""
        return cls(decode_hashes(body))


def manifest_key(source: str, run: str) -> str:
    """Say where the manifest of a run lies."""
    return f"manifests/{source}/{run}"


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


def _place(places: array[int], value: int) -> int:
    mask = len(places) - 1
    place = value & mask
    while places[place] not in (0, value):
        place = (place + 1) & mask
    return place
