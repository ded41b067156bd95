"""Maps the records of a message and decides what of them the PIM must hear. No I/O of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pim_connector.errors import RejectedError
from pim_connector.mapping.identity import folded
from pim_connector.mapping.results import Filtered, Mapped, Media, Rejected, Slot, field_problems
from pim_connector.outcomes import Problem, RecordOutcome, State
from pim_connector.products.lines import Line, moved, outcome, stored_state
from pim_connector.products.value_updates import DISABLED, ENABLED
from pim_connector.records import SourceRecord
from pim_connector.sync.comparison import (
    Current,
    LeftOut,
    Send,
    changed_slots,
    decide,
    needs_current,
    slot_hashes,
    with_always,
)
from pim_connector.sync.state import NEVER_TAKEN, StateEntry

if TYPE_CHECKING:
    from pim_connector.sync.messages import MessageRecord, ProductMessage

Mark = Callable[[str], str]
"""Gives what changes when the file at a location changes; RejectedError where there is none."""


def rounds(records: Sequence[MessageRecord]) -> Iterator[list[MessageRecord]]:
    """Split records so that none names a product twice; in order, the last one wins.

    Codes are compared without case, as the PIM compares them.
    """
    left = list(records)
    while left:
        seen: set[str] = set()
        now: list[MessageRecord] = []
        later: list[MessageRecord] = []
        for record in left:
            key = folded(record.identifier)
            (later if key in seen else now).append(record)
            seen.add(key)
        yield now
        left = later


def source_record(message: ProductMessage, record: MessageRecord) -> SourceRecord:
    """Return a record as it was in the file."""
    return SourceRecord(
        number=record.number,
        line=record.line,
        rule=record.rule,
        xml=record.xml,
        head=message.head,
        tables=record.tables,
    )


def shaped(
    message: ProductMessage,
    record: MessageRecord,
    result: Mapped | Filtered | Rejected,
    entry: StateEntry | None,
    mark: Mark,
) -> Line | RecordOutcome:
    """Turn what the mapping says of a record into a line, or into its outcome.

    Of an entry that the PIM never accepted as far as is known only that it may be disabled counts.
    """
    if isinstance(result, Filtered):
        return outcome(record, message.resource, "filtered", (Problem(reason=result.reason),))
    if isinstance(result, Rejected):
        return outcome(record, message.resource, "rejected", field_problems(result.errors))
    line = Line(
        record=record,
        mapped=_enabled_again(result, entry),
        entry=taken(entry),
        problems=field_problems(result.warnings),
    )
    return _with_media(message, line, mark)


def taken(entry: StateEntry | None) -> StateEntry | None:
    """Return the entry if the PIM is known to have accepted what it says."""
    return None if entry is None or entry.mapping == NEVER_TAKEN else entry


def decided(
    message: ProductMessage, line: Line, current: Current | None
) -> Line | tuple[RecordOutcome, StateEntry | None]:
    """Return the line with the slots to send, or its outcome and its sync state entry if it has
    one.
    """
    rest = _rest(message, line)
    if rest:
        return replace(line, slots=rest, whole=False)
    decision = decide(line.mapped, line.entry, current, forced=_is_forced(message, line))
    if isinstance(decision, Send):
        return replace(line, slots=decision.slots, whole=decision.whole)
    if isinstance(decision, LeftOut):
        reason = (Problem(reason=decision.reason),)
        return outcome(line.record, message.resource, "filtered", reason), None
    state = stored_state(line.entry, message, line.record) or "unchanged"
    stored = outcome(line.record, message.resource, state, line.problems)
    return stored, accepted_entry(message, line, state)


def _rest(message: ProductMessage, line: Line) -> tuple[Slot, ...]:
    """Return what is missing of a record that this very run brought to the PIM in part.

    Whose record it is was decided then: `create_only` said yes and now the product is there.
    """
    entry = line.entry
    if entry is None or not entry.slots or stored_state(entry, message, line.record) is None:
        return ()
    missing = {slot.key for slot in changed_slots(line.mapped.slots, entry.slots)}
    return with_always(line.mapped.slots, missing)


def asks_for_current(message: ProductMessage, line: Line) -> bool:
    """Say whether deciding on a line needs what the PIM holds now."""
    return needs_current(line.mapped, line.entry, forced=_is_forced(message, line))


def _is_forced(message: ProductMessage, line: Line) -> bool:
    if not (message.forced or line.record.forced):
        return False
    family = next((slot.data for slot in line.mapped.slots if slot.key == ("family",)), None)
    return not message.forced_families or family in message.forced_families


def _enabled_again(mapped: Mapped, entry: StateEntry | None) -> Mapped:
    """Enable a product that was disabled when a full export no longer had it, and that is back."""
    if entry is None or entry.outcome != DISABLED or mapped.resource != "product":
        return mapped
    if any(slot.key == ENABLED for slot in mapped.slots):
        return mapped
    slot = Slot(key=ENABLED, data=True, owner="on_change")
    return replace(mapped, slots=(*mapped.slots, slot))


def accepted_entry(
    message: ProductMessage,
    line: Line,
    state: State,
    *,
    pending: frozenset[tuple[str, ...]] = frozenset(),
) -> StateEntry:
    """Return the sync state entry of a product the PIM has accepted, but for what was left out.

    `pending` are slots that are still to follow. With any slot missing the fingerprint is left
    empty, so that no later file counts the record as unchanged.
    """
    missing = line.left_out | pending
    entry = StateEntry(
        source=message.source,
        resource=message.resource,
        identifier=line.record.identifier,
        order=message.order,
        fingerprint=b"",
        mapping=message.mapping.digest,
        slots=slot_hashes([slot for slot in line.mapped.slots if slot.key not in missing]),
        run=message.run,
        record=line.record.number,
        outcome=state,
    )
    return entry if missing else replace(moved(entry, message, line.record), outcome=state)


def media_key(media: Media) -> tuple[str, ...]:
    """Name the slot that a media file fills."""
    return ("media", media.attribute, media.locale or "", media.scope or "")


def media_slots(line: Line) -> frozenset[tuple[str, ...]]:
    """Name the slots of a line whose files follow when its product is there."""
    return frozenset(slot.key for slot in line.slots if slot.key[0] == "media")


def _with_media(message: ProductMessage, line: Line, mark: Mark) -> Line | RecordOutcome:
    """Add a slot for each media file; its data is the mark, which changes with the file."""
    slots: list[Slot] = list(line.mapped.slots)
    left_out: set[tuple[str, ...]] = set()
    problems: list[Problem] = []
    for media in line.mapped.media:
        try:
            data = mark(media.location)
        except RejectedError as error:
            problems.append(Problem(reason=str(error), attribute=media.attribute))
            left_out.add(media_key(media))
        else:
            slots.append(Slot(key=media_key(media), data=data, owner=media.owner))
    all_problems = (*line.problems, *problems)
    if problems and line.mapped.refused == "reject":
        return outcome(line.record, message.resource, "rejected", all_problems)
    return replace(
        line,
        mapped=replace(line.mapped, slots=tuple(slots)),
        left_out=frozenset(left_out),
        problems=all_problems,
    )
