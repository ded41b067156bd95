"""The records of an earlier run, found again: those kept raw, or those of its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.bucket import Bucket
from pim_connector.erp.reading import read_records
from pim_connector.erp.record import SourceRecord, UnreadableFileError, fingerprint
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.results import Identity, Rejected
from pim_connector.products.batching import Dispatcher, Packer, Parcel, message_record
from pim_connector.products.decisions import Sighting, Standing, decide, keep, kept, rejected
from pim_connector.products.splitting import make_plan
from pim_connector.sync.chunks import identity_hash, manifests_of
from pim_connector.sync.jobs import ErrandParts, begin, errand_name, send_written, write_down
from pim_connector.sync.message_results import Deliveries
from pim_connector.sync.messages import Force, ProductMessage, decode, encode_record, lane_of
from pim_connector.sync.runs import Run
from pim_connector.sync.state import Ledger, ledger_key

if TYPE_CHECKING:
    from pim_connector.outcomes import State
    from pim_connector.products.decisions import Plan


class Selection(Struct, frozen=True, kw_only=True):
    """Which records of a run: the rejected, those that are named, or else all of its file."""

    rejected: bool = False
    numbers: frozenset[int] = frozenset()
    identifiers: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        return not (self.rejected or self.numbers or self.identifiers)

    def takes(self, number: int, identifier: str | None) -> bool:
        """Say whether a rejected record is meant."""
        named = bool(self.numbers or self.identifiers)
        return number in self.numbers or identifier in self.identifiers or not named


class PastRecords(Struct, frozen=True, kw_only=True):
    """The selected records of `run`, in the order of the file; `plan` is today's mapping."""

    run: Run
    selection: Selection
    bucket: Bucket
    deliveries: Deliveries
    plan: Plan

    def chosen(self) -> Iterator[SourceRecord]:
        """Give them; ConfigurationError if the file is needed and not there any more.

        A record's number counts by the rules of the mapping that the run was pinned to.
        """
        if self.selection.everything:
            yield from self._from_file(self.plan)
            return
        raw = self._raw()
        yield from (raw[number] for number in sorted(raw))
        wanted = self.selection.numbers - raw.keys()
        if not self.selection.rejected and (self.selection.identifiers or wanted):
            pinned = make_plan(self.run, self.bucket)
            for record in self._from_file(pinned):
                if record.number not in raw and self._is_named(record):
                    yield record

    def _raw(self) -> dict[int, SourceRecord]:
        """Give the rejected records that were kept; the splitter's and the mapper's."""
        bucket, found = self.bucket, dict[int, SourceRecord]()
        for one in kept(bucket, self.run.id):
            if self.selection.takes(one.outcome.number, one.outcome.identifier):
                found[one.outcome.number] = one.record
        refused = {
            booked.number
            for booked in self.deliveries.outcomes(self.run.id)
            if booked.state == "rejected" and self.selection.takes(booked.number, booked.identifier)
        }
        for key in bucket.keys(f"records/{self.run.id}/") if refused else ():
            if key.endswith(".json"):
                message = decode(bucket.get(key))
                assert isinstance(message, ProductMessage)  # noqa: S101 - only those are kept
                found |= dict(_of_message(message, refused))
        return found

    def _is_named(self, record: SourceRecord) -> bool:
        if record.number in self.selection.numbers:
            return True
        identity = self.plan.program.identify(record)
        return isinstance(identity, Identity) and identity.identifier in self.selection.identifiers

    def _from_file(self, plan: Plan) -> Iterator[SourceRecord]:
        """Read the very version again that the run was about, which stays where it was uploaded.

        Below `done/` a later file of the same name may have taken its place.
        """
        bucket = self.bucket
        file = bucket.describe(self.run.key, self.run.version)
        if file is None:
            raise ConfigurationError(
                f"the file of run {self.run.id} is not in the bucket any more ({self.run.key},"
                f" version {self.run.version}); only its rejected records can be replayed"
            )
        try:
            yield from read_records(partial(bucket.open, file), plan.program, others=plan.others)
        except UnreadableFileError:
            return


def raw_xml(bucket: Bucket, run: str, numbers: Collection[int]) -> dict[int, str]:
    """Give the XML of rejected records, by number, as far as it was kept."""
    wanted = set(numbers)
    found = {
        one.outcome.number: one.record.xml
        for one in (kept(bucket, run) if wanted else ())
        if one.outcome.number in wanted
    }
    for key in bucket.keys(f"records/{run}/") if wanted - found.keys() else ():
        message = decode(bucket.get(key)) if key.endswith(".json") else None
        if isinstance(message, ProductMessage):
            found |= {n: record.xml for n, record in _of_message(message, wanted)}
    return found


def _of_message(message: ProductMessage, numbers: set[int]) -> Iterator[tuple[int, SourceRecord]]:
    for record in message.records:
        if record.number in numbers:
            yield (
                record.number,
                SourceRecord(
                    number=record.number,
                    line=record.line,
                    rule=record.rule,
                    xml=record.xml,
                    head=message.head,
                    tables=record.tables,
                ),
            )


