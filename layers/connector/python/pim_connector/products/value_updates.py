"""Writes value updates: products that left a full export are disabled, what a run set is undone.

No record stands behind a value update, so nothing is mapped; but the product's message group, the
sync state's order and the run table are those of every other message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from pim_connector.akeneo.pim import asking_the_pim
from pim_connector.mapping.results import Mapped, Slot
from pim_connector.outcomes import Problem, RecordOutcome, State
from pim_connector.products.delivery_context import known
from pim_connector.products.lines import (
    Accepted,
    Line,
    Turned,
    Unknown,
    is_link,
    key_of,
    never_taken,
    read_current,
)
from pim_connector.products.sending import UnansweredError, submit
from pim_connector.sync.comparison import Current, without
from pim_connector.sync.messages import MessageRecord, UpdatedSlot, ValueUpdate, ValueUpdateMessage
from pim_connector.sync.sameness import kind_of, same, value_of
from pim_connector.sync.state import StateEntry, state_key

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.structure import Structure
    from pim_connector.products.delivery_context import DeliveryParts, Entries
    from pim_connector.products.lines import Answer
    from pim_connector.sync.state import SyncState

DISABLED: Final = "disabled"
"""`StateEntry.outcome` of a product that we disabled: when it comes again it is enabled."""
ENABLED: Final = ("enabled",)


def update_values(
    message: ValueUpdateMessage,
    pim: AkeneoClient,
    parts: DeliveryParts,
    entries: Entries,
    *,
    last_attempt: bool,
) -> tuple[RecordOutcome, ...]:
    """Bring a message's value updates to the PIM; give what became of each, in their order.

    Raises TransientError (PimUnavailableError if it is the PIM) to come back.
    """
    found = _by_number(message, entries())
    attribute = parts.compiled_mappings.pinned(message.mapping).identifier_attribute
    ends: dict[int, RecordOutcome] = {}
    lines: dict[int, Line] = {}
    never = [a for a in message.records if a.number not in found]
    if message.purpose == "withdraw":
        parts.sync_state.accept([_gone(message, value_update) for value_update in never])
    for value_update in message.records:
        entry = found.get(value_update.number)
        reason = _why_not(message, entry)
        if reason:
            ends[value_update.number] = _end(message, value_update, *reason)
        else:
            lines[value_update.number] = _line(message, value_update, entry, attribute)
    ends |= _written(message, lines, pim, parts, last_attempt=last_attempt)
    return tuple(ends[value_update.number] for value_update in message.records)


def presume(message: ValueUpdateMessage, parts: DeliveryParts) -> None:
    """Note value updates as done that the PIM may have taken unanswered, when they are put aside.

    Otherwise a product that a newer file holds would stay disabled: nothing says that it is.
    """
    entries = _by_number(message, known(message, parts.sync_state))
    value_updates = {a.number: a for a in message.records}
    due = [a for a in message.records if _why_not(message, entries.get(a.number)) is None]
    lines = [_line(message, a, entries[a.number], attribute="") for a in due]
    parts.sync_state.accept([_entry(message, line, value_updates) for line in lines])


def _gone(message: ValueUpdateMessage, value_update: ValueUpdate) -> StateEntry:
    """Note that a full export lacks a product that the PIM has not.

    An older record of it may still come: it waited for its model, lay among the dead letters, or
    is replayed. It is superseded then, as that of any other product that the export lacks.
    """
    return never_taken(message, value_update.identifier, record=0, outcome=DISABLED)


def _by_number(
    message: ValueUpdateMessage, found: Mapping[str, StateEntry]
) -> dict[int, StateEntry]:
    """Return the sync state's entries by the number of the value update."""
    keys = {a.number: key_of(message, a.identifier) for a in message.records}
    return {number: found[key] for number, key in keys.items() if key in found}


def _why_not(message: ValueUpdateMessage, entry: StateEntry | None) -> tuple[State, str] | None:
    """Say why the sync state forbids a value update: a state and words, or None where it does
    not.
    """
    if entry is None:
        return "filtered", "the PIM never took this product from this source"
    if message.purpose == "withdraw" and entry.order > message.order:
        return "superseded", "a newer file holds the product"
    if message.purpose == "revert" and entry.run not in (message.of, message.run):
        return "superseded", f"run {entry.run}, and not {message.of}, has set the product last"
    return None


def _line(
    message: ValueUpdateMessage, value_update: ValueUpdate, entry: StateEntry | None, attribute: str
) -> Line:
    record = MessageRecord(
        number=value_update.number,
        line=value_update.line,
        rule="",
        identifier=value_update.identifier,
        family_key=value_update.identifier,
        fingerprint=b"",
        xml="",
    )
    mapped = Mapped(
        resource="product_model" if message.resource == "product_model" else "product",
        identifier=value_update.identifier,
        family_key=value_update.identifier,
        parent=None,
        uuid=value_update.identifier if value_update.uuid else None,
        identifier_attribute=attribute,
        slots=(),
    )
    return Line(record=record, mapped=mapped, entry=entry)


