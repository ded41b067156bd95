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
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.errors import RejectedError
from pim_connector.mapping.compiled import Program
from pim_connector.mapping.language import Origin
from pim_connector.mapping.results import FieldError, Filtered, Identity, Rejected, field_problems
from pim_connector.outcomes import RecordOutcome
from pim_connector.sync.chunks import WINDOW, Manifest, Splits, manifests_of
from pim_connector.sync.jobs import ErrandParts
from pim_connector.sync.messages import Force, MappingPin
from pim_connector.sync.runs import Run
from pim_connector.sync.snapshot import Baseline
from pim_connector.sync.state import Ledger, LedgerEntry, Version, ledger_key


class SplitterParts(ErrandParts, frozen=True, kw_only=True):
    """What a splitter works with; what it withdraws are errands of its own."""

    splits: Splits
    leases: Leases
    ledger: Ledger
    trigger: str


class Plan(Struct, frozen=True, kw_only=True):
    """The mapping that a run is pinned to, ready to use, and the files beside the run's own."""

    pin: MappingPin
    program: Program
    origin: Origin
    others: Mapping[str, Callable[[], BinaryIO]]


def force_of(run: Run) -> Force | None:
    """Give what an operator wants sent, changed or not."""
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


def keep(bucket: Bucket, run: str, window: int, records: Sequence[KeptRecord]) -> None:
    """Write what a window rejected; writing it again changes nothing."""
    if records:
        bucket.put(f"{_prefix(run)}{window:06d}", gzip.compress(msgspec.json.encode(records)))


def kept(bucket: Bucket, run: str) -> Iterator[KeptRecord]:
    """Give all that the splitter rejected of a run, in the order of the file.

    Raises RejectedError for an object that somebody else has written over.
    """
    for key in bucket.keys(_prefix(run)):
        try:
            found = _KEPT.decode(gzip.decompress(bucket.get(key)))
        except (msgspec.MsgspecError, OSError, EOFError, zlib.error) as error:
            raise RejectedError(f"{key} does not hold kept records: {error}") from error
        yield from found


def _prefix(run: str) -> str:
    return f"records/{run}/window-"


# Decides for each record of a window whether it goes on to the queue.


Disposition: TypeAlias = Literal["q", "u", "s", "f", "r"]
"""queued · unchanged · superseded · filtered · rejected"""

Found: TypeAlias = Identity | Filtered | Rejected

WINDOW_CHARACTERS: Final = 4_000_000
"""A window of heavy records ends early, so that memory does not depend on their size."""


class Sighting(Struct, frozen=True, kw_only=True, gc=False):
    """A record and who it is about. `hash` is 0 and `fingerprint` empty where nobody knows.

    `repeats` says that an earlier record of the file was about the same product.
    """

    record: SourceRecord
    found: Found
    hash: int = 0
    fingerprint: bytes = b""
    repeats: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """Where a run stands among the others of its source.

    `newer` are the manifests of newer files that were split before it. `shortcut` says that the
    ledger can be trusted to be the PIM's last word: no older file is still under way. `force` says
    what an operator wants sent, changed or not.
    """

    order: str
    digest: str
    shortcut: bool = True
    newer: tuple[Manifest, ...] = ()
    refuse_repeats: bool = False
    force: Force | None = None


def decide(
    sighting: Sighting, entry: LedgerEntry | Version | None, standing: Standing
) -> Disposition:
    """Say what becomes of one record; `entry` is what the PIM last accepted of its product.

    A record that repeats a product of its file is always queued: what the ledger says of the
    product is about to change.
    """
    if not isinstance(sighting.found, Identity):
        return "f" if isinstance(sighting.found, Filtered) else "r"
    if sighting.repeats and standing.refuse_repeats:
        return "r"
    if standing.newer and any(sighting.hash in manifest for manifest in standing.newer):
        return "s"
    if sighting.repeats or entry is None:
        return "q"
    if entry.order > standing.order:
        return "s"
    if standing.force and standing.force.holds(sighting.found.identifier):
        return "q"
    same = entry.fingerprint == sighting.fingerprint and entry.mapping == standing.digest
    return "u" if same and standing.shortcut else "q"


