"""What the sync state holds of the products of a file whose run is closed, in the order of the
file.

The next file of the source has nearly the same records in nearly the same order, so the splitter
reads this list alongside it and asks the sync state only about what it does not find there. The
list is as true as the sync state while nothing else has written to the sync state of the source,
which `runs.succession` keeps account of.

Two objects: entries of 16 bytes (identity hash, first 8 bytes of the fingerprint) in blocks of 256,
and an index with the first identity hash of each block.
"""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING, Final

from pim_connector.sync.chunks import HashSet, decode_hashes, encode_hashes

if TYPE_CHECKING:
    from pim_connector.aws.bucket import Bucket
    from pim_connector.outcomes import RecordOutcome
    from pim_connector.sync.chunks import Chunk
    from pim_connector.sync.runs import Run

BLOCK: Final = 256
ENTRY_BYTES: Final = 16
PRINT_BYTES: Final = 8
"""So much of a fingerprint is kept: two versions of a record share it once in 2**64."""
AHEAD: Final = 4
"""Blocks read at a time: one that begins with a record that is gone is found by the one before."""
KEPT_BLOCKS: Final = 64
MOST_JUMPS: Final = 500
"""Requests that a file in another order may cost before the list is no help any more."""
SPOOL_BYTES: Final = 8 * 1_048_576
TAKEN: Final = frozenset({"created", "updated", "unchanged"})


def print_of(fingerprint: bytes) -> int:
    """Shorten a fingerprint for the list."""
    return int.from_bytes(fingerprint[:PRINT_BYTES])


def baseline_key(source: str, run: str) -> str:
    """Say where the entries of a run's list lie; its index lies beside them."""
    return f"baselines/{source}/{run}"


def keep_baseline(
    run: Run,
    chunks: Callable[[], Iterable[Chunk]],
    outcomes: Iterable[RecordOutcome],
    bucket: Bucket,
) -> None:
    """Write the list of a settled run; writing it again changes nothing.

    In it are records that the splitter called unchanged and those that the PIM took without a
    word; not what was rejected, superseded, filtered or taken in part, and no product that the
    file has twice.
    """
    taken = _taken(outcomes, run.records)
    repeated = _repeated(chunks()) if run.duplicates else frozenset[int]()
    index = array("Q")
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        for block in _blocks(_entries(chunks(), taken, repeated)):
            index.append(block[0])
            file.write(encode_hashes(block))
        if not index:
            return
        file.seek(0)
        bucket.put(baseline_key(run.source, run.id), file)
    bucket.put(f"{baseline_key(run.source, run.id)}.index", encode_hashes(index))


class Baseline:
    """The list of a run, to be asked in the order of a file that is much the same."""

    def __init__(self, index: array[int], file: IO[bytes]) -> None:
        self._block_of = {first: number for number, first in enumerate(index)}
        self._file = file
        self._prints: dict[int, int] = {}
        self._loaded: dict[int, array[int]] = {}
        self._next = 0
        self._jumps = 0
        self._load(0)

    @classmethod
    def open(cls, run: Run, bucket: Bucket) -> Baseline | None:
        """Open the list of a run; None where it has none (any more)."""
        key = baseline_key(run.source, run.id)
        try:
            index = decode_hashes(bucket.get(f"{key}.index"))
        except FileNotFoundError:
            return None
        entries = bucket.describe(key)
        return cls(index, bucket.open(entries)) if entries else None

    def holds(self, identity: int, fingerprint: bytes) -> bool:
        """Say whether the sync state has just this version of the product, as the last word."""
        known = self._prints.get(identity)
        if known is None:
            block = self._block_of.get(identity)
            if block is None or block in self._loaded:
                return False
            self._load(block)
            known = self._prints.get(identity)
        return known == print_of(fingerprint)

    def _load(self, first: int) -> None:
        for number in range(first, first + AHEAD):
            if number not in self._loaded:
                self._read(number)
        while len(self._loaded) > KEPT_BLOCKS:
            gone = self._loaded.pop(next(iter(self._loaded)))
            for identity in gone[::2]:
                self._prints.pop(identity, None)

    def _read(self, number: int) -> None:
        if number != self._next:
            if self._jumps == MOST_JUMPS:
                return
            self._jumps += 1
            self._file.seek(number * BLOCK * ENTRY_BYTES)
        block = decode_hashes(self._file.read(BLOCK * ENTRY_BYTES))
        self._next = number + 1
        if block:
            self._loaded[number] = block
            self._prints.update(zip(block[::2], block[1::2], strict=True))


def _taken(outcomes: Iterable[RecordOutcome], records: int) -> bytearray:
    """Return a byte for each record, 1 where the PIM took all of it; the last word on it counts."""
    taken = bytearray(records + 1)
    for outcome in outcomes:
        if outcome.number <= records:
            taken[outcome.number] = outcome.state in TAKEN and not outcome.problems
    return taken


def _repeated(chunks: Iterable[Chunk]) -> frozenset[int]:
    seen = HashSet()
    return frozenset(
        value for chunk in chunks for value in decode_hashes(chunk.hashes) if not seen.add(value)
    )


def _entries(
    chunks: Iterable[Chunk], taken: bytearray, repeated: frozenset[int]
) -> Iterator[tuple[int, int]]:
    number = 0
    for chunk in chunks:
        letters = chunk.decisions
        hashes, prints = decode_hashes(chunk.hashes), decode_hashes(chunk.prints)
        named = sum(letters.count(letter) for letter in "uqs")
        if len(hashes) == len(prints) == named:
            place = 0
            for record, letter in enumerate(letters, start=number + 1):
                if letter in "uqs":
                    identity, version = hashes[place], prints[place]
                    place += 1
                    true = letter == "u" or (letter == "q" and taken[record])
                    if true and identity not in repeated:
                        yield identity, version
        number += len(letters)


def _blocks(entries: Iterator[tuple[int, int]]) -> Iterator[array[int]]:
    block = array("Q")
    for entry in entries:
        block.extend(entry)
        if len(block) == 2 * BLOCK:
            yield block
            block = array("Q")
    if block:
        yield block
