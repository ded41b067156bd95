"""Packs records into as few messages as order and weight allow.

A message is one call to the PIM, so a short message costs as much as a full one. Per message group
there is one buffer for product models and one for products. A full buffer goes; but products wait
while models of their message group wait, because a model must be in the PIM before its variants.
Where waiting products grow too heavy to be kept in memory their messages are written to S3 and only
their numbers wait.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.queue import MAX_BYTES, FifoQueue, Outgoing
from pim_connector.mapping.results import Identity
from pim_connector.products.decisions import Candidate
from pim_connector.sync.jobs import OutboxEntry, store
from pim_connector.sync.messages import (
    MAX_RECORDS,
    ClaimCheck,
    Envelope,
    Force,
    MappingPin,
    MessageRecord,
    claim_check_key,
    deduplication_id,
    encode,
    encode_joined,
    group_id,
)
from pim_connector.sync.runs import Run

BUDGET_BYTES: Final = 8 * 1_048_576
"""What all buffers together may weigh."""
MODEL: Final = "product_model"
PRODUCT: Final = "product"


class Batch(Struct, frozen=True, kw_only=True):
    """One message. `send` it now, `store` its body in S3 for later, or `point` to what is stored.

    `number` is 1 for a run's first message; the batches of one run always get the same numbers.
    """

    number: int
    way: Literal["send", "store", "point"]
    group: int
    resource: str
    head: dict[str, str]
    records: tuple[bytes, ...] = ()


class OpenBatch(msgspec.Struct, kw_only=True):
    """What waits in one message group. `stored` are numbers of product messages whose bodies are in
    S3.
    """

    head: dict[str, str] = {}
    models: list[bytes] = []
    products: list[bytes] = []
    stored: list[int] = []
    weight: int = 0


class Batcher:
    """The buffers of one run.

    `open_batches` and `number` are its whole state: a packer made from those of another one goes on
    where that one was.
    """

    def __init__(
        self,
        groups: int,
        *,
        open_batches: list[OpenBatch] | None = None,
        number: int = 0,
        budget: int = BUDGET_BYTES,
    ) -> None:
        self.open_batches = (
            open_batches if open_batches is not None else [OpenBatch() for _ in range(groups)]
        )
        self.number = number
        self._budget = budget
        self._weight = sum(open_batch.weight for open_batch in self.open_batches)

    def add(
        self, group: int, resource: str, head: dict[str, str], record: bytes
    ) -> Iterable[Batch]:
        """Take one encoded record, and give the batches that are due with it, in their order.

        What is given has to be gone through before the next record is added.
        """
        open_batch, weight = self.open_batches[group], len(record)
        buffer = open_batch.models if resource == MODEL else open_batch.products
        within = self._weight + weight <= self._budget
        if (
            head == open_batch.head
            and within
            and len(buffer) + 1 < MAX_RECORDS
            and not open_batch.stored
        ):
            buffer.append(record)
            open_batch.weight += weight
            self._weight += weight
            return ()
        return self._added(group, resource, head, record)

    def _added(
        self, group: int, resource: str, head: dict[str, str], record: bytes
    ) -> Iterator[Batch]:
        open_batch = self.open_batches[group]
        if head != open_batch.head:
            yield from self._empty(group)
            open_batch.head = head
        (open_batch.models if resource == MODEL else open_batch.products).append(record)
        open_batch.weight += len(record)
        self._weight += len(record)
        yield from self._full(group)
        while self._weight > self._budget:
            yield from self._relieve()

    def flush(self) -> Iterator[Batch]:
        """Give everything that is left, at the end of the file."""
        for group in range(len(self.open_batches)):
            yield from self._empty(group)

    def _full(self, group: int) -> Iterator[Batch]:
        open_batch = self.open_batches[group]
        if len(open_batch.models) >= MAX_RECORDS:
            yield self._take(group, MODEL, "send")
        if not open_batch.models:
            yield from self._pointers(group)
            while len(open_batch.products) >= MAX_RECORDS:
                yield self._take(group, PRODUCT, "send")

    def _relieve(self) -> Iterator[Batch]:
        groups = range(len(self.open_batches))
        storable = [
            group for group in groups if len(self.open_batches[group].products) >= MAX_RECORDS
        ]
        heaviest = max(storable or groups, key=lambda group: self.open_batches[group].weight)
        if not storable:
            yield from self._empty(heaviest)
            return
        batch = self._take(heaviest, PRODUCT, "store")
        self.open_batches[heaviest].stored.append(batch.number)
        yield batch

    def _empty(self, group: int) -> Iterator[Batch]:
        open_batch = self.open_batches[group]
        while open_batch.models:
            yield self._take(group, MODEL, "send")
        yield from self._pointers(group)
        while open_batch.products:
            yield self._take(group, PRODUCT, "send")

    def _pointers(self, group: int) -> Iterator[Batch]:
        open_batch = self.open_batches[group]
        for number in open_batch.stored:
            yield Batch(
                number=number, way="point", group=group, resource=PRODUCT, head=open_batch.head
            )
        open_batch.stored.clear()

    def _take(self, group: int, resource: str, way: Literal["send", "store"]) -> Batch:
        open_batch = self.open_batches[group]
        buffer = open_batch.models if resource == MODEL else open_batch.products
        records = tuple(buffer[:MAX_RECORDS])
        del buffer[:MAX_RECORDS]
        weight = sum(map(len, records))
        open_batch.weight -= weight
        self._weight -= weight
        self.number += 1
        return Batch(
            number=self.number,
            way=way,
            group=group,
            resource=resource,
            head=open_batch.head,
            records=records,
        )


# Puts a run's batches on the product queue, the heavy ones by way of the bucket.


class Publisher:
    """Sends for one run. The same batch becomes the same message, however often it is sent."""

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

    def send(self, batches: Iterator[Batch]) -> None:
        """Send, store or point, in the order given; few at a time, so that bodies need no room."""
        while batch := list(islice(batches, 8)):
            outgoing = [self._outgoing(batch) for batch in batch]
            self._queue.send(message for message in outgoing if message)

    def stage(self, batches: Iterable[Batch]) -> Iterator[OutboxEntry]:
        """Keep the bodies in the bucket instead of sending them; give what to send them by."""
        for batch in batches:
            entry = OutboxEntry(f"{batch.number:06d}", batch.group)
            if batch.way != "point":
                body = encode_joined(self._envelope(batch, entry.message), batch.records)
                store(self._bucket, self._run.id, entry.message, entry.group, body)
            if batch.way != "store":
                yield entry

    def _outgoing(self, batch: Batch) -> Outgoing | None:
        run, name = self._run, f"{batch.number:06d}"
        key = claim_check_key(run.id, name)
        pointer = encode(ClaimCheck(run=run.id, heavy=key))
        body = pointer
        if batch.way != "point":
            body = encode_joined(self._envelope(batch, name), batch.records)
        if batch.way == "store" or len(body) > MAX_BYTES:
            self._bucket.put(key, body)
            body = pointer
        if batch.way == "store":
            return None
        group, deduplication = group_id(batch.group), deduplication_id(run.id, name)
        return Outgoing(group=group, deduplication=deduplication, body=body)

    def _envelope(self, batch: Batch, name: str) -> Envelope:
        return Envelope(
            run=self._run.id,
            source=self._run.source,
            id=name,
            group=batch.group,
            order=self._run.order,
            mapping=self._pin,
            resource=batch.resource,
            head=batch.head,
            forced_families=self._families,
        )


def message_record(
    candidate: Candidate, identity: Identity, force: Force | None = None
) -> MessageRecord:
    """Make of a record what travels."""
    record = candidate.record
    return MessageRecord(
        number=record.number,
        line=record.line,
        rule=record.rule,
        identifier=identity.identifier,
        family_key=identity.family_key,
        parent=identity.parent,
        fingerprint=candidate.fingerprint,
        xml=record.xml,
        tables=record.tables,
        forced=force is not None and force.holds(identity.identifier),
    )
