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
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.table import ItemChange, Table
from pim_connector.errors import RejectedError, TransientError
from pim_connector.mapping.identity import folded
from pim_connector.records import hasher
from pim_connector.sync.messages import MappingPin
from pim_connector.sync.runs import (
    Registry,
    Run,
    begun_item,
    from_item,
    header_key,
    last_key,
    open_actions,
    succeeding,
    undisturbed,
)

if TYPE_CHECKING:
    from pim_connector.aws.bucket import Bucket
    from pim_connector.sync.runs import RunName

SPOOL_BYTES: Final = 1_048_576
_BITS: Final = 13
"""As many first bits of a hash are the number of its bucket."""
_SHIFT: Final = 64 - _BITS
_HASH: Final = hasher(8)


def identity_hash(resource: str, identifier: str) -> int:
    """Hash who a record is about, however it is spelled; never 0, which says that nobody knows."""
    return int.from_bytes(_HASH(f"{resource}|{folded(identifier)}".encode())) or 1


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
        """Return all hashes as an encoded manifest, in pieces that follow one another."""
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


def _manifest_key(source: str, run: str) -> str:
    """Say where the manifest of a run lies.

    The number is that of the hashes' meaning: 2 folds spellings. A list of another one is not
    found, so that no product is taken for missing because its hash was made otherwise.
    """
    return f"manifests/{source}/{run}.2"


def write_manifest(hashes: HashSet, source: str, run: str, bucket: Bucket) -> None:
    """Keep a run's manifest; by way of a file, because a large one is as large as the set."""
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        for piece in hashes.manifest():  # `writelines` would move to the disk only at its end
            file.write(piece)
        file.seek(0)
        bucket.put(_manifest_key(source, run), file)


def read_manifest(source: str, run: str, bucket: Bucket) -> Manifest:
    """Return a run's manifest; a file without a readable record has none, and held nothing."""
    try:
        return Manifest.decode(bucket.get(_manifest_key(source, run)))
    except FileNotFoundError:
        return Manifest(array("Q"))


def manifests_of(runs: Iterable[RunName], bucket: Bucket) -> tuple[Manifest, ...]:
    """Return the manifests of several runs."""
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


# What the splitter books: chunks of 1,000 records, checkpoints, the end of the file.
#
# A chunk is recorded once. A splitter that comes to it again, after a crash or a time-out, takes
# the decisions that were recorded then, whatever the sync state says by now; so it packs the same
# messages with the same ids, and neither the queue nor the counts get anything twice.


CHUNK: Final = 1_000
MOST_RACES: Final = 10
CHUNKS_KEPT: Final = timedelta(days=60)
"""From the start of a run: longer than SQS keeps a message and then its dead letter, 14 days each
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html),
so no run is open any more that could ask for its chunks."""


class LostRunError(TransientError):
    """Another splitter took the run over; this one has nothing more to do."""


class Chunk(Struct, frozen=True, kw_only=True):
    """What became of up to 1,000 records at the split, one letter each.

    q queued · u unchanged · s superseded · f filtered · r rejected. `hashes` are the identity
    hashes of those that have an identity (8 bytes each), `prints` the beginnings of their
    fingerprints (as many), `duplicates` how many repeat a product of the file.
    """

    number: int
    decisions: str
    hashes: bytes
    prints: bytes = b""
    duplicates: int = 0


