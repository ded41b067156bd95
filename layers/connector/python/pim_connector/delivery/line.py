"""One record on its way to the PIM, and what can come of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.states import Problem, RecordOutcome, State

if TYPE_CHECKING:
    from pim_connector.ledger import LedgerEntry
    from pim_connector.mapping.result import Mapped, Slot
    from pim_connector.messages import MessageRecord


class Line(Struct, frozen=True, kw_only=True):
    """A mapped record with the slots that are to be sent.

    `whole` says that they make a product that is not there yet. `created` remembers that an
    earlier call already created it. `left_out` are slots that the PIM refused and the mapping
    allows to leave out, `problems` say so in words. `unlinked` are the PIM's words on links
    without which the line is sent; they are among `left_out` until they can follow.
    """

    record: MessageRecord
    mapped: Mapped
    entry: LedgerEntry | None
    slots: tuple[Slot, ...] = ()
    whole: bool = True
    created: bool = False
    left_out: frozenset[tuple[str, ...]] = frozenset()
    problems: tuple[Problem, ...] = ()
    unlinked: tuple[Problem, ...] = ()


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
    """Give what is booked of a record."""
    return RecordOutcome(
        number=record.number,
        line=record.line,
        state=state,
        identifier=record.identifier,
        resource=resource,
        problems=problems,
    )
