"""What follows when the PIM has not taken products: rejected, parked, or tried again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pim_connector.delivery.line import Turned, Unknown, outcome
from pim_connector.delivery.pim import asking_the_pim
from pim_connector.delivery.triage import key_of, never_taken
from pim_connector.errors import TransientError
from pim_connector.states import Problem, RecordOutcome, State

if TYPE_CHECKING:
    from pim_connector.delivery.task import DeliveryParts, Task
    from pim_connector.ledger import LedgerEntry
    from pim_connector.messages import MessageRecord, ProductMessage


class UnansweredError(TransientError):
    """The PIM works, but did not answer for some lines."""


def take_turned(task: Task, answers: Sequence[Turned]) -> list[RecordOutcome]:
    """Reject what the PIM turned down; but what only lacks its parent waits for it."""
    waiting: dict[str, list[Turned]] = defaultdict(list)
    there: dict[str, bool] = {}
    ends: list[RecordOutcome] = []
    for answer in answers:
        parent = answer.line.mapped.parent
        if parent is not None and answer.status == 422 and parent not in there:
            there[parent] = _has(task, parent)
        if parent is None or there.get(parent, True):
            ends.append(_end(task, answer, "rejected", answer.problems))
        elif task.message.last:
            ends.append(_end(task, answer, "rejected", (_late(parent), *answer.problems)))
        else:
            waiting[parent].append(answer)
    for parent, group in waiting.items():
        ends += _parked(task, parent, group)
    return ends


def _parked(task: Task, parent: str, answers: Sequence[Turned]) -> list[RecordOutcome]:
    """Put records aside; if their parent came meanwhile they go at once, in a message anew."""
    records = [answer.line.record for answer in answers]
    group = task.parts.parents.park(task.message, records, parent)
    if _has(task, parent):
        task.parts.parents.release(parent)
    reason = Problem(reason=f"waits for the product model {parent}, which the PIM has not")
    ends = [_end(task, answer, "parked", (reason,)) for answer in answers]
    return [msgspec.structs.replace(end, later=group.message) for end in ends]


def _has(task: Task, parent: str) -> bool:
    with asking_the_pim():
        return task.pim.get_product_model(parent) is not None


def doubt(message: ProductMessage, records: Iterable[MessageRecord], parts: DeliveryParts) -> None:
    """Have the ledger vouch no more for products that the PIM may have written unanswered.

    Otherwise a later file that goes back to the values of before would be called unchanged, and
    what an older file left to be sent, such as links or a record that waits for its model, would
    bring its values back over newer ones.
    """
    doubted = {key_of(message, record.identifier): record for record in records}
    known = parts.ledger.entries(doubted)
    parts.ledger.accept(
        [
            _doubted(known[key], message.order)
            if key in known
            else never_taken(message, record.identifier, record=record.number)
            for key, record in doubted.items()
        ]
    )


def _doubted(entry: LedgerEntry, order: str) -> LedgerEntry:
    """Keep who took the product last; as of record 0 no record of a newer `order` is booked."""
    doubted = replace(entry, fingerprint=b"", slots=b"")
    return doubted if entry.order >= order else replace(doubted, order=order, record=0)


def take_unknown(task: Task, answers: Sequence[Unknown]) -> list[RecordOutcome]:
    """Raise UnansweredError to come back for unanswered lines; reject them after the last try."""
    if answers and not task.last_attempt:
        raise UnansweredError(
            f"the PIM did not answer for {len(answers)} lines: {answers[0].reason}"
        )
    doubt(task.message, (answer.line.record for answer in answers), task.parts)
    return [_end(task, answer, "rejected", (_silence(answer),)) for answer in answers]


def _end(
    task: Task, answer: Turned | Unknown, state: State, problems: tuple[Problem, ...]
) -> RecordOutcome:
    return outcome(answer.line.record, task.message.resource, state, problems)


def _late(parent: str) -> Problem:
    return Problem(
        reason=f"its product model {parent} did not come in time",
        attribute="parent",
        value=parent,
        advice=f"see why {parent} is not in the PIM, then replay this record",
    )


def _silence(answer: Unknown) -> Problem:
    return Problem(
        reason=f"the PIM never answered for this product, it may have it or not: {answer.reason}",
        advice="look at the PIM's own log for this product, then replay this record",
    )
