"""The messages of an errand, all written down in the bucket before the first of them is sent.

A command can be stopped at any moment. Until everything is written down nothing was sent, and the
caretaker gives the errand up after a while; from then on whoever comes by sends what is written,
also twice: the books know a message by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final, Protocol

import msgspec

from pim_connector.bucket import Bucket
from pim_connector.errors import ConfigurationError
from pim_connector.lanes import message_group
from pim_connector.messages import HeavyPointer, deduplication_id, encode, heavy_key
from pim_connector.queues import FifoQueue, Outgoing
from pim_connector.runs.announcements import Announcements
from pim_connector.runs.registry import Registry
from pim_connector.runs.run import Run
from pim_connector.states import State

PLAN: Final = "consignment"
GIVEN_UP: Final = (
    "the command was stopped before everything was written down; nothing was sent, say it again"
)


class Ticket(msgspec.Struct, frozen=True, array_like=True):
    """A message whose body lies in the bucket, and its lane."""

    message: str
    lane: int


class Consignment(msgspec.Struct, frozen=True, kw_only=True):
    """All that an errand sends, and the `counts` of its records that no message carries."""

    tickets: list[Ticket]
    records: int
    counts: dict[State, int]


class Sender(Protocol):
    """What sending needs; the caretaker and whoever prepared the errand both have it."""

    @property
    def bucket(self) -> Bucket: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def queue(self) -> FifoQueue: ...
    @property
    def announcements(self) -> Announcements: ...
    @property
    def clock(self) -> Callable[[], datetime]: ...


def store(bucket: Bucket, run: str, message: str, lane: int, body: bytes) -> Ticket:
    """Keep the body of a message until it is sent, and give what to send it by."""
    bucket.put(heavy_key(run, message), body)
    return Ticket(message, lane)


def write_down(
    errand: Run,
    tickets: Iterable[Ticket],
    parts: Sender,
    *,
    records: int,
    counts: dict[State, int],
) -> Run:
    """Enter that the errand is whole and may be sent.

    ConfigurationError where it was given up meanwhile: this command stood still for too long.
    """
    plan = Consignment(tickets=list(tickets), records=records, counts=counts)
    parts.bucket.put(heavy_key(errand.id, PLAN), msgspec.json.encode(plan))
    parts.registry.prepared(errand)
    now = parts.registry.get(errand.id)
    if now is None or now.problem is not None:
        raise ConfigurationError(f"run {errand.id} was given up: {GIVEN_UP}")
    return now


def send_written(errand: Run, parts: Sender) -> Run:
    """Send what is written down, and enter that it is on its way; an empty errand is closed."""
    body = parts.bucket.get(heavy_key(errand.id, PLAN))
    plan = msgspec.json.decode(body, type=Consignment)
    parts.queue.send(_outgoing(errand.id, ticket) for ticket in plan.tickets)
    parts.registry.sent(
        errand,
        sent=len(plan.tickets),
        records=plan.records,
        counts=plan.counts,
        now=f"{parts.clock():%Y-%m-%dT%H:%M:%SZ}",
    )
    ended = parts.registry.get(errand.id)
    if ended and ended.settled:
        parts.announcements.run_settled(errand.id)
    return ended or errand


def _outgoing(run: str, ticket: Ticket) -> Outgoing:
    return Outgoing(
        group=message_group(ticket.lane),
        deduplication=deduplication_id(run, ticket.message),
        body=encode(HeavyPointer(run=run, heavy=heavy_key(run, ticket.message))),
    )