def _written(
    message: ValueUpdateMessage,
    lines: Mapping[int, Line],
    pim: AkeneoClient,
    parts: DeliveryParts,
    *,
    last_attempt: bool,
) -> dict[int, RecordOutcome]:
    if not lines:
        return {}
    with asking_the_pim():
        current = read_current(pim, list(lines.values()))
        structure = _structure(message, parts)
    value_updates = {a.number: a for a in message.records}
    ends: dict[int, RecordOutcome] = {}
    due: list[Line] = []
    for number, line in lines.items():
        value_update = value_updates[number]
        if not current[number].exists:
            ends[number] = _end(message, value_update, "filtered", "the PIM has no such product")
            continue
        slots, problems = _due(value_update, current[number], structure)
        if slots:
            due.append(_with_slots(line, slots, problems))
        else:
            ends[number] = _end(message, value_update, "unchanged", problems=problems)
    if due and message.purpose == "withdraw":
        parts.kept.keep_previous(message, due, current, structure)
    with asking_the_pim():
        answers = submit(pim, due) if due else []
    for answer in answers:
        ends[answer.line.record.number] = _ended(message, answer, last_attempt=last_attempt)
    untouched = [lines[n] for n, end in ends.items() if end.state == "unchanged"]
    taken = [answer.line for answer in answers if isinstance(answer, Accepted | Unknown)]
    written = [_entry(message, line, value_updates) for line in [*taken, *untouched]]
    absent = [number for number, found in current.items() if not found.exists]
    gone = [_gone(message, value_updates[n]) for n in absent if message.purpose == "withdraw"]
    parts.sync_state.accept([*written, *gone])
    disabled = [line.record.identifier for line in taken if message.purpose == "withdraw"]
    parts.sync_state.accept(_elsewhere(message, disabled, parts.sync_state))
    return ends


def _structure(message: ValueUpdateMessage, parts: DeliveryParts) -> Structure | None:
    """Return what says how values compare; a disabling sets no values and asks for nothing."""
    if not any(slot.key[0] == "values" for one in message.records for slot in one.slots):
        return None
    codes = parts.compiled_mappings.pinned(message.mapping).attribute_codes
    return parts.structures.structure(codes)


def _elsewhere(
    message: ValueUpdateMessage, identifiers: Sequence[str], sync_state: SyncState
) -> list[StateEntry]:
    """Have every other source enable the products when it lists them, changed or not."""
    entries: list[StateEntry] = []
    for source in message.others:
        keys = {state_key(source, message.resource, each): each for each in identifiers}
        found = sync_state.entries(keys)
        for key, identifier in keys.items():
            entry = found.get(key) or replace(
                never_taken(message, identifier, record=0, outcome=DISABLED),
                source=source,
                order="",
            )
            entries.append(replace(entry, fingerprint=b"", outcome=DISABLED))
    return entries


def _due(
    value_update: ValueUpdate, current: Current, structure: Structure | None
) -> tuple[list[UpdatedSlot], tuple[Problem, ...]]:
    """Return the slots that are to be set, and words on those that somebody edited since."""
    due: list[UpdatedSlot] = []
    problems: list[Problem] = [Problem(reason=value_update.note)] if value_update.note else []
    for slot in value_update.slots:
        held = value_of(current.product, slot.key)
        kind = kind_of(slot.key, structure)
        if same(held, slot.data, kind):
            continue
        if slot.guarded and not (same(held, slot.expected, kind) or _is_left_of(slot, held)):
            name = slot.key[1] if len(slot.key) > 1 else slot.key[0]
            reason = "edited in the PIM since: left as it is"
            problems.append(Problem(reason=reason, attribute=name, value=str(held)))
            continue
        due.append(slot)
    return due, tuple(problems)


def _is_left_of(slot: UpdatedSlot, held: Any) -> bool:
    """Say whether these are links that were sent, without those to what the PIM had not."""
    if not is_link(slot.key):
        return False
    kind = kind_of(slot.key, None)
    return all(any(same([one], [sent], kind) for sent in slot.expected or ()) for one in held or ())


def _with_slots(line: Line, slots: Sequence[UpdatedSlot], problems: tuple[Problem, ...]) -> Line:
    made = tuple(Slot(key=slot.key, data=slot.data, owner="on_change") for slot in slots)
    return replace(line, mapped=replace(line.mapped, slots=made), slots=made, problems=problems)


def _ended(message: ValueUpdateMessage, answer: Answer, *, last_attempt: bool) -> RecordOutcome:
    record, line = answer.line.record, answer.line
    state: State = "updated"
    problems = line.problems + line.unlinked
    if isinstance(answer, Turned):
        state, problems = "rejected", answer.problems
    elif isinstance(answer, Accepted) and not line.slots:
        state = "rejected"
    elif isinstance(answer, Unknown):
        if not last_attempt:
            raise UnansweredError(
                f"the PIM did not answer for {record.identifier}: {answer.reason}"
            )
        state, problems = "rejected", (Problem(reason=f"the PIM never answered: {answer.reason}"),)
    return RecordOutcome(
        number=record.number,
        line=record.line,
        state=state,
        identifier=record.identifier,
        resource=message.resource,
        problems=problems,
    )


def _entry(
    message: ValueUpdateMessage, line: Line, value_updates: Mapping[int, ValueUpdate]
) -> StateEntry:
    """Have the next file's record count as changed, in those slots that were amended."""
    value_update, before = value_updates[line.record.number], line.entry
    assert before is not None  # noqa: S101 - `_why_not` lets none pass without an entry
    keys = [slot.key for slot in value_update.slots]
    off = any(slot.key == ENABLED and slot.data is False for slot in value_update.slots)
    return replace(
        before,
        order=max(before.order, message.order),
        fingerprint=b"",
        slots=without(before.slots, keys),
        run=message.run,
        record=0,
        outcome=DISABLED if off else "updated",
    )


def _end(
    message: ValueUpdateMessage,
    value_update: ValueUpdate,
    state: State,
    reason: str = "",
    problems: tuple[Problem, ...] = (),
) -> RecordOutcome:
    return RecordOutcome(
        number=value_update.number,
        line=value_update.line,
        state=state,
        identifier=value_update.identifier,
        resource=message.resource,
        problems=(Problem(reason=reason),) if reason else problems,
    )
