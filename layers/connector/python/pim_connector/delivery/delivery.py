"""The use case: one message of the product queue, mapped, sent, and booked exactly once.

Whatever happens in between, doing all of it again ends in the same products and the same counts:
the PATCH is an upsert, the ledger names run and record of what it holds, ids follow from the
message, and the counts are added by the transaction that books the message if it is not booked.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import msgspec

from pim_connector.delivery.amending import amend
from pim_connector.delivery.raw import Raw
from pim_connector.delivery.round import deliver_round
from pim_connector.delivery.shaping import rounds
from pim_connector.delivery.task import DeliveryParts, Task, known
from pim_connector.messages import AmendmentMessage, is_released, parking_id
from pim_connector.states import RecordOutcome

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.delivery.task import Entries
    from pim_connector.messages import Message, MessageRecord, ProductMessage


def deliver(
    message: Message,
    pim: AkeneoClient,
    parts: DeliveryParts,
    entries: Entries,
    *,
    last_attempt: bool = False,
) -> tuple[RecordOutcome, ...]:
    """Bring a message's records, or amendments, to the PIM and book them; give what became of each.

    `entries` waits for what the ledger has of its products. `last_attempt` rejects the lines that
    the PIM leaves unanswered instead of coming back for them. Raises TransientError
    (PimUnavailableError if it is the PIM) to come back, RejectedError if the whole message is of
    no use, ConfigurationError if nothing will pass.
    """
    if isinstance(message, AmendmentMessage):
        amended = amend(message, pim, parts, entries, last_attempt=last_attempt)
        _enter(message, amended, parts)
        return amended
    due = _still_to_count(message, parts)
    if not due:
        return ()
    message = msgspec.structs.replace(message, records=due)
    with Raw(message, parts) as raw:
        outcomes = _delivered(message, raw, pim, parts, entries, last_attempt=last_attempt)
        raw.see(outcomes)
    _enter(message, outcomes, parts)
    return outcomes


def _delivered(
    message: ProductMessage,
    raw: Raw,
    pim: AkeneoClient,
    parts: DeliveryParts,
    entries: Entries,
    *,
    last_attempt: bool,
) -> tuple[RecordOutcome, ...]:
    """Deliver records that name a product more than once one after the other."""
    pinned = parts.programs.pinned(message.mapping)
    outcomes: list[RecordOutcome] = []
    for turn, records in enumerate(rounds(message.records)):
        part = msgspec.structs.replace(message, records=tuple(records))
        task = Task(
            message=part,
            entries=entries if turn == 0 else partial(known, part, parts.ledger),
            raw=raw,
            pim=pim,
            parts=parts,
            pinned=pinned,
            first=turn == 0,
            last_attempt=last_attempt,
        )
        outcomes += deliver_round(task)
    return tuple(sorted(outcomes, key=lambda booked: booked.number))


def _still_to_count(message: ProductMessage, parts: DeliveryParts) -> tuple[MessageRecord, ...]:
    """Give the records that this message has to account for.

    Of a released message those that its parking message booked as parked in it; a crash after
    parking may have made that one deliver them itself, or park them in another one.
    """
    if not is_released(message.id):
        return message.records
    booked = parts.deliveries.booked(message.run, parking_id(message.id)) or ()
    parked = {
        record.number
        for record in booked
        if record.state == "parked" and record.later in (None, message.id)
    }
    return tuple(record for record in message.records if record.number in parked)


def _enter(message: Message, outcomes: tuple[RecordOutcome, ...], parts: DeliveryParts) -> None:
    parts.deliveries.record_message(message.run, message.id, outcomes)
    run = parts.deliveries.header(message.run)
    if run is not None and run.settled:
        parts.announcements.run_settled(message.run)
    elif run is not None:
        parts.parents.release_links(run)
