"""One run's way through its file: windows in, messages out, and where it was when time ran out."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec

from pim_connector.baseline import PRINT_BYTES
from pim_connector.bucket import Bucket
from pim_connector.decisions import Decisions
from pim_connector.dispatch import Dispatcher, message_record
from pim_connector.erp.reader import RecordReader, read_records
from pim_connector.erp.record import SourceRecord, fingerprint
from pim_connector.kept import KeptRecord, keep, rejected
from pim_connector.lanes import lane_of
from pim_connector.log_keys import log_outcome
from pim_connector.manifests import (
    HashSet,
    decode_hashes,
    encode_hashes,
    identity_hash,
    write_manifest,
)
from pim_connector.mapping.result import FieldError, Identity, Rejected
from pim_connector.messages import encode_record, heavy_key
from pim_connector.packing import Bay, Packer, Parcel
from pim_connector.runs.run import Run
from pim_connector.runs.splits import Window
from pim_connector.split_parts import Plan, SplitterParts, run_file
from pim_connector.split_problems import exhausted_problem, reading_problem
from pim_connector.windows import FileEnd, Found, Sighting, queued, windows_of
from pim_connector.withdrawal import (
    find_missing,
    keep_identifiers,
    list_missing,
    why_hold,
    withdraw,
)

logger = logging.getLogger(__name__)

CHECKPOINT_WINDOWS: Final = 50
MARGIN_SECONDS: Final = 30.0
"""Time left for the checkpoint when a window ends; a window takes a second or two."""
LAST_SECONDS: Final = 3.0
"""Time left where this invocation has not done a window yet: it stops before it is stopped."""
MAX_TRIES: Final = 6
"""Take-overs without a checkpoint in between, after which the file itself is to blame."""


class Progress(msgspec.Struct, kw_only=True):
    """How far a split has come: what a checkpoint holds."""

    records: int = 0
    windows: int = 0
    number: int = 0
    bays: list[Bay] = []


class _OutOfTimeError(Exception):
    """The seconds that this invocation has are nearly over."""


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
        """Read on until the file ends or `remaining()` seconds run low; False says the latter.

        Time is looked at between windows, and between pieces of the file: one record may be large,
        and records that were sent before are read over. No checkpoint is made where nothing new was
        done, so that a file that never gets further ends as worn out.
        """
        progress, end = self._progress, FileEnd()
        begun = progress.windows

        def look_at_the_clock() -> None:
            least = MARGIN_SECONDS if progress.windows > begun else LAST_SECONDS
            if remaining() < least:
                raise _OutOfTimeError

        self._reader = self._read_records(look_at_the_clock)
        try:
            for window in windows_of(self._reader, self._plan.program.identify, end):
                if self._tired and progress.windows + 1 not in self._booked:
                    return self._give_up()
                self._window(window)
                look_at_the_clock()
                if progress.windows % CHECKPOINT_WINDOWS == 0:
                    self._checkpoint()
        except _OutOfTimeError:
            if progress.windows > begun:
                self._checkpoint()
            return self._tired and self._give_up()
        self._end(reading_problem(self._run, self._plan.pin, end.problem, progress.records))
        return True

    def _give_up(self) -> Literal[True]:
        self._parts.splits.exhaust(self._run)
        self._end(exhausted_problem(self._run, self._progress.records, MAX_TRIES))
        return True

    def _read_records(self, pulse: Callable[[], None]) -> RecordReader:
        file = run_file(self._run)
        return read_records(
            lambda: self._parts.bucket.open(file),
            self._plan.program,
            skip=self._progress.records,
            others=self._plan.others,
            pulse=pulse,
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

    def _checkpoint(self) -> None:
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

        A file that ended early, has a hole, or came after a newer one says nothing about what is
        missing.
        """
        parts, origin = self._parts, self._plan.origin
        if (
            problem
            or self._reader.holes
            or origin.exports != "full"
            or self._decisions.standing.newer
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
