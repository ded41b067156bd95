"""What can become of a record, and how it is told.

Every record of a file ends in exactly one state, and the states of a run add up to the number of
records in its file. `parked` is the only one that is not an end: the record waits for its
parent, or its links wait for the rest of the run.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

State = Literal["created", "updated", "unchanged", "superseded", "filtered", "rejected", "parked"]
STATES: Final[tuple[State, ...]] = get_args(State)
FINAL_STATES: Final[tuple[State, ...]] = tuple(state for state in STATES if state != "parked")


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason why a record was rejected, in words for the person who fixes it.

    `source` is the place in the record (an XPath), `value` what stood there, `advice` what to do.
    """

    reason: str
    attribute: str | None = None
    source: str | None = None
    value: str | None = None
    advice: str | None = None


class RecordOutcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one record; `problems` says why where it is `rejected` or `parked`.

    `changed` names the attributes and fields that were sent of a product that was `updated`,
    `later` the message that a `parked` record waits in.
    """

    number: int
    line: int
    state: State
    identifier: str | None = None
    resource: str | None = None
    problems: tuple[Problem, ...] = ()
    changed: tuple[str, ...] = ()
    later: str | None = None
