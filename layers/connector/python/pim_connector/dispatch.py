"""Puts a run's parcels on the product queue, the heavy ones by way of the bucket."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from pim_connector.bucket import Bucket
from pim_connector.consignment import Ticket, store
from pim_connector.lanes import message_group
from pim_connector.mapping.result import Identity
from pim_connector.messages import (
    MAX_BYTES,
    Envelope,
    Force,
    HeavyPointer,
    MappingPin,
    MessageRecord,
    deduplication_id,
    encode,
    encode_joined,
    heavy_key,
)
from pim_connector.packing import Parcel
from pim_connector.queues import FifoQueue, Outgoing
from pim_connector.runs.run import Run
from pim_connector.windows import Sighting


class Dispatcher:
    """Sends for one run. The same parcel becomes the same message, however often it is sent."""

    def __init__(
        self,
        run: Run,
        pin: MappingPin,
        bucket: Bucket,
        queue: FifoQueue,
        force: Force | None = None,
    ) -> None:
        self._families = force.families if force else ()
        self._run = run
        self._pin = pin
        self._bucket = bucket
        self._queue = queue

    def send(self, parcels: Iterator[Parcel]) -> None:
        """Send, store or point, in the order given; few at a time, so that bodies need no room."""
        while batch := list(islice(parcels, 8)):
            outgoing = [self._outgoing(parcel) for parcel in batch]
            self._queue.send(message for message in outgoing if message)

    def stow(self, parcels: Iterable[Parcel]) -> Iterator[Ticket]:
        """Keep the bodies in the bucket instead of sending them; give what to send them by."""
        for parcel in parcels:
            ticket = Ticket(f"{parcel.number:06d}", parcel.lane)
            if parcel.way != "point":
                body = encode_joined(self._envelope(parcel, ticket.message), parcel.records)
                store(self._bucket, self._run.id, ticket.message, ticket.lane, body)
            if parcel.way != "store":
                yield ticket

    def _outgoing(self, parcel: Parcel) -> Outgoing | None:
        run, name = self._run, f"{parcel.number:06d}"
        key = heavy_key(run.id, name)
        pointer = encode(HeavyPointer(run=run.id, heavy=key))
        body = pointer
        if parcel.way != "point":
            body = encode_joined(self._envelope(parcel, name), parcel.records)
        if parcel.way == "store" or len(body) > MAX_BYTES:
            self._bucket.put(key, body)
            body = pointer
        if parcel.way == "store":
            return None
        group, deduplication = message_group(parcel.lane), deduplication_id(run.id, name)
        return Outgoing(group=group, deduplication=deduplication, body=body)

    def _envelope(self, parcel: Parcel, name: str) -> Envelope:
        return Envelope(
            run=self._run.id,
            source=self._run.source,
            id=name,
            lane=parcel.lane,
            order=self._run.order,
            mapping=self._pin,
            resource=parcel.resource,
            head=parcel.head,
            forced_families=self._families,
        )


def message_record(
    sighting: Sighting, identity: Identity, force: Force | None = None
) -> MessageRecord:
    """Make of a record what travels."""
    record = sighting.record
    return MessageRecord(
        number=record.number,
        line=record.line,
        rule=record.rule,
        identifier=identity.identifier,
        family_key=identity.family_key,
        parent=identity.parent,
        fingerprint=sighting.fingerprint,
        xml=record.xml,
        tables=record.tables,
        forced=force is not None and force.holds(identity.identifier),
    )
