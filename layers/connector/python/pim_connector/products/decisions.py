"""What a splitter works with, and what a run of it is pinned to."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from pim_connector.aws.bucket import Bucket, StoredObject
from pim_connector.aws.table import Leases
from pim_connector.errors import RejectedError
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.language import Origin
from pim_connector.mapping.results import FieldError, Filtered, Identity, Rejected, field_problems
from pim_connector.outcomes import RecordOutcome
from pim_connector.records import SourceRecord, UnreadableFileError
from pim_connector.sync.chunks import CHUNK, Manifest, Splits, manifests_of
from pim_connector.sync.jobs import JobParts
from pim_connector.sync.messages import Force, MappingPin
from pim_connector.sync.runs import Run
from pim_connector.sync.snapshot import Baseline
from pim_connector.sync.state import StateEntry, SyncState, Version, state_key


class SplitterParts(JobParts, frozen=True, kw_only=True):
    """What a splitter works with; what it withdraws are jobs of its own."""

    splits: Splits
    leases: Leases
    sync_state: SyncState
    trigger: str


class Plan(Struct, frozen=True, kw_only=True):
    """The mapping that a run is pinned to, ready to use, and the files beside the run's own.

    `exports` is what the run's file is, which the file itself may say.
    """

    pin: MappingPin
    compiled: CompiledMapping
    origin: Origin
    others: Mapping[str, Callable[[], BinaryIO]]
    exports: Literal["full", "delta"] = "delta"


def _force_of(run: Run) -> Force | None:
    """Return what an operator wants sent, changed or not."""
    return msgspec.json.decode(run.forced, type=Force) if run.forced else None


def run_file(run: Run) -> StoredObject:
    """Name the file version of a run, as the bucket knows it."""
    return StoredObject(key=run.key, version=run.version, size=run.size)


# Records that were rejected before they reached the queue, kept raw so they can be replayed.


class KeptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was in the file, and why it went no further."""

    outcome: RecordOutcome
    record: SourceRecord


_KEPT = msgspec.json.Decoder(tuple[KeptRecord, ...])


def rejected(
    record: SourceRecord, errors: Sequence[FieldError], identifier: str | None = None
) -> KeptRecord:
    """Tell a mapping's errors in the words of the report."""
    outcome = RecordOutcome(
        number=record.number,
        line=record.line,
        state="rejected",
        identifier=identifier,
        problems=field_problems(errors),
    )
    return KeptRecord(outcome=outcome, record=record)


def keep(bucket: Bucket, run: str, chunk: int, records: Sequence[KeptRecord]) -> None:
    """Write what a chunk rejected; writing it again changes nothing."""
    if records:
        bucket.put(f"{_prefix(run)}{chunk:06d}", gzip.compress(msgspec.json.encode(records)))


def kept(bucket: Bucket, run: str) -> Iterator[KeptRecord]:
    """Return all that the splitter rejected of a run, in the order of the file.

    Raises RejectedError for an object that somebody else has written over.
    """
    for key in bucket.keys(_prefix(run)):
        try:
            found = _KEPT.decode(gzip.decompress(bucket.get(key)))
        except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
            raise RejectedError(f"{key} does not hold kept records: {error}") from error
        yield from found


def _prefix(run: str) -> str:
    return f"records/{run}/chunk-"


# Decides for each record of a chunk whether it goes on to the queue.


Decision: TypeAlias = Literal["q", "u", "s", "f", "r"]
"""queued · unchanged · superseded · filtered · rejected"""

Found: TypeAlias = Identity | Filtered | Rejected

CHUNK_CHARACTERS: Final = 4_000_000
"""A chunk of heavy records ends early, so that memory does not depend on their size."""


class Candidate(Struct, frozen=True, kw_only=True, gc=False):
    """A record and who it is about. `hash` is 0 and `fingerprint` empty where nobody knows.

    `repeats` says that an earlier record of the file was about the same product.
    """

    record: SourceRecord
    found: Found
    hash: int = 0
    fingerprint: bytes = b""
    repeats: bool = False


class RunContext(Struct, frozen=True, kw_only=True):
    """Where a run stands among the others of its source.

    `newer` are the manifests of newer files that were split before it. `shortcut` says that the
    sync state can be trusted to be the PIM's last word: no older file is still under way. `force`
    says what an operator wants sent, changed or not.
    """

    order: str
    digest: str
    shortcut: bool = True
    newer: tuple[Manifest, ...] = ()
    refuse_repeats: bool = False
    force: Force | None = None


