"""One turn of a delivery: map, decide, send, and see to what the PIM answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from pim_connector.akeneo.pim import asking_the_pim
from pim_connector.mapping.results import Filtered, Mapped, Rejected
from pim_connector.outcomes import Problem, RecordOutcome
from pim_connector.products.acceptance import Notes, is_new, release_children, take_accepted
from pim_connector.products.delivery_context import DeliveryParts, Raw, Task, known
from pim_connector.products.lines import (
    Accepted,
    Line,
    Turned,
    Unknown,
    key_of,
    outcome,
    read_current,
    triage,
)
from pim_connector.products.links import link_to_what_is_there
from pim_connector.products.sending import submit, take_turned, take_unknown
from pim_connector.products.shaping import (
    asks_for_current,
    decided,
    rounds,
    shaped,
    source_record,
    taken,
)
from pim_connector.products.value_updates import update_values
from pim_connector.sync.comparison import value_of
from pim_connector.sync.messages import ValueUpdateMessage, is_released, parking_id
from pim_connector.sync.options import create_options, missing_options

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.products.delivery_context import Entries, Task
    from pim_connector.sync.comparison import Current
    from pim_connector.sync.messages import Message, MessageRecord, ProductMessage
    from pim_connector.sync.state import StateEntry


def _deliver_round(task: Task) -> list[RecordOutcome]:
    """Bring the task's records to the PIM; one outcome per record, in no order.

    Raises what `deliver` raises; what the PIM accepted until then is in the sync state.
    """
    entries = task.entries()
    sorted_out = triage(task.message, entries)
    task.parts.sync_state.accept(sorted_out.lifted)
    release_children(task, filter(is_new, sorted_out.outcomes))
    lines, ends = _lines(task, sorted_out.to_map, entries)
    to_send, more_ends = _to_send(task, lines)
    task.raw.see([*ends, *more_ends], to_send)
    return [*sorted_out.outcomes, *ends, *more_ends, *_sent(task, to_send)]


def _lines(
    task: Task, records: Sequence[MessageRecord], entries: Mapping[str, StateEntry]
) -> tuple[list[Line], list[RecordOutcome]]:
    def mark(location: str) -> str:
        return task.parts.media.mark(task.message.source, location)

    made: list[Line | RecordOutcome] = []
    for record, result in zip(records, _mapped(task, records), strict=True):
        entry = entries.get(key_of(task.message, record.identifier))
        repeated = _repeated(task, record, taken(entry))
        if repeated and task.pinned.source.duplicates == "reject":
            made.append(outcome(record, task.message.resource, "rejected", (repeated,)))
            continue
        one = shaped(task.message, record, result, entry, mark)
        if repeated and isinstance(one, Line):
            one = replace(one, problems=(*one.problems, repeated))
        made.append(one)
    lines = [line for line in made if isinstance(line, Line)]
    return lines, [end for end in made if isinstance(end, RecordOutcome)]


def _mapped(task: Task, records: Sequence[MessageRecord]) -> list[Mapped | Filtered | Rejected]:
    """Map records; before one is rejected the structure it was mapped by is made fresh."""
    if not records:
        return []
    compiled, sources = task.pinned.compiled, [source_record(task.message, r) for r in records]
    with asking_the_pim():
        structure = task.parts.structures.structure(task.pinned.attribute_codes)
    results = [compiled.map(source, structure) for source in sources]
    if not any(isinstance(result, Rejected) for result in results):
        return results
    with asking_the_pim():
        fresh = task.parts.structures.fresh(task.pinned.attribute_codes)
    if fresh is structure:
        return results
    return [
        compiled.map(source, fresh) if isinstance(result, Rejected) else result
        for source, result in zip(sources, results, strict=True)
    ]


def _repeated(task: Task, record: MessageRecord, entry: StateEntry | None) -> Problem | None:
    """Say that the file had the identifier before, as far as that record was accepted."""
    before = entry is not None and entry.run == task.message.run and entry.record < record.number
    if task.first and not before:
        return None
    which = f" (record {entry.record})" if entry is not None and before else ""
    return Problem(
        reason=f"the file has {record.identifier} more than once{which}",
        advice="of records with one identifier only the last should be in the export",
    )


def _to_send(task: Task, lines: Sequence[Line]) -> tuple[list[Line], list[RecordOutcome]]:
    current = _current(task, [line for line in lines if asks_for_current(task.message, line)])
    to_send: list[Line] = []
    ends: list[RecordOutcome] = []
    lifted: list[StateEntry] = []
    for line in lines:
        decision = decided(task.message, line, current.get(line.record.number))
        if isinstance(decision, Line):
            to_send.append(decision)
            continue
        end, entry = decision
        ends.append(end)
        lifted += [entry] if entry else []
    task.parts.sync_state.accept(lifted)
    return to_send, ends


def _current(task: Task, lines: Sequence[Line]) -> dict[int, Current]:
    if not lines:
        return {}
    with asking_the_pim():
        return read_current(task.pim, lines)


def _sent(task: Task, lines: Sequence[Line]) -> list[RecordOutcome]:
    if not lines:
        return []
    reversible, kept = task.pinned.source.reversible, task.parts.kept
    again = 0 if task.first else lines[0].record.number
    if reversible:
        kept.keep_previous(task.message, lines, _current(task, lines), again=again)
    with Notes(task) as notes:
        with asking_the_pim():
            ready = _with_categories(task, _with_options(task, lines))
            answers = submit(task.pim, ready, notes.take)
            if task.message.last:
                answers = link_to_what_is_there(task.pim, answers)
        accepted = [answer for answer in answers if isinstance(answer, Accepted)]
        notes.complete(accepted)
    turned = [answer for answer in answers if isinstance(answer, Turned)]
    if reversible and turned:
        kept.forget_previous(task.message, {a.line.record.number for a in turned}, again=again)
    ends = take_accepted(task, accepted)
    ends += take_turned(task, turned)
    unknown = [answer for answer in answers if isinstance(answer, Unknown)]
    return ends + take_unknown(task, unknown)


def _with_categories(task: Task, lines: Sequence[Line]) -> list[Line]:
    """Read what categories products have, where the PIM's edition cannot add to them.

    What somebody else adds between this reading and the sending is lost.
    """
    adding = [line for line in lines if any(s.key[0] == "add_categories" for s in line.slots)]
    structures = task.parts.structures
    if not adding or structures.structure(task.pinned.attribute_codes).has("add_categories"):
        return list(lines)
    current = _current(task, adding)
    return [
        replace(line, categories=tuple(value_of(current[number].product, ("categories",)) or ()))
        if (number := line.record.number) in current
        else line
        for line in lines
    ]


def _with_options(task: Task, lines: Sequence[Line]) -> list[Line]:
    """Have the PIM know the select options that the lines use, before it sees the lines."""
    wanted = [option for line in lines for option in line.mapped.options]
    codes = task.pinned.attribute_codes
    structures = task.parts.structures
    if not wanted or not missing_options(wanted, structures.structure(codes)):
        return list(lines)
    result = create_options(task.pim, missing_options(wanted, structures.fresh(codes)))
    structures.add_options(result.created)
    return [_with_refused_options(line, result.refused) for line in lines]


def _with_refused_options(line: Line, refused: Mapping[tuple[str, str], str]) -> Line:
    problems = tuple(
        Problem(
            reason=f"the option could not be created: {refused[option.attribute, option.code]}",
            attribute=option.attribute,
            value=option.code,
        )
        for option in line.mapped.options
        if (option.attribute, option.code) in refused
    )
    return replace(line, problems=line.problems + problems)


# The use case: one message of the product queue, mapped, sent, and recorded exactly once.
#
# Whatever happens in between, doing all of it again ends in the same products and the same counts:
# the PATCH is an upsert, the sync state names run and record of what it holds, ids follow from the
# message, and the counts are added by the transaction that books the message if it is not recorded.


def deliver(
    message: Message,
    pim: AkeneoClient,
    parts: DeliveryParts,
    entries: Entries,
    *,
    last_attempt: bool = False,
) -> tuple[RecordOutcome, ...]:
    """Bring a message's records, or value updates, to the PIM and book them; give what became of
    each.

    `entries` waits for what the sync state has of its products. `last_attempt` rejects the lines
    that the PIM leaves unanswered instead of coming back for them. Raises TransientError
    (PimUnavailableError if it is the PIM) to come back, RejectedError if the whole message is of
    no use, ConfigurationError if nothing will pass.
    """
    if isinstance(message, ValueUpdateMessage):
        updated = update_values(message, pim, parts, entries, last_attempt=last_attempt)
        _enter(message, updated, parts)
        return updated
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
    pinned = parts.compiled_mappings.pinned(message.mapping)
    outcomes: list[RecordOutcome] = []
    for turn, records in enumerate(rounds(message.records)):
        part = msgspec.structs.replace(message, records=tuple(records))
        task = Task(
            message=part,
            entries=entries if turn == 0 else partial(known, part, parts.sync_state),
            raw=raw,
            pim=pim,
            parts=parts,
            pinned=pinned,
            first=turn == 0,
            last_attempt=last_attempt,
        )
        outcomes += _deliver_round(task)
    return tuple(sorted(outcomes, key=lambda stored: stored.number))


def _still_to_count(message: ProductMessage, parts: DeliveryParts) -> tuple[MessageRecord, ...]:
    """Return the records that this message has to account for.

    Of a released message those that its parking message recorded as parked in it; a crash after
    parking may have made that one deliver them itself, or park them in another one.
    """
    if not is_released(message.id):
        return message.records
    stored = parts.deliveries.stored(message.run, parking_id(message.id)) or ()
    parked = {
        record.number
        for record in stored
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
