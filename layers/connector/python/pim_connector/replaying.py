"""Sends records of an earlier run again, with today's mapping, as a new run.

The new run has the old one's order and its records their numbers, so nothing that is newer is
overwritten: neither what the ledger has of a later file or record, nor what a later file held.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.consignment import send_written, write_down
from pim_connector.dispatch import Dispatcher, message_record
from pim_connector.erp.record import SourceRecord, fingerprint
from pim_connector.errands import ErrandParts, begin, errand_name
from pim_connector.errors import ConfigurationError
from pim_connector.kept import keep, rejected
from pim_connector.lanes import lane_of
from pim_connector.ledger import Ledger, ledger_key
from pim_connector.manifests import identity_hash, manifests_of
from pim_connector.mapping.result import Identity, Rejected
from pim_connector.messages import Force, encode_record
from pim_connector.packing import Packer, Parcel
from pim_connector.past_records import PastRecords, Selection
from pim_connector.runs.deliveries import Deliveries
from pim_connector.runs.run import Run
from pim_connector.splitting import make_plan
from pim_connector.windows import Sighting, Standing, decide

if TYPE_CHECKING:
    from pim_connector.split_parts import Plan
    from pim_connector.states import State

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
