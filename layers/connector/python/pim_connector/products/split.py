"""What is said of a file that could not be read as it should."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from pim_connector.aws.bucket import Bucket
from pim_connector.erp.reader import RecordReader, read_records
from pim_connector.logs import log_outcome
from pim_connector.mapping.results import FieldError, Identity, Rejected
from pim_connector.products.batching import Batch, Batcher, OpenBatch, Publisher, message_record
from pim_connector.products.decisions import (
    Candidate,
    Decisions,
    FileEnd,
    Found,
    KeptRecord,
    Plan,
    SplitterParts,
    chunks_of,
    keep,
    queued,
    rejected,
    run_file,
)
from pim_connector.products.missing import (
    find_missing,
    keep_identifiers,
    list_missing,
    why_hold,
    withdraw,
)
from pim_connector.records import SourceRecord, UnreadableFileError, fingerprint
from pim_connector.sync.chunks import (
    Chunk,
    HashSet,
    decode_hashes,
    encode_hashes,
    identity_hash,
    write_manifest,
)
from pim_connector.sync.messages import MappingPin, claim_check_key, encode_record, group_of
from pim_connector.sync.runs import Run
from pim_connector.sync.snapshot import PRINT_BYTES

logger = logging.getLogger(__name__)


def _reading_problem(
    run: Run, pin: MappingPin, error: UnreadableFileError | None, records: int
) -> str | None:
    """Say what is wrong with a file of which so many records were read, and what to do."""
    if error and records == 0:
        return (
            f"{run.key}: {error}. Nothing was handed on; compare the file with {pin.key}, or have "
            "the ERP write it again"
        )
    if error:
        return (
            f"{run.key}: {error}. The {records} records before that place were handed on; have "
            "the ERP write the file again"
        )
    if records == 0:
        return (
            f"{run.key}: no element of the file matches a record path of {pin.key}; compare the "
            "paths under `records` with the file"
        )
    return None


def _exhausted_problem(run: Run, records: int, tries: int) -> str:
    """Say that reading stopped again and again after so many records, and what to do."""
    return (
        f"{run.key}: the splitter was stopped {tries} times after record {records}, most likely by "
        "a record too large for its memory. The records before that place were handed on; give the "
        "function more memory, or have the ERP write the file without that record"
    )


# One run's way through its file: chunks in, messages out, and where it was when time ran out.


CHECKPOINT_CHUNKS: Final = 50
MARGIN_SECONDS: Final = 30.0
"""Time left for the checkpoint when a chunk ends; a chunk takes a second or two."""
LAST_SECONDS: Final = 3.0
"""Time left where this invocation has not done a chunk yet: it stops before it is stopped."""
MAX_TRIES: Final = 6
"""Take-overs without a checkpoint in between, after which the file itself is to blame."""


class Progress(msgspec.Struct, kw_only=True):
    """How far a split has come: what a checkpoint holds."""

    records: int = 0
    chunks: int = 0
    number: int = 0
    open_batches: list[OpenBatch] = []


class _OutOfTimeError(Exception):
    """The seconds that this invocation has are nearly over."""


class Split:
    """The split of one run by one splitter; `run` is as `Splits.begin` gave it."""

    def __init__(self, run: Run, plan: Plan, parts: SplitterParts) -> None:
        self._run = run
        self._plan = plan
        self._parts = parts
        self._progress = _progress(run, parts.bucket)
        self._batcher = Batcher(
            parts.groups,
            open_batches=self._progress.open_batches or None,
            number=self._progress.number,
        )
        self._decisions = Decisions(run, plan, parts)
        self._force = self._decisions.run_context.force
        self._publisher = Publisher(run, plan.pin, parts.bucket, parts.queue, self._force)
        self._seen, self._stored = _stored(parts.splits.chunks(run.id), self._progress.chunks)
        self._tired = parts.splits.worn_out(run.id, MAX_TRIES)

    def read(self, remaining: Callable[[], float]) -> bool:
        """Read on until the file ends or `remaining()` seconds run low; False says the latter.

        Time is looked at between chunks, and between pieces of the file: one record may be large,
        and records that were sent before are read over. No checkpoint is made where nothing new was
        done, so that a file that never gets further ends as worn out.
        """
        progress, end = self._progress, FileEnd()
        begun = progress.chunks

        def look_at_the_clock() -> None:
            least = MARGIN_SECONDS if progress.chunks > begun else LAST_SECONDS
            if remaining() < least:
                raise _OutOfTimeError

        self._reader = self._read_records(look_at_the_clock)
        try:
            for chunk in chunks_of(self._reader, self._plan.compiled.identify, end):
                if self._tired and progress.chunks + 1 not in self._stored:
                    return self._give_up()
                self._chunk(chunk)
                look_at_the_clock()
                if progress.chunks % CHECKPOINT_CHUNKS == 0:
                    self._checkpoint()
        except _OutOfTimeError:
            if progress.chunks > begun:
                self._checkpoint()
            return self._tired and self._give_up()
        self._end(_reading_problem(self._run, self._plan.pin, end.problem, progress.records))
        return True

    def _give_up(self) -> Literal[True]:
        self._parts.splits.exhaust(self._run)
        self._end(_exhausted_problem(self._run, self._progress.records, MAX_TRIES))
        return True

    def _read_records(self, pulse: Callable[[], None]) -> RecordReader:
        file = run_file(self._run)
        return read_records(
            lambda: self._parts.bucket.open(file),
            self._plan.compiled,
            skip=self._progress.records,
            others=self._plan.others,
            pulse=pulse,
        )

    def _chunk(self, records: Sequence[tuple[SourceRecord, Found]]) -> None:
        number = self._progress.chunks + 1
        candidates = [self._sight(record, found) for record, found in records]
        chunk = self._stored.pop(number, None)
        if chunk is None:
            chunk = self._store(number, candidates)
        self._publisher.send(self._packed(queued(candidates, chunk.decisions)))
        self._progress.chunks = number
        self._progress.records += len(records)

    def _sight(self, record: SourceRecord, found: Found) -> Candidate:
        if not isinstance(found, Identity):
            return Candidate(record=record, found=found)
        hash_ = identity_hash(found.resource, found.identifier)
        return Candidate(
            record=record,
            found=found,
            hash=hash_,
            fingerprint=fingerprint(record),
            repeats=not self._seen.add(hash_),
        )

    def _store(self, number: int, candidates: Sequence[Candidate]) -> Chunk:
        decisions = self._decisions.decisions(candidates)
        refused = list(_kept(candidates, decisions))
        keep(self._parts.bucket, self._run.id, number, refused)
        if self._plan.exports == "full":
            found = (candidate.found for candidate in candidates)
            identities = (each for each in found if isinstance(each, Identity))
            keep_identifiers(self._parts.bucket, self._run, number, identities)
        named = [candidate for candidate in candidates if candidate.hash]
        chunk = Chunk(
            number=number,
            decisions=decisions,
            hashes=encode_hashes(array("Q", [candidate.hash for candidate in named])),
            prints=b"".join([candidate.fingerprint[:PRINT_BYTES] for candidate in named]),
            duplicates=sum([candidate.repeats for candidate in named]),
        )
        relies = self._decisions.rely_on_baseline
        if not self._parts.splits.store(self._run, chunk, if_undisturbed=relies):
            self._decisions.forget_baseline()
            return self._store(number, candidates)
        for record in refused:
            log_outcome(logger, record.outcome)
        return chunk

    def _packed(self, found: Iterable[tuple[Candidate, Identity]]) -> Iterator[Batch]:
        for candidate, identity in found:
            group = group_of(identity.family_key, self._parts.groups)
            encoded = encode_record(message_record(candidate, identity, self._force))
            yield from self._batcher.add(group, identity.resource, candidate.record.head, encoded)

    def _checkpoint(self) -> None:
        self._progress.number = self._batcher.number
        self._progress.open_batches = self._batcher.open_batches
        key = claim_check_key(self._run.id, f"checkpoint-{self._progress.chunks:06d}")
        self._parts.bucket.put(key, msgspec.msgpack.encode(self._progress))
        self._parts.splits.checkpoint(self._run, key)

    def _end(self, problem: str | None) -> None:
        self._publisher.send(self._batcher.flush())
        missing, hold = self._missing(problem)
        write_manifest(self._seen, self._run.source, self._run.id, self._parts.bucket)
        self._parts.splits.complete(
            self._run,
            sent=self._batcher.number,
            problem=problem,
            missing=missing,
            hold=hold,
            holes=self._reader.holes,
            notes="; ".join(self._reader.notes()) or None,
            now=self._parts.now(),
        )

    def _missing(self, problem: str | None) -> tuple[int | None, str | None]:
        """Look after the products that this full export lacks: how many, and why they wait.

        A file that ended early, has a hole, or came after a newer one says nothing about what is
        missing.
        """
        parts, origin = self._parts, self._plan.origin
        if (
            problem
            or self._reader.holes
            or self._plan.exports != "full"
            or self._decisions.run_context.newer
        ):
            return None, None
        missing = find_missing(self._run, self._seen, parts.registry, parts.bucket)
        if missing is None:
            return None, None
        if missing.total and origin.missing_products != "leave":
            list_missing(self._run, missing, self._seen, parts.bucket)
        if not missing.total or origin.missing_products != "disable":
            return missing.total, None
        hold = why_hold(self._run, missing, origin, parts.bucket)
        if hold is None:
            withdraw(self._run, missing, self._seen, parts)
        return missing.total, hold


def _progress(run: Run, bucket: Bucket) -> Progress:
    if run.checkpoint is None:
        return Progress()
    return msgspec.msgpack.decode(bucket.get(run.checkpoint), type=Progress)


def _stored(chunks: Iterable[Chunk], until: int) -> tuple[HashSet, dict[int, Chunk]]:
    """Return the products of the chunks that are done, and the chunks that are still to be sent."""
    seen, ahead = HashSet(), dict[int, Chunk]()
    for chunk in chunks:
        if chunk.number > until:
            ahead[chunk.number] = chunk
            continue
        hashes = decode_hashes(chunk.hashes)
        if not chunk.duplicates:
            seen.extend(hashes)
            continue
        for value in hashes:
            seen.add(value)
    return seen, ahead


def _kept(candidates: Sequence[Candidate], decisions: str) -> Iterator[KeptRecord]:
    for candidate, decision in zip(candidates, decisions, strict=True):
        if decision != "r":
            continue
        if isinstance(candidate.found, Rejected):
            yield rejected(candidate.record, candidate.found.errors)
        elif isinstance(candidate.found, Identity):
            name = candidate.found.identifier
            message = f"an earlier record of the file is about {name}, and the mapping says reject"
            error = FieldError(attribute=None, source=None, message=message, value=name)
            yield rejected(candidate.record, [error], name)
