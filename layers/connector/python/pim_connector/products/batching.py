"""Packs records into as few messages as order and weight allow.

A message is one call to the PIM, so a short message costs as much as a full one. Per lane there
is one buffer for product models and one for products. A full buffer goes; but products wait while
models of their lane wait, because a model must be in the PIM before its variants. Where waiting
products grow too heavy to be kept in memory their messages are written to S3 and only their
numbers wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.queue import FifoQueue, Outgoing
from pim_connector.mapping.results import Identity
from pim_connector.products.decisions import Sighting
from pim_connector.sync.jobs import Ticket, store
from pim_connector.sync.messages import (
    MAX_BYTES,
    MAX_RECORDS,
    Envelope,
    Force,
    HeavyPointer,
    MappingPin,
    MessageRecord,
    deduplication_id,
    encode,
    encode_joined,
    heavy_key,
    message_group,
)
from pim_connector.sync.runs import Run

BUDGET_BYTES: Final = 8 * 1_048_576
"""What all buffers together may weigh."""
MODEL: Final = "product_model"
PRODUCT: Final = "product"


class Parcel(Struct, frozen=True, kw_only=True):
    """One message. `send` it now, `store` its body in S3 for later, or `point` to what is stored.

    `number` is 1 for a run's first message; the parcels of one run always get the same numbers.
    """

    number: int
    way: Literal["send", "store", "point"]
    lane: int
    resource: str
    head: dict[str, str]
    records: tuple[bytes, ...] = ()


class Bay(msgspec.Struct, kw_only=True):
    """What waits in one lane. `stored` are numbers of product messages whose bodies are in S3."""

    head: dict[str, str] = {}
    models: list[bytes] = []
    products: list[bytes] = []
    stored: list[int] = []
    weight: int = 0


class Packer:
    """The buffers of one run.

    `bays` and `number` are its whole state: a packer made from those of another one goes on where
    that one was.
    """

    def __init__(
        self,
        lanes: int,
        *,
        bays: list[Bay] | None = None,
        number: int = 0,
        budget: int = BUDGET_BYTES,
    ) -> None:
        self.bays = bays if bays is not None else [Bay() for _ in range(lanes)]
        self.number = number
        self._budget = budget
        self._weight = sum(bay.weight for bay in self.bays)

    def add(
        self, lane: int, resource: str, head: dict[str, str], record: bytes
    ) -> Iterable[Parcel]:
        """Take one encoded record, and give the parcels that are due with it, in their order.

        What is given has to be gone through before the next record is added.
        """
        bay, weight = self.bays[lane], len(record)
        buffer = bay.models if resource == MODEL else bay.products
        within = self._weight + weight <= self._budget
        if head == bay.head and within and len(buffer) + 1 < MAX_RECORDS and not bay.stored:
            buffer.append(record)
            bay.weight += weight
            self._weight += weight
            return ()
        return self._added(lane, resource, head, record)

    def _added(
        self, lane: int, resource: str, head: dict[str, str], record: bytes
    ) -> Iterator[Parcel]:
        bay = self.bays[lane]
        if head != bay.head:
            yield from self._empty(lane)
            bay.head = head
        (bay.models if resource == MODEL else bay.products).append(record)
        bay.weight += len(record)
        self._weight += len(record)
        yield from self._full(lane)
        while self._weight > self._budget:
            yield from self._relieve()

    def flush(self) -> Iterator[Parcel]:
        """Give everything that is left, at the end of the file."""
        for lane in range(len(self.bays)):
            yield from self._empty(lane)

    def _full(self, lane: int) -> Iterator[Parcel]:
        bay = self.bays[lane]
        if len(bay.models) >= MAX_RECORDS:
            yield self._take(lane, MODEL, "send")
        if not bay.models:
            yield from self._pointers(lane)
            while len(bay.products) >= MAX_RECORDS:
                yield self._take(lane, PRODUCT, "send")

    def _relieve(self) -> Iterator[Parcel]:
        lanes = range(len(self.bays))
        storable = [lane for lane in lanes if len(self.bays[lane].products) >= MAX_RECORDS]
        heaviest = max(storable or lanes, key=lambda lane: self.bays[lane].weight)
        if not storable:
            yield from self._empty(heaviest)
            return
        parcel = self._take(heaviest, PRODUCT, "store")
        self.bays[heaviest].stored.append(parcel.number)
        yield parcel

    def _empty(self, lane: int) -> Iterator[Parcel]:
        bay = self.bays[lane]
        while bay.models:
            yield self._take(lane, MODEL, "send")
        yield from self._pointers(lane)
        while bay.products:
            yield self._take(lane, PRODUCT, "send")

    def _pointers(self, lane: int) -> Iterator[Parcel]:
        bay = self.bays[lane]
        for number in bay.stored:
            yield Parcel(number=number, way="point", lane=lane, resource=PRODUCT, head=bay.head)
        bay.stored.clear()

    def _take(self, lane: int, resource: str, way: Literal["send", "store"]) -> Parcel:
        bay = self.bays[lane]
        buffer = bay.models if resource == MODEL else bay.products
        records = tuple(buffer[:MAX_RECORDS])
        del buffer[:MAX_RECORDS]
        weight = sum(map(len, records))
        bay.weight -= weight
        self._weight -= weight
        self.number += 1
        return Parcel(
            number=self.number,
            way=way,
            lane=lane,
            resource=resource,
            head=bay.head,
            records=records,
        )


# Puts a run's parcels on the product queue, the heavy ones by way of the bucket.


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
