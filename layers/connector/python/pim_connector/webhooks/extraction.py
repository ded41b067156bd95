"""Which assets an event is about, and whether it says that they are deleted."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from pim_connector.dam.asset_messages import Change
from pim_connector.dam.event_kinds import Events
from pim_connector.errors import RejectedError
from pim_connector.expressions import Expression, as_text

MOST_IDS = 10_000
LONGEST_ID = 1_000


class EventReader(Struct, frozen=True, kw_only=True):
    """The `events` part of a source file with its expressions compiled."""

    ids: Expression
    kind: Expression | None
    deleted_when: Expression | None
    ignored_when: Expression | None
    event_id: Expression | None
    settle_s: float

    @classmethod
    def compile(cls, events: Events, *, name: str) -> EventReader:
        """Compile; ConfigurationError names file and key."""

        def expression(key: str) -> Expression | None:
            text = getattr(events, key)
            return Expression(text, where=f"{name}, events.{key}") if text else None

        return cls(
            ids=Expression(events.ids, where=f"{name}, events.ids"),
            kind=expression("kind"),
            deleted_when=expression("deleted_when"),
            ignored_when=expression("ignored_when"),
            event_id=expression("event_id"),
            settle_s=events.settle_s,
        )


class Heard(Struct, frozen=True, kw_only=True):
    """What one event says: changes of assets, or nothing of interest. `kind` is for the log."""

    changes: tuple[Change, ...]
    kind: str | None = None
    event_id: str | None = None


def hear(reader: EventReader, event: Any, now: float) -> Heard:
    """Read one unwrapped event. An asset named twice in it is one change.

    Raises RejectedError where the event is not what the source file expects.
    """
    if reader.ignored_when and reader.ignored_when.holds(event):
        return Heard(changes=(), kind=_text(reader.kind, event))
    event_id = _text(reader.event_id, event)
    deleted = reader.deleted_when is not None and reader.deleted_when.holds(event)
    changes = tuple(
        Change(
            id=asset_id,
            kind="deleted" if deleted else "changed",
            origin="event",
            not_before=now + reader.settle_s,
            event_id=event_id,
        )
        for asset_id in _ids(reader.ids.read(event))
    )
    return Heard(changes=changes, kind=_text(reader.kind, event), event_id=event_id)


def _ids(found: Any) -> list[str]:
    if found is None:
        return []
    values = found if isinstance(found, list) else [found]
    if len(values) > MOST_IDS:
        raise RejectedError(f"an event about {len(values)} assets; {MOST_IDS} are the most")
    ids: dict[str, None] = {}
    for value in values:
        if value is None or value == "":
            continue
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise RejectedError(f"`ids` gives {type(value).__name__} instead of text or a number")
        text = as_text(value)
        if len(text) > LONGEST_ID:
            raise RejectedError(f"`ids` gives a text of {len(text)} characters")
        ids[text] = None
    return list(ids)


def _text(expression: Expression | None, event: Any) -> str | None:
    found = expression.read(event) if expression else None
    return as_text(found)[:200] if isinstance(found, str | int | float) else None
