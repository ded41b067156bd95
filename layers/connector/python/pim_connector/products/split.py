"""What is said of a file that could not be read as it should."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import msgspec

from pim_connector.aws.bucket import Bucket
from pim_connector.erp.reading import RecordReader, Resumption, read_records
from pim_connector.erp.record import SourceRecord, UnreadableFileError, fingerprint
from pim_connector.logs import log_outcome
from pim_connector.mapping.results import FieldError, Identity, Rejected
from pim_connector.products.batching import Bay, Dispatcher, Packer, Parcel, message_record
from pim_connector.products.decisions import (
    Decisions,
    FileEnd,
    Found,
    KeptRecord,
    Plan,
    Sighting,
    SplitterParts,
    keep,
    queued,
    rejected,
    run_file,
    windows_of,
)
from pim_connector.products.missing import (
    find_missing,
    keep_identifiers,
    list_missing,
    why_hold,
    withdraw,
)
from pim_connector.sync.chunks import (
    HashSet,
    Window,
    decode_hashes,
    encode_hashes,
    identity_hash,
    write_manifest,
)
from pim_connector.sync.messages import MappingPin, encode_record, heavy_key, lane_of
from pim_connector.sync.runs import Run
from pim_connector.sync.snapshot import PRINT_BYTES

logger = logging.getLogger(__name__)


def reading_problem(
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


def exhausted_problem(run: Run, records: int, tries: int) -> str:
    """Say that reading stopped again and again after so many records, and what to do."""
    return (
        f"{run.key}: the splitter was stopped {tries} times after record {records}, most likely by "
        "a record too large for its memory. The records before that place were handed on; give the "
        "function more memory, or have the ERP write the file without that record"
    )


# One run's way through its file: windows in, messages out, and where it was when time ran out.


CHECKPOINT_WINDOWS: Final = 50
MARGIN_SECONDS: Final = 30.0
"""Time left for the checkpoint when a window ends; a window takes a second or two."""
MAX_TRIES: Final = 6
"""Take-overs without a checkpoint in between, after which the file itself is to blame."""


class Progress(msgspec.Struct, kw_only=True):
    """How far a split has come: what a checkpoint holds.

    `resumption` is where the file is read on, some records before if need be; without it all of it
    is read again.
    """

    records: int = 0
    windows: int = 0
    number: int = 0
    bays: list[Bay] = []
    resumption: Resumption | None = None


class Split:
    """The split of one run by one splitter; `run` is as `Splits.begin` gave it."""

    def __init__(self, run: Run, plan: Plan, parts: SplitterParts) -> None:
        self._run = run
        self._plan = plan
        self._parts = parts
        self._progress = _progress(run, parts.bucket)
        self._packer = Packer(
            parts.lanes, bays=self._progress.bays or None, number=self._progress.number
        )
        self._decisions = Decisions(run, plan, parts)
        self._force = self._decisions.standing.force
        self._dispatcher = Dispatcher(run, plan.pin, parts.bucket, parts.queue, self._force)
        self._seen, self._booked = _booked(parts.splits.windows(run.id), self._progress.windows)
        self._tired = parts.splits.worn_out(run.id, MAX_TRIES)

    def read(self, remaining: Callable[[], float]) -> bool:
        """Read on until the file ends or `remaining()` seconds run low; False says the latter."""
        progress, end = self._progress, FileEnd()
        reader = self._reader()
        for window in windows_of(reader, self._plan.program.identify, end):
            if self._tired and progress.windows + 1 not in self._booked:
                self._parts.splits.exhaust(self._run)
                self._end(exhausted_problem(self._run, progress.records, MAX_TRIES))
                return True
            self._window(window)
            if remaining() < MARGIN_SECONDS:
                self._checkpoint(reader)
                return False
            if progress.windows % CHECKPOINT_WINDOWS == 0:
                self._checkpoint(reader)
        self._end(reading_problem(self._run, self._plan.pin, end.problem, progress.records))
        return True

    def _reader(self) -> RecordReader:
        file = run_file(self._run)
        return read_records(
            lambda: self._parts.bucket.open(file),
            self._plan.program,
            skip=self._progress.records,
            start=self._progress.resumption,
            others=self._plan.others,
        )

    def _window(self, records: Sequence[tuple[SourceRecord, Found]]) -> None:
        number = self._progress.windows + 1
        sightings = [self._sight(record, found) for record, found in records]
        window = self._booked.pop(number, None)
        if window is None:
            window = self._book(number, sightings)
        self._dispatcher.send(self._packed(queued(sightings, window.dispositions)))
        self._progress.windows = number
        self._progress.records += len(records)

    def _sight(self, record: SourceRecord, found: Found) -> Sighting:
        if not isinstance(found, Identity):
            return Sighting(record=record, found=found)
        hash_ = identity_hash(found.resource, found.identifier)
        return Sighting(
            record=record,
            found=found,
            hash=hash_,
            fingerprint=fingerprint(record),
            repeats=not self._seen.add(hash_),
        )

    def _book(self, number: int, sightings: Sequence[Sighting]) -> Window:
        dispositions = self._decisions.dispositions(sightings)
        refused = list(_kept(sightings, dispositions))
        keep(self._parts.bucket, self._run.id, number, refused)
        if self._plan.origin.exports == "full":
            found = (sighting.found for sighting in sightings)
            identities = (each for each in found if isinstance(each, Identity))
            keep_identifiers(self._parts.bucket, self._run, number, identities)
        named = [sighting for sighting in sightings if sighting.hash]
        window = Window(
            number=number,
            dispositions=dispositions,
            hashes=encode_hashes(array("Q", [sighting.hash for sighting in named])),
            prints=b"".join([sighting.fingerprint[:PRINT_BYTES] for sighting in named]),
            duplicates=sum([sighting.repeats for sighting in named]),
        )
        relies = self._decisions.rely_on_baseline
        if not self._parts.splits.book(self._run, window, if_undisturbed=relies):
            self._decisions.forget_baseline()
            return self._book(number, sightings)
        for record in refused:
            log_outcome(logger, record.outcome)
        return window

    def _packed(self, found: Iterable[tuple[Sighting, Identity]]) -> Iterator[Parcel]:
        for sighting, identity in found:
            lane = lane_of(identity.family_key, self._parts.lanes)
            encoded = encode_record(message_record(sighting, identity, self._force))
            yield from self._packer.add(lane, identity.resource, sighting.record.head, encoded)

    def _checkpoint(self, reader: RecordReader) -> None:
        self._progress.resumption = reader.resumption() or self._progress.resumption
        self._progress.number = self._packer.number
        self._progress.bays = self._packer.bays
        key = heavy_key(self._run.id, f"checkpoint-{self._progress.windows:06d}")
        self._parts.bucket.put(key, msgspec.msgpack.encode(self._progress))
        self._parts.splits.checkpoint(self._run, key)

    def _end(self, problem: str | None) -> None:
        self._dispatcher.send(self._packer.flush())
        missing, hold = self._missing(problem)
        write_manifest(self._seen, self._run.source, self._run.id, self._parts.bucket)
        self._parts.splits.complete(
            self._run,
            sent=self._packer.number,
            problem=problem,
            missing=missing,
            hold=hold,
            now=self._parts.now(),
        )

    def _missing(self, problem: str | None) -> tuple[int | None, str | None]:
        """Look after the products that this full export lacks: how many, and why they wait.

        A file that ended early, or came after a newer one, says nothing about what is missing.
        """
        parts, origin = self._parts, self._plan.origin
        if problem or origin.exports != "full" or self._decisions.standing.newer:
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


def _booked(windows: Iterable[Window], until: int) -> tuple[HashSet, dict[int, Window]]:
    """Give the products of the windows that are done, and the windows that are still to be sent."""
    seen, ahead = HashSet(), dict[int, Window]()
    for window in windows:
        if window.number > until:
            ahead[window.number] = window
            continue
        hashes = decode_hashes(window.hashes)
        if not window.duplicates:
            seen.extend(hashes)
            continue
        for value in hashes:
            seen.add(value)
    return seen, ahead


def _kept(sightings: Sequence[Sighting], dispositions: str) -> Iterator[KeptRecord]:
    for sighting, disposition in zip(sightings, dispositions, strict=True):
        if disposition != "r":
            continue
        if isinstance(sighting.found, Rejected):
            yield rejected(sighting.record, sighting.found.errors)
        elif isinstance(sighting.found, Identity):
            name = sighting.found.identifier
            message = f"an earlier record of the file is about {name}, and the mapping says reject"
            error = FieldError(attribute=None, source=None, message=message, value=name)
            yield rejected(sighting.record, [error], name)
