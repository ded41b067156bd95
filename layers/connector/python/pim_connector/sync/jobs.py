"""The messages of a job, all written down in the bucket before the first of them is sent.

A command can be stopped at any moment. Until everything is written down nothing was sent, and the
housekeeping gives the job up after a while; from then on whoever comes by sends what is written,
also twice: the run table know a message by its id.
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
    ClaimCheck,
    MappingPin,
    ValueUpdate,
    ValueUpdateMessage,
    claim_check_key,
    deduplication_id,
    encode,
    group_id,
    group_of,
)
from pim_connector.sync.runs import Kind, Registry, Run

if TYPE_CHECKING:
    from typing import Literal

PLAN: Final = "outbox"
GIVEN_UP: Final = (
    "the command was stopped before everything was written down; nothing was sent, say it again"
)


class OutboxEntry(msgspec.Struct, frozen=True, array_like=True):
    """A message whose body lies in the bucket, and its message group."""

    message: str
    group: int


class _Outbox(msgspec.Struct, frozen=True, kw_only=True):
    """All that a job sends, and the `counts` of its records that no message carries."""

    entries: list[OutboxEntry]
    records: int
    counts: dict[State, int]


class Sender(Protocol):
    """What sending needs; the housekeeping and whoever prepared the job both have it."""

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


def store(bucket: Bucket, run: str, message: str, group: int, body: bytes) -> OutboxEntry:
    """Keep the body of a message until it is sent, and give what to send it by."""
    bucket.put(claim_check_key(run, message), body)
    return OutboxEntry(message, group)


def stage(
    job: Run,
    entries: Iterable[OutboxEntry],
    parts: Sender,
    *,
    records: int,
    counts: dict[State, int],
) -> Run:
    """Enter that the job is whole and may be sent.

    ConfigurationError where it was given up meanwhile: this command stood still for too long.
    """
    plan = _Outbox(entries=list(entries), records=records, counts=counts)
    parts.bucket.put(claim_check_key(job.id, PLAN), msgspec.json.encode(plan))
    parts.registry.prepared(job)
    now = parts.registry.get(job.id)
    if now is None or now.problem is not None:
        raise ConfigurationError(f"run {job.id} was given up: {GIVEN_UP}")
    return now


def publish_staged(job: Run, parts: Sender) -> Run:
    """Send what is written down, and enter that it is on its way; an empty job is closed."""
    body = parts.bucket.get(claim_check_key(job.id, PLAN))
    plan = msgspec.json.decode(body, type=_Outbox)
    parts.queue.send(_outgoing(job.id, entry) for entry in plan.entries)
    parts.registry.sent(
        job,
        sent=len(plan.entries),
        records=plan.records,
        counts=plan.counts,
        now=f"{parts.clock():%Y-%m-%dT%H:%M:%SZ}",
    )
    ended = parts.registry.get(job.id)
    if ended and ended.settled:
        parts.announcements.run_settled(job.id)
    return ended or job


def _outgoing(run: str, entry: OutboxEntry) -> Outgoing:
    return Outgoing(
        group=group_id(entry.group),
        deduplication=deduplication_id(run, entry.message),
        body=encode(ClaimCheck(run=run, heavy=claim_check_key(run, entry.message))),
    )


# Runs without a file of their own: a withdrawal, a replay, a revert.
#
# A job concerns the run `of`. It is a run like any other: accounted, reported, closed by the
# housekeeping. It has the order of the run it concerns, so what is newer stays as it is; and while
# it is open, no file of its source takes the short cut past the queue. It is written down as a
# whole before anything of it is sent (see `outbox`), so a command may be stopped at any moment.


class JobParts(Struct, frozen=True, kw_only=True):
    """What jobs work with. `clock` gives the time in UTC."""

    bucket: Bucket
    registry: Registry
    queue: FifoQueue
    announcements: Announcements
    groups: int
    clock: Callable[[], datetime]

    def now(self) -> str:
        return f"{self.clock():%Y-%m-%dT%H:%M:%SZ}"


class ProductUpdate(Struct, frozen=True, kw_only=True):
    """An value update and what decides where it travels."""

    resource: str
    family_key: str
    value_update: ValueUpdate


def begin(
    of: Run,
    kind: Kind,
    name: str,
    parts: JobParts,
    *,
    pin: MappingPin | None = None,
    disturbs: bool = True,
) -> Run:
    """Enter a job as an open run; one of the same name is given as it is by now.

    It `disturbs` unless it concerns no product that the file in hand holds.
    """
    job = Run(
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
    parts.registry.register(job, disturbs=disturbs)
    return parts.registry.get(name) or job


def job_name(of: Run, kind: Kind, now: datetime) -> str:
    """Name a job that may be run more than once for a run; ids sort by time."""
    return f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{of.source}-{kind}"


def refuse_while_busy(of: Run, registry: Registry, *, but: str = "") -> None:
    """Raise ConfigurationError while another run of the source is open.

    A file that is being split may call a product unchanged that the job is about to change.
    """
    for name in registry.open_runs():
        if name.source == of.source and name.run not in (of.id, but):
            raise ConfigurationError(
                f"run {name.run} of source {of.source} is not finished; wait for it "
                "(`pim-connector runs`) and say this again"
            )


def send_value_updates(
    job: Run,
    purpose: Literal["withdraw", "revert"],
    products: Iterable[ProductUpdate],
    parts: JobParts,
    *,
    superseded: int = 0,
    others: tuple[str, ...] = (),
) -> Run:
    """Put the value updates on the product queue, models apart from products, and count them.

    `superseded` are those that newer files have already decided about. A job that was written
    down before is sent as it was then; one that is on its way is left alone.
    `others` are the sources that are to send the products again when they list them.
    """
    if job.phase == "preparing":
        job = _written(job, purpose, products, parts, superseded, others)
    return publish_staged(job, parts) if job.phase == "sending" else job


def _written(
    job: Run,
    purpose: Literal["withdraw", "revert"],
    products: Iterable[ProductUpdate],
    parts: JobParts,
    superseded: int,
    others: tuple[str, ...],
) -> Run:
    open_batches: dict[tuple[str, int], list[ValueUpdate]] = {}
    records = superseded
    for product in products:
        group = group_of(product.family_key, parts.groups)
        open_batches.setdefault((product.resource, group), []).append(product.value_update)
        records += 1
    entries = [
        store(parts.bucket, job.id, message.id, message.group, encode(message))
        for message in _messages(job, purpose, open_batches, others)
    ]
    counts: dict[State, int] = {"superseded": superseded}
    return stage(job, entries, parts, records=records, counts=counts)


def _messages(
    job: Run,
    purpose: Literal["withdraw", "revert"],
    open_batches: dict[tuple[str, int], list[ValueUpdate]],
    others: tuple[str, ...],
) -> Iterator[ValueUpdateMessage]:
    assert job.mapping is not None and job.of is not None  # noqa: S101, PT018 - by `begin`
    number = 0
    for (resource, group), value_updates in sorted(open_batches.items(), reverse=True):
        for few in _batches(value_updates):
            number += 1
            yield ValueUpdateMessage(
                run=job.id,
                source=job.source,
                id=f"{number:06d}",
                group=group,
                order=job.order,
                mapping=job.mapping,
                resource=resource,
                purpose=purpose,
                of=job.of,
                others=others,
                records=few,
            )


def _batches(value_updates: list[ValueUpdate]) -> Iterator[tuple[ValueUpdate, ...]]:
    yield from (
        tuple(value_updates[start : start + MAX_RECORDS])
        for start in range(0, len(value_updates), MAX_RECORDS)
    )