# Sends records of an earlier run again, with today's mapping, as a new run.
#
# The new run has the old one's order and its records their numbers, so nothing that is newer is
# overwritten: neither what the ledger has of a later file or record, nor what a later file held.


CHUNK: Final = 1_000
_STATES: Final[dict[str, State]] = {"f": "filtered", "r": "rejected", "s": "superseded"}


class ReplayParts(Struct, frozen=True, kw_only=True):
    """What a replay works with beside what every errand needs."""

    errands: ErrandParts
    deliveries: Deliveries
    ledger: Ledger


def replay(
    run: Run, selection: Selection, parts: ReplayParts, *, force: Force | None = None
) -> Run:
    """Send the selected records of `run` again, and give the new run.

    ConfigurationError if there are none, or the source's mapping of today cannot be used.
    """
    if run.kind not in ("file", "replay"):
        raise ConfigurationError(f"run {run.id} is a {run.kind}: it has no records to be replayed")
    if run.kind == "replay" and selection.everything:
        raise ConfigurationError(
            f"run {run.id} is a replay of {run.of}: replay that one, or only what was rejected here"
        )
    bucket = parts.errands.bucket
    today = make_plan(replace(run, mapping=None), bucket)
    past = PastRecords(
        run=run, selection=selection, bucket=bucket, deliveries=parts.deliveries, plan=today
    )
    if next(past.chosen(), None) is None:
        raise ConfigurationError(
            f"run {run.id} has no such record; `pim-connector rejects {run.id}` lists the rejected"
        )
    name = errand_name(run, "replay", parts.errands.clock())
    errand = begin(run, "replay", name, parts.errands, pin=today.pin)
    return Sending(errand=errand, plan=today, parts=parts, force=force).send(past.chosen())


class Sending:
    """One replay under way: decides, packs, and counts what goes no further."""

    def __init__(self, *, errand: Run, plan: Plan, parts: ReplayParts, force: Force | None) -> None:
        self.errand, self.plan, self.parts, self.force = errand, plan, parts, force
        self._packer = Packer(parts.errands.lanes)
        self._standing = Standing(
            order=errand.order,
            digest=plan.pin.digest,
            shortcut=False,
            newer=manifests_of(parts.errands.registry.newer_split(errand), parts.errands.bucket),
            force=force,
        )
        self._chunks = 0
        self._dispositions: Counter[str] = Counter()

    def send(self, records: Iterator[SourceRecord]) -> Run:
        """Write all down, put it on the queue, and enter how many there are."""
        errands = self.parts.errands
        dispatcher = Dispatcher(
            self.errand, self.plan.pin, errands.bucket, errands.queue, self.force
        )
        tickets = list(dispatcher.stow(self._parcels(records)))
        counts = {state: self._dispositions[letter] for letter, state in _STATES.items()}
        written = write_down(
            self.errand, tickets, errands, records=self._dispositions.total(), counts=counts
        )
        return send_written(written, errands) if written.phase == "sending" else written

    def _parcels(self, records: Iterator[SourceRecord]) -> Iterator[Parcel]:
        while chunk := list(islice(records, CHUNK)):
            for sighting, identity in self._queued([self._sight(record) for record in chunk]):
                lane = lane_of(identity.family_key, self.parts.errands.lanes)
                encoded = encode_record(message_record(sighting, identity, self.force))
                head = sighting.record.head
                yield from self._packer.add(lane, identity.resource, head, encoded)
        yield from self._packer.flush()

    def _sight(self, record: SourceRecord) -> Sighting:
        found = self.plan.program.identify(record)
        if not isinstance(found, Identity):
            return Sighting(record=record, found=found)
        hash_ = identity_hash(found.resource, found.identifier)
        return Sighting(record=record, found=found, hash=hash_, fingerprint=fingerprint(record))

    def _queued(self, sightings: list[Sighting]) -> Iterator[tuple[Sighting, Identity]]:
        keys = [self._key(sighting) for sighting in sightings]
        entries = self.parts.ledger.versions(key for key in keys if key)
        refused = []
        for sighting, key in zip(sightings, keys, strict=True):
            disposition = decide(sighting, entries.get(key), self._standing)
            if disposition == "q" and isinstance(sighting.found, Identity):
                yield sighting, sighting.found
            elif isinstance(sighting.found, Rejected):
                refused.append(rejected(sighting.record, sighting.found.errors))
            self._dispositions[disposition] += 1
        self._chunks += 1
        keep(self.parts.errands.bucket, self.errand.id, self._chunks, refused)

    def _key(self, sighting: Sighting) -> str:
        if not isinstance(sighting.found, Identity):
            return ""
        return ledger_key(self.errand.source, sighting.found.resource, sighting.found.identifier)