def decide(
    candidate: Candidate, entry: StateEntry | Version | None, run_context: RunContext
) -> Decision:
    """Say what becomes of one record; `entry` is what the PIM last accepted of its product.

    A record that repeats a product of its file is always queued: what the sync state says of the
    product is about to change.
    """
    if not isinstance(candidate.found, Identity):
        return "f" if isinstance(candidate.found, Filtered) else "r"
    if candidate.repeats and run_context.refuse_repeats:
        return "r"
    if run_context.newer and any(candidate.hash in manifest for manifest in run_context.newer):
        return "s"
    if candidate.repeats or entry is None:
        return "q"
    if entry.order > run_context.order:
        return "s"
    if run_context.force and run_context.force.holds(candidate.found.identifier):
        return "q"
    same = entry.fingerprint == candidate.fingerprint and entry.mapping == run_context.digest
    return "u" if same and run_context.shortcut else "q"


class FileEnd:
    """How reading a file ended: `problem` is None where it was read to its end."""

    problem: UnreadableFileError | None = None


def chunks_of(
    records: Iterable[SourceRecord], identify: Callable[[SourceRecord], Found], end: FileEnd
) -> Iterator[list[tuple[SourceRecord, Found]]]:
    """Return the records in chunks of 1,000, or of fewer heavy ones; the same ones every time.

    Each is identified as it comes: where its rows were looked up, it has just been parsed. Where
    the file breaks off, what was before comes as the last chunk, and `end` says why.
    """
    chunk: list[tuple[SourceRecord, Found]] = []
    characters = 0
    try:
        for record in records:
            chunk.append((record, identify(record)))
            characters += len(record.xml)
            if len(chunk) == CHUNK or characters >= CHUNK_CHARACTERS:
                yield chunk
                chunk, characters = [], 0
    except UnreadableFileError as error:
        end.problem = error
    if chunk:
        yield chunk


def queued(candidates: Sequence[Candidate], decisions: str) -> Iterator[tuple[Candidate, Identity]]:
    """Return those that go to the queue."""
    for candidate, decision in zip(candidates, decisions, strict=True):
        if decision == "q" and isinstance(candidate.found, Identity):
            yield candidate, candidate.found


# What becomes of the records of a file, by what the sync state, or the last run's baseline, holds.


class Decisions:
    """Decides for one run; `run_context` is where it stands among the others of its source."""

    def __init__(self, run: Run, plan: Plan, parts: SplitterParts) -> None:
        self.run_context = _run_context(run, plan, parts)
        self._run = run
        self._sync_state = parts.sync_state
        self._baseline = _baseline(run, self.run_context, parts)

    @property
    def rely_on_baseline(self) -> bool:
        """Whether they are true only as long as no other run writes to the sync state."""
        return self._baseline is not None

    def forget_baseline(self) -> None:
        """Ask the sync state about every record from here on."""
        self._baseline = None

    def decisions(self, candidates: Sequence[Candidate]) -> str:
        """Decide about the records; the sync state is asked about those the baseline does not have.

        Of the first run of a source it has nothing to say. Were it to, by tables that were put
        back, the mapper, which asks it too, would pass over what needs no sending.
        """
        if self._run.first:
            return "".join([decide(candidate, None, self.run_context) for candidate in candidates])
        known = [self._is_known(candidate) for candidate in candidates]
        keys = [
            "" if is_known else _state_key(self._run.source, candidate)
            for candidate, is_known in zip(candidates, known, strict=True)
        ]
        entries = self._sync_state.versions(filter(None, keys))
        return "".join(
            "u" if is_known else decide(candidate, entries.get(key), self.run_context)
            for candidate, key, is_known in zip(candidates, keys, known, strict=True)
        )

    def _is_known(self, candidate: Candidate) -> bool:
        return (
            self._baseline is not None
            and candidate.hash != 0
            and not candidate.repeats
            and self._baseline.holds(candidate.hash, candidate.fingerprint)
        )


def _baseline(run: Run, run_context: RunContext, parts: SplitterParts) -> Baseline | None:
    """Return what the sync state holds of the file before, where it and nothing else wrote
    there.
    """
    if not (run.follows and run_context.shortcut) or run_context.newer or run_context.force:
        return None
    before = parts.registry.get(run.follows)
    if before is None or before.finished_at is None or before.order >= run.order:
        return None
    if before.mapping is None or before.mapping.digest != run_context.digest:
        return None
    return Baseline.open(before, parts.bucket)


def _run_context(run: Run, plan: Plan, parts: SplitterParts) -> RunContext:
    return RunContext(
        order=run.order,
        digest=plan.pin.digest,
        shortcut=not parts.registry.older_unfinished(run),
        newer=manifests_of(parts.registry.newer_split(run), parts.bucket),
        refuse_repeats=plan.origin.duplicates == "reject",
        force=_force_of(run),
    )


def _state_key(source: str, candidate: Candidate) -> str:
    if not isinstance(candidate.found, Identity):
        return ""
    return state_key(source, candidate.found.resource, candidate.found.identifier)
