"""Runs without a file of their own: a withdrawal, a replay, a rewind.

An errand concerns the run `of`. It is a run like any other: accounted, reported, closed by the
caretaker. It has the order of the run it concerns, so what is newer stays as it is; and while it
is open, no file of its source takes the short cut past the queue. It is written down as a whole
before anything of it is sent (see `consignment`), so a command may be stopped at any moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.bucket import Bucket
from pim_connector.consignment import send_written, store, write_down
from pim_connector.errors import ConfigurationError
from pim_connector.lanes import lane_of
from pim_connector.messages import MAX_RECORDS, Amendment, AmendmentMessage, MappingPin, encode
from pim_connector.queues import FifoQueue
from pim_connector.runs.announcements import Announcements
from pim_connector.runs.registry import Registry
from pim_connector.runs.run import Kind, Run
from pim_connector.states import STATES, State

if TYPE_CHECKING:
    from typing import Literal


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
