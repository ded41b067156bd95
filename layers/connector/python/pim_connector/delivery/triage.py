"""Sorts out the records of a message that need no mapping: booked, stale, unchanged.

Pure: message and ledger entries in, outcomes and the remaining records out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.delivery.line import outcome
from pim_connector.delta import is_superseded
from pim_connector.ledger import NEVER_TAKEN, LedgerEntry, ledger_key
from pim_connector.states import FINAL_STATES, RecordOutcome, State

if TYPE_CHECKING:
    from pim_connector.messages import AmendmentMessage, Message, MessageRecord, ProductMessage


class Triage(Struct, frozen=True, kw_only=True):
    """Records with an outcome, entries whose order has to move, and records to be mapped."""

    outcomes: tuple[RecordOutcome, ...]
    lifted: tuple[LedgerEntry, ...]
    to_map: tuple[MessageRecord, ...]


def triage(message: ProductMessage, entries: Mapping[str, LedgerEntry]) -> Triage:
    """Decide what the ledger alone can decide, record by record."""
    outcomes: list[RecordOutcome] = []
    lifted: list[LedgerEntry] = []
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
    """Name the ledger entry of a product that a message carries."""
    return ledger_key(message.source, message.resource, identifier)


def moved(entry: LedgerEntry, message: ProductMessage, record: MessageRecord) -> LedgerEntry:
    """Give the entry of an unchanged record its newer order, so that no older file passes it."""
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
    message: ProductMessage | AmendmentMessage,
    identifier: str,
    *,
    record: int,
    outcome: str = "updated",
) -> LedgerEntry:
    """Make an entry for a product that the PIM has not accepted, as far as is known.

    All that counts of it is the message's order, which older records of the product give way to.
    """
    return LedgerEntry(
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


def booked_state(
    entry: LedgerEntry | None, message: ProductMessage, record: MessageRecord
) -> State | None:
    """Give the state in which an earlier delivery of this very record ended, if one did."""
    if entry is None or (entry.run, entry.record) != (message.run, record.number):
        return None
    return next((state for state in FINAL_STATES if state == entry.outcome), None)


def _state(
    message: ProductMessage, record: MessageRecord, entry: LedgerEntry | None
) -> State | None:
    if is_superseded(entry, order=message.order, record=record.number):
        return "superseded"
    if entry is None or (entry.fingerprint, entry.mapping) != (
        record.fingerprint,
        message.mapping.digest,
    ):
        return None
    booked = booked_state(entry, message, record)
    if booked is not None:
        return booked
    return None if message.forced or record.forced else "unchanged"
