"""One record on its way to the PIM, and what can come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.outcomes import FINAL_STATES, Problem, RecordOutcome, State
from pim_connector.sync.comparison import Current, is_superseded
from pim_connector.sync.state import NEVER_TAKEN, StateEntry, state_key

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.mapping.results import Mapped, Slot
    from pim_connector.sync.messages import (
        Message,
        MessageRecord,
        ProductMessage,
        ValueUpdateMessage,
    )
    from pim_connector.sync.state import StateEntry


class Line(Struct, frozen=True, kw_only=True):
    """A mapped record with the slots that are to be sent.

    `whole` says that they make a product that is not there yet. `created` remembers that an
    earlier call already created it. `left_out` are slots that the PIM refused and the mapping
    allows to leave out, `problems` say so in words. `unlinked` are the PIM's words on links
    without which the line is sent; they are among `left_out` until they can follow. `categories`
    are those that the product has, where the PIM cannot add to them: they are sent along.
    """

    record: MessageRecord
    mapped: Mapped
    entry: StateEntry | None
    slots: tuple[Slot, ...] = ()
    whole: bool = True
    created: bool = False
    left_out: frozenset[tuple[str, ...]] = frozenset()
    problems: tuple[Problem, ...] = ()
    unlinked: tuple[Problem, ...] = ()
    categories: tuple[str, ...] | None = None


class Accepted(Struct, frozen=True, kw_only=True):
    """The PIM has it."""

    line: Line
    created: bool


class Turned(Struct, frozen=True, kw_only=True):
    """The PIM turned it down for good, with its words."""

    line: Line
    status: int
    problems: tuple[Problem, ...]


class Unknown(Struct, frozen=True, kw_only=True):
    """The PIM never answered for this line, or with a failure of its own."""

    line: Line
    reason: str


Answer = Accepted | Turned | Unknown


def is_link(key: tuple[str, ...]) -> bool:
    """Say whether a slot links a product to others, which the PIM may not have yet."""
    return key[0] in ("associations", "quantified_associations")


def outcome(
    record: MessageRecord, resource: str, state: State, problems: tuple[Problem, ...] = ()
) -> RecordOutcome:
    """Return what is recorded of a record."""
    return RecordOutcome(
        number=record.number,
        line=record.line,
        state=state,
        identifier=record.identifier,
        resource=resource,
        problems=problems,
    )


# Sorts out the records of a message that need no mapping: recorded, stale, unchanged.
#
# Pure: message and sync state entries in, outcomes and the remaining records out.


class Triage(Struct, frozen=True, kw_only=True):
    """Records with an outcome, entries whose order has to move, and records to be mapped."""

    outcomes: tuple[RecordOutcome, ...]
    lifted: tuple[StateEntry, ...]
    to_map: tuple[MessageRecord, ...]


def triage(message: ProductMessage, entries: Mapping[str, StateEntry]) -> Triage:
    """Decide what the sync state alone can decide, record by record."""
    outcomes: list[RecordOutcome] = []
    lifted: list[StateEntry] = []
    to_map: list[MessageRecord] = []
    for record in message.records:
        entry = entries.get(key_of(message, record.identifier))
        state = _state(message, record, entry)
        if state is None:
            to_map.append(record)
            continue
        outcomes.append(outcome(record, message.resource, state))
        if entry is not None and state == "unchanged":
            lifted.append(moved(entry, message, record))
    return Triage(outcomes=tuple(outcomes), lifted=tuple(lifted), to_map=tuple(to_map))


def key_of(message: Message, identifier: str) -> str:
    """Name the sync state entry of a product that a message carries."""
    return state_key(message.source, message.resource, identifier)


def moved(entry: StateEntry, message: ProductMessage, record: MessageRecord) -> StateEntry:
    """Return the entry of an unchanged record its newer order, so that no older file passes it."""
    return replace(
        entry,
        order=message.order,
        fingerprint=record.fingerprint,
        mapping=message.mapping.digest,
        run=message.run,
        record=record.number,
        outcome="unchanged",
    )


def never_taken(
    message: ProductMessage | ValueUpdateMessage,
    identifier: str,
    *,
    record: int,
    outcome: str = "updated",
) -> StateEntry:
    """Make an entry for a product that the PIM has not accepted, as far as is known.

    All that counts of it is the message's order, which older records of the product give way to.
    """
    return StateEntry(
        source=message.source,
        resource=message.resource,
        identifier=identifier,
        order=message.order,
        fingerprint=b"",
        mapping=NEVER_TAKEN,
        slots=b"",
        run=message.run,
        record=record,
        outcome=outcome,
    )


def stored_state(
    entry: StateEntry | None, message: ProductMessage, record: MessageRecord
) -> State | None:
    """Return the state in which an earlier delivery of this very record ended, if one did."""
    if entry is None or (entry.run, entry.record) != (message.run, record.number):
        return None
    return next((state for state in FINAL_STATES if state == entry.outcome), None)


def _state(
    message: ProductMessage, record: MessageRecord, entry: StateEntry | None
) -> State | None:
    if is_superseded(entry, order=message.order, record=record.number):
        return "superseded"
    if entry is None or (entry.fingerprint, entry.mapping) != (
        record.fingerprint,
        message.mapping.digest,
    ):
        return None
    stored = stored_state(entry, message, record)
    if stored is not None:
        return stored
    return None if message.forced or record.forced else "unchanged"


# What the PIM holds now, for those decisions that cannot be made without it.


def read_current(pim: AkeneoClient, lines: Sequence[Line]) -> dict[int, Current]:
    """Return what the PIM holds of up to 100 products, by record number: one call, mostly.

    The list endpoints read an index that lags behind
    (https://api.akeneo.com/documentation/troubleshooting.html), so a product that the sync state
    knows and the list does not is asked for by itself.
    """
    found = dict(_listed(pim, lines))
    current: dict[int, Current] = {}
    for line in lines:
        product = found.get(line.mapped.identifier.casefold())
        if product is None and line.entry is not None:
            product = _single(pim, line)
        current[line.record.number] = Current(product=product)
    return current


def _listed(pim: AkeneoClient, lines: Sequence[Line]) -> Iterator[tuple[str, dict[str, Any]]]:
    identifiers = sorted({line.mapped.identifier for line in lines})
    if not identifiers:
        return
    condition = [{"operator": "IN", "value": identifiers}]
    if lines[0].mapped.resource == "product_model":
        for model in pim.list_product_models({"identifier": condition}):
            yield model["code"].casefold(), model
    elif lines[0].mapped.uuid is not None:
        for product in pim.list_products_uuid({"uuid": condition}):
            yield product["uuid"].casefold(), product
    else:
        key = lines[0].mapped.identifier_attribute
        for product in pim.list_products({key: condition}):
            yield product["identifier"].casefold(), product


def _single(pim: AkeneoClient, line: Line) -> dict[str, Any] | None:
    if line.mapped.resource == "product_model":
        return pim.get_product_model(line.mapped.identifier)
    if line.mapped.uuid is not None:
        return pim.get_product_uuid(line.mapped.uuid)
    return pim.get_product(line.mapped.identifier)
