"""The messages of an errand, all written down in the bucket before the first of them is sent.

A command can be stopped at any moment. Until everything is written down nothing was sent, and the
caretaker gives the errand up after a while; from then on whoever comes by sends what is written,
also twice: the books know a message by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import FifoQueue, Outgoing
from pim_connector.errors import ConfigurationError
from pim_connector.outcomes import STATES, State
from pim_connector.sync.messages import (
    MAX_RECORDS,
    Amendment,
    AmendmentMessage,
    HeavyPointer,
    MappingPin,
    deduplication_id,
    encode,
    heavy_key,
    lane_of,
    message_group,
)
from pim_connector.sync.runs import Kind, Registry, Run

if TYPE_CHECKING:
    from typing import Literal

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


# Runs without a file of their own: a withdrawal, a replay, a rewind.
#
# An errand concerns the run `of`. It is a run like any other: accounted, reported, closed by the
# caretaker. It has the order of the run it concerns, so what is newer stays as it is; and while it
# is open, no file of its source takes the short cut past the queue. It is written down as a whole
# before anything of it is sent (see `consignment`), so a command may be stopped at any moment.


class ErrandParts(Struct, frozen=True, kw_only=True):
    """What errands work with. `clock` gives the time in UTC."""

    bucket: Bucket
    registry: Registry
    queue: FifoQueue
    announcements: Announcements
    lanes: int
    clock: Callable[[], datetime]

    def now(self) -> str:
        return f"{self.clock():%Y-%m-%dT%H:%M:%SZ}"


class AmendedProduct(Struct, frozen=True, kw_only=True):
    """An amendment and what decides where it travels."""

    resource: str
    family_key: str
    amendment: Amendment


def begin(
    of: Run,
    kind: Kind,
    name: str,
    parts: ErrandParts,
    *,
    pin: MappingPin | None = None,
    disturbs: bool = True,
) -> Run:
    """Enter an errand as an open run; one of the same name is given as it is by now.

    It `disturbs` unless it concerns no product that the file in hand holds.
    """
    errand = Run(
        id=name,
        source=of.source,
        bucket=of.bucket,
        key=of.key,
        version=of.version,
        size=0,
        order=of.order,
        turn=of.order,
        phase="preparing",
        mapping=pin or of.mapping,
        counts=dict.fromkeys(STATES, 0),
        registered_at=parts.now(),
        started_at=parts.now(),
        file=of.file,
        kind=kind,
        of=of.id,
    )
    parts.registry.register(errand, disturbs=disturbs)
    return parts.registry.get(name) or errand


def errand_name(of: Run, kind: Kind, now: datetime) -> str:
    """Name an errand that may be run more than once for a run; ids sort by time."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{of.source}-{kind}"


def refuse_while_busy(of: Run, registry: Registry, *, but: str = "") -> None:
    """Raise ConfigurationError while another run of the source is open.

    A file that is being split may call a product unchanged that the errand is about to change.
    """
    for name in registry.open_runs():
        if name.source == of.source and name.run not in (of.id, but):
            raise ConfigurationError(
                f"run {name.run} of source {of.source} is not finished; wait for it "
                "(`pim-connector runs`) and say this again"
            )


def send_amendments(
    errand: Run,
    purpose: Literal["withdraw", "rewind"],
    products: Iterable[AmendedProduct],
    parts: ErrandParts,
    *,
    superseded: int = 0,
) -> Run:
    """Put the amendments on the product queue, models apart from products, and count them.

    `superseded` are those that newer files have already decided about. An errand that was written
    down before is sent as it was then; one that is on its way is left alone.
    """
    if errand.phase == "preparing":
        errand = _written(errand, purpose, products, parts, superseded)
    return send_written(errand, parts) if errand.phase == "sending" else errand


def _written(
    errand: Run,
    purpose: Literal["withdraw", "rewind"],
    products: Iterable[AmendedProduct],
    parts: ErrandParts,
    superseded: int,
) -> Run:
    bays: dict[tuple[str, int], list[Amendment]] = {}
    records = superseded
    for product in products:
        lane = lane_of(product.family_key, parts.lanes)
        bays.setdefault((product.resource, lane), []).append(product.amendment)
        records += 1
    tickets = [
        store(parts.bucket, errand.id, message.id, message.lane, encode(message))
        for message in _messages(errand, purpose, bays)
    ]
    counts: dict[State, int] = {"superseded": superseded}
    return write_down(errand, tickets, parts, records=records, counts=counts)


def _messages(
    errand: Run,
    purpose: Literal["withdraw", "rewind"],
    bays: dict[tuple[str, int], list[Amendment]],
) -> Iterator[AmendmentMessage]:
    assert errand.mapping is not None and errand.of is not None  # noqa: S101, PT018 - by `begin`
    number = 0
    for (resource, lane), amendments in sorted(bays.items(), reverse=True):
        for few in _batches(amendments):
            number += 1
            yield AmendmentMessage(
                run=errand.id,
                source=errand.source,
                id=f"{number:06d}",
                lane=lane,
                order=errand.order,
                mapping=errand.mapping,
                resource=resource,
                purpose=purpose,
                of=errand.of,
                records=few,
            )


def _batches(amendments: list[Amendment]) -> Iterator[tuple[Amendment, ...]]:
    yield from (
        tuple(amendments[start : start + MAX_RECORDS])
        for start in range(0, len(amendments), MAX_RECORDS)
    )
