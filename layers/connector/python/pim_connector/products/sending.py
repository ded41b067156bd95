"""Sends the lines of a message in collection PATCHes and reads the PIM's answers one by one.

Mostly one call. A second one follows only for what the first one's answers make necessary: values
or links left out that the PIM refused, or all slots of a product that turned out not to be there
any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from pim_connector.akeneo import LineOutcome, LinesFailedError, Refused, Unanswered, Upserted
from pim_connector.akeneo.pim import asking_the_pim
from pim_connector.errors import TransientError
from pim_connector.mapping.results import payload
from pim_connector.outcomes import Problem, RecordOutcome, State
from pim_connector.products.lines import (
    Accepted,
    Answer,
    Line,
    Turned,
    Unknown,
    is_link,
    key_of,
    never_taken,
    outcome,
    read_current,
)

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.answers import Problem as PimProblem
    from pim_connector.products.delivery_context import DeliveryParts, Task
    from pim_connector.sync.messages import MessageRecord, ProductMessage
    from pim_connector.sync.state import StateEntry

ADVICE = "correct it in the ERP, in the mapping or in the PIM, then replay the record"
MAX_CALLS = 8
"""First call, leaving out refused values (the PIM names all of a group at once), leaving out links,
whole products."""


def submit(
    pim: AkeneoClient, lines: Sequence[Line], taken: Callable[[Accepted], None] = lambda _: None
) -> list[Answer]:
    """Send up to 100 lines of one resource, and again what can be fixed; one answer per line.

    `taken` hears of lines that the PIM has taken while it still answers for others: of most, but
    not of those without anything left to send. It must not fail.

    Lines without a parent go first: in the file a sub-model may stand before its root model.
    Raises what the client raises when the PIM answers nothing at all.
    """
    answers: dict[int, Answer] = {}
    pending = sorted(lines, key=lambda line: line.mapped.parent is not None)
    for _ in range(MAX_CALLS):
        if not pending:
            break
        outcomes = _upsert(pim, pending, taken)
        judged = [judge(line, answer) for line, answer in zip(pending, outcomes, strict=True)]
        answers |= {j.line.record.number: j for j in judged if not isinstance(j, Line)}
        pending = [j for j in judged if isinstance(j, Line)] + _vanished(pim, judged)
    answers |= {line.record.number: _given_up(line) for line in pending}
    return [answers[line.record.number] for line in lines]


def judge(line: Line, answer: LineOutcome) -> Answer | Line:
    """Read one answer: an end, or the line as it is to be sent once more. Pure.

    A line of a known product that has nothing left is not sent: it would change nothing.
    """
    if isinstance(answer, Upserted):
        if answer.created and not line.whole:
            return _as_whole(replace(line, created=True))
        return Accepted(line=line, created=answer.created or line.created)
    if not isinstance(answer, Refused):
        return Unknown(line=line, reason=answer.message)
    smaller = _without_refused(line, answer) or _without_links(line, answer)
    if smaller is not None:
        is_nothing = not smaller.slots and not smaller.whole
        return Accepted(line=smaller, created=smaller.created) if is_nothing else smaller
    problems = line.problems + _problems(line, answer)
    return Turned(line=line, status=answer.status, problems=problems)


def _as_whole(line: Line) -> Line:
    """Return the line with all its slots, for a product that the PIM does not have."""
    slots = tuple(slot for slot in line.mapped.slots if slot.key not in line.left_out)
    return replace(line, slots=slots, whole=True)


def _given_up(line: Line) -> Turned:
    reason = f"the PIM found something else to refuse in each of {MAX_CALLS} calls"
    return Turned(line=line, status=422, problems=(*line.problems, Problem(reason=reason)))


def _vanished(pim: AkeneoClient, judged: Sequence[Answer | Line]) -> list[Line]:
    """Return the lines that were refused because only a part of a deleted product was sent."""
    partial = [j.line for j in judged if isinstance(j, Turned) and not j.line.whole]
    if not partial:
        return []
    current = read_current(pim, partial)
    return [_as_whole(line) for line in partial if not current[line.record.number].exists]


def _upsert(
    pim: AkeneoClient, lines: Sequence[Line], taken: Callable[[Accepted], None]
) -> list[LineOutcome]:
    def passed(outcome: Upserted) -> None:
        answer = judge(lines[outcome.line - 1], outcome)
        if isinstance(answer, Accepted):
            taken(answer)

    try:
        return _patched(pim, lines, passed)
    except LinesFailedError as error:
        return [Unanswered(line=n, message=str(error)) for n in range(1, len(lines) + 1)]


def _patched(
    pim: AkeneoClient, lines: Sequence[Line], passed: Callable[[Upserted], None]
) -> list[LineOutcome]:
    bodies = [_body(line) for line in lines]
    if lines[0].mapped.resource == "product_model":
        return pim.upsert_product_models(bodies, passed=passed)
    if lines[0].mapped.uuid is not None:
        return pim.upsert_products_uuid(bodies, passed=passed)
    return pim.upsert_products(bodies, passed=passed)


def _body(line: Line) -> dict[str, Any]:
    """Write a line; where the PIM cannot add categories, with those that the product has."""
    slots = [slot for slot in line.slots if slot.key[0] != "media"]
    body: dict[str, Any] = dict(payload(line.mapped, slots))
    if line.categories is not None and "add_categories" in body:
        held = {code.casefold() for code in line.categories}
        added = [code for code in body.pop("add_categories") if code.casefold() not in held]
        body["categories"] = [*line.categories, *added]
    return body


def _without_refused(line: Line, answer: Refused) -> Line | None:
    """Return the line without the values that the PIM names, if the mapping allows and names
    them.
    """
    if line.mapped.refused != "drop_value" or not answer.errors:
        return None
    refused: set[tuple[str, ...]] = set()
    for error in answer.errors:
        keys = _named(line, error)
        if not keys:
            return None
        refused |= keys
    return replace(
        line,
        slots=tuple(slot for slot in line.slots if slot.key not in refused),
        left_out=line.left_out | refused,
        problems=line.problems + tuple(_problem(error, line) for error in answer.errors),
    )


def _without_links(line: Line, answer: Refused) -> Line | None:
    """Return the line without its links, which may lead to what the PIM has not yet.

    What the PIM says is no help: of associations only a sentence, in words that change.
    """
    links = frozenset(slot.key for slot in line.slots if is_link(slot.key))
    if answer.status != HTTPStatus.UNPROCESSABLE_ENTITY or not links:
        return None
    return replace(
        line,
        slots=tuple(slot for slot in line.slots if slot.key not in links),
        left_out=line.left_out | links,
        unlinked=line.unlinked + _problems(line, answer),
    )


def _named(line: Line, error: PimProblem) -> set[tuple[str, ...]]:
    if error.property != "values" or error.attribute is None:
        return set()
    key = ("values", error.attribute, error.locale or "", error.scope or "")
    return {slot.key for slot in line.slots if slot.key == key}


def _problems(line: Line, answer: Refused) -> tuple[Problem, ...]:
    named = tuple(_problem(error, line) for error in answer.errors)
    return named or (Problem(reason=answer.message, advice=ADVICE),)


def _problem(error: PimProblem, line: Line) -> Problem:
    key = ("values", error.attribute, error.locale or "", error.scope or "")
    value = next((str(slot.data) for slot in line.slots if slot.key == key), None)
    place = ", ".join(part for part in (error.locale, error.scope, error.currency) if part)
    return Problem(
        reason=f"{error.message} ({place})" if place else error.message,
        attribute=error.attribute or error.property or None,
        value=value,
        advice=ADVICE,
    )


# What follows when the PIM has not taken products: rejected, parked, or tried again.


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
    """Have the sync state vouch no more for products that the PIM may have written unanswered.

    Otherwise a later file that goes back to the values of before would be called unchanged, and
    what an older file left to be sent, such as links or a record that waits for its model, would
    bring its values back over newer ones.
    """
    doubted = {key_of(message, record.identifier): record for record in records}
    known = parts.sync_state.entries(doubted)
    parts.sync_state.accept(
        [
            _doubted(known[key], message.order)
            if key in known
            else never_taken(message, record.identifier, record=record.number)
            for key, record in doubted.items()
        ]
    )


def _doubted(entry: StateEntry, order: str) -> StateEntry:
    """Keep who took the product last; as of record 0 no record of a newer `order` is recorded."""
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