class FileEnd:
    """How reading a file ended: `problem` is None where it was read to its end."""

    problem: UnreadableFileError | None = None


def windows_of(
    records: Iterable[SourceRecord], identify: Callable[[SourceRecord], Found], end: FileEnd
) -> Iterator[list[tuple[SourceRecord, Found]]]:
    """Give the records in windows of 1,000, or of fewer heavy ones; the same ones every time.

    Each is identified as it comes: where its rows were looked up, it has just been parsed. Where
    the file breaks off, what was before comes as the last window, and `end` says why.
    """
    window: list[tuple[SourceRecord, Found]] = []
    characters = 0
    try:
        for record in records:
            window.append((record, identify(record)))
            characters += len(record.xml)
            if len(window) == WINDOW or characters >= WINDOW_CHARACTERS:
                yield window
                window, characters = [], 0
    except UnreadableFileError as error:
        end.problem = error
    if window:
        yield window


def queued(sightings: Sequence[Sighting], dispositions: str) -> Iterator[tuple[Sighting, Identity]]:
    """Give those that go to the queue."""
    for sighting, disposition in zip(sightings, dispositions, strict=True):
        if disposition == "q" and isinstance(sighting.found, Identity):
            yield sighting, sighting.found


# What becomes of the records of a file, by what the ledger, or the last run's baseline, holds.


class Decisions:
    """Decides for one run; `standing` is where it stands among the others of its source."""

    def __init__(self, run: Run, plan: Plan, parts: SplitterParts) -> None:
        self.standing = _standing(run, plan, parts)
        self._run = run
        self._ledger = parts.ledger
        self._baseline = _baseline(run, self.standing, parts)

    @property
    def rely_on_baseline(self) -> bool:
        """Whether they are true only as long as no other run writes to the ledger."""
        return self._baseline is not None

    def forget_baseline(self) -> None:
        """Ask the ledger about every record from here on."""
        self._baseline = None

    def dispositions(self, sightings: Sequence[Sighting]) -> str:
        """Decide about the records; the ledger is asked about those the baseline does not have.

        Of the first run of a source it has nothing to say. Were it to, by tables that were put
        back, the mapper, which asks it too, would pass over what needs no sending.
        """
        if self._run.first:
            return "".join([decide(sighting, None, self.standing) for sighting in sightings])
        known = [self._is_known(sighting) for sighting in sightings]
        keys = [
            "" if is_known else _ledger_key(self._run.source, sighting)
            for sighting, is_known in zip(sightings, known, strict=True)
        ]
        entries = self._ledger.versions(filter(None, keys))
        return "".join(
            "u" if is_known else decide(sighting, entries.get(key), self.standing)
            for sighting, key, is_known in zip(sightings, keys, known, strict=True)
        )

    def _is_known(self, sighting: Sighting) -> bool:
        return (
            self._baseline is not None
            and sighting.hash != 0
            and not sighting.repeats
            and self._baseline.holds(sighting.hash, sighting.fingerprint)
        )


def _baseline(run: Run, standing: Standing, parts: SplitterParts) -> Baseline | None:
    """Give what the ledger holds of the file before, where it and nothing else wrote there."""
    if not (run.follows and standing.shortcut) or standing.newer or standing.force:
        return None
    before = parts.registry.get(run.follows)
    if before is None or before.finished_at is None or before.order >= run.order:
        return None
    if before.mapping is None or before.mapping.digest != standing.digest:
        return None
    return Baseline.open(before, parts.bucket)


def _standing(run: Run, plan: Plan, parts: SplitterParts) -> Standing:
    return Standing(
        order=run.order,
        digest=plan.pin.digest,
        shortcut=not parts.registry.older_unfinished(run),
        newer=manifests_of(parts.registry.newer_split(run), parts.bucket),
        refuse_repeats=plan.origin.duplicates == "reject",
        force=force_of(run),
    )


def _ledger_key(source: str, sighting: Sighting) -> str:
    if not isinstance(sighting.found, Identity):
        return ""
    return ledger_key(source, sighting.found.resource, sighting.found.identifier)