class Splits:
    """The splitter's side of all runs. Every write names the run and its fence."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, run: Run, pin: MappingPin, now: str, *, order: str = "") -> Run:
        """Take the run over from whoever split it before, under the `order` that its file names.

        Raises LostRunError if it is split already.
        """
        started = run.started_at or now
        change = ItemChange(
            put={
                "phase": "splitting",
                "mapping": msgspec.to_builtins(pin),
                "order": order or run.order,
                "started_at": started,
            },
            add={"fence": 1, "tries": 1},
            condition="#phase IN (:waiting, :splitting)",
            given={"waiting": "waiting", "splitting": "splitting"},
        )
        item = self._table.update(header_key(run.id), change)
        if item is None:
            raise LostRunError(f"run {run.id} is not there to be split")
        begun = from_item(item)
        self._table.put(begun_item(begun))
        return begun if begun.follows is not None else self._succeeded(begun)

    def _succeeded(self, run: Run) -> Run:
        """Enter the run as the last that may write to the sync state, and which one it comes
        after.
        """
        registry = Registry(self._table)
        for _ in range(MOST_RACES):
            last = self._table.get(last_key(run.source)) or {}
            before = registry.get(last["run"]) if last else None
            alone = registry.alone(run) and (before is None or before.finished_at is not None)
            place = {"follows": last["run"] if last.get("alone") else "", "first": not last}
            change = ItemChange(put=place, condition="#fence = :fence", given={"fence": run.fence})
            failed = self._table.transact(
                succeeding(self._table, run, last.get("run"), alone=alone),
                self._table.updating(header_key(run.id), change),
            )
            if 1 in failed:
                raise LostRunError(f"another splitter has taken over run {run.id}")
            if not failed:
                return replace(run, **place)
        raise TransientError(f"other runs of source {run.source} keep beginning; try again")

    def worn_out(self, run: str, most: int) -> bool:
        """Say whether more than `most` splitters took the run over since its last checkpoint.

        Also once `exhaust` was called, whatever is taken back afterwards.
        """
        item = self._table.get(header_key(run)) or {}
        return bool(item.get("exhausted")) or int(item.get("tries", 0)) > most

    def exhaust(self, run: Run) -> None:
        """Enter, before the last messages go, that the file is read no further.

        A splitter that repeats this end then packs the same messages; were it to read on, ids that
        are on their way already would name other records.
        """
        change = ItemChange(
            put={"exhausted": True}, condition="#fence = :fence", given={"fence": run.fence}
        )
        if self._table.update(header_key(run.id), change) is None:
            raise LostRunError(f"another splitter has taken over run {run.id}")

    def take_back(self, run: Run) -> None:
        """Do not count this take-over: it ended because AWS could not answer."""
        self._table.update(header_key(run.id), ItemChange(add={"tries": -1}))

    def chunks(self, run: str) -> Iterator[Chunk]:
        """Return all chunks that are recorded, in the order of the file."""
        return map(_chunk, self._table.query(f"run#{run}", prefix="chunk#"))

    def store(self, run: Run, chunk: Chunk, *, if_undisturbed: bool = False) -> bool:
        """Book the chunk and add it to the run's counts, in one transaction.

        The fence keeps a chunk from being recorded twice: who takes a run over raises it first and
        reads what is recorded then. Raises LostRunError when another splitter has done so. False,
        and nothing recorded, where the chunk is to be recorded only `if_undisturbed` and another
        run has begun that may write to the sync state.
        """
        item: dict[str, Any] = {
            **_chunk_key(run.id, chunk.number),
            **msgspec.to_builtins(chunk, builtin_types=(bytes,)),
            "expires_at": _expiry(run),
        }
        counted = ItemChange(
            add=_counts(chunk), condition="#fence = :fence", given={"fence": run.fence}
        )
        actions = [self._table.putting(item), self._table.updating(header_key(run.id), counted)]
        if if_undisturbed:
            actions.append(undisturbed(self._table, run))
        failed = self._table.transact(*actions)
        if failed and failed != (2,):
            raise LostRunError(f"another splitter has taken over run {run.id}")
        return not failed

    def checkpoint(self, run: Run, key: str) -> None:
        """Enter where the state of this split lies, for the one that goes on with it."""
        change = ItemChange(
            put={"checkpoint": key, "tries": 0},
            condition="#fence = :fence",
            given={"fence": run.fence},
        )
        if self._table.update(header_key(run.id), change) is None:
            raise LostRunError(f"another splitter has taken over run {run.id}")

    def complete(
        self,
        run: Run,
        *,
        sent: int,
        problem: str | None,
        now: str,
        missing: int | None = None,
        hold: str | None = None,
        holes: int = 0,
        notes: str | None = None,
    ) -> None:
        """Enter that the file is read and `sent` messages are on their way.

        `holes` are records that could not be read, `notes` says what was repaired on the way.
        """
        end: dict[str, object] = {"sent": sent, "problem": problem, "split_at": now}
        end |= {"missing": missing, "hold": hold, "holes": holes, "notes": notes}
        change = ItemChange(
            put={"phase": "delivering"} | end,
            condition="#fence = :fence",
            given={"fence": run.fence},
        )
        header = self._table.updating(header_key(run.id), change)
        if self._table.transact(header, *open_actions(self._table, run)):
            raise LostRunError(f"another splitter has taken over run {run.id}")


def _counts(chunk: Chunk) -> dict[str, int]:
    letters = {"unchanged": "u", "superseded": "s", "filtered": "f", "rejected": "r"}
    counts = {state: chunk.decisions.count(letter) for state, letter in letters.items()}
    counts |= {"records": len(chunk.decisions), "duplicates": chunk.duplicates}
    return {name: number for name, number in counts.items() if number}


def _expiry(run: Run) -> int:
    assert run.started_at is not None  # noqa: S101 - a run with chunks was begun
    return int((datetime.fromisoformat(run.started_at) + CHUNKS_KEPT).timestamp())


def _chunk_key(run: str, number: int) -> dict[str, str]:
    return {"pk": f"run#{run}", "sk": f"chunk#{number:06d}"}


def _chunk(item: dict[str, Any]) -> Chunk:
    return Chunk(
        number=int(item["number"]),
        decisions=item["decisions"],
        hashes=item["hashes"],
        prints=item.get("prints", b""),
        duplicates=int(item["duplicates"]),
    )
