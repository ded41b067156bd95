"""How far each source was read: one item of the state table per source.

The item is written only if nobody else wrote it since it was read, so that two polls that both
think they are the only one cannot move a cursor back, or past what only one of them has queued.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec import Struct

from pim_connector.dam.pages import Position
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.runs.table import Change, RunTable


class SourceCursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The positions in a source's list of changes and in its feed of deletions.

    `version` counts writes; 0 is a source that was never polled, which means a full load.
    """

    changes: Position = Position()
    deletions: Position = Position()
    version: int = 0


class Cursors(Protocol):
    """Where cursors are kept: the state table, or a file of `assets preview`."""

    def load(self, source: str) -> SourceCursor:
        """Give the cursor of a source, an empty one if it has none."""

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        """Write it if nobody else did since it was read; give it as it is now."""


class CursorTable:
    """Cursors in DynamoDB, `cursor#<source>`. Raises TransientError when DynamoDB cannot answer."""

    def __init__(self, table: RunTable) -> None:
        self._table = table

    def load(self, source: str) -> SourceCursor:
        """Give the cursor of a source; ConfigurationError if the item is not one."""
        item = self._table.get({"pk": f"cursor#{source}"})
        if item is None:
            return SourceCursor()
        try:
            return msgspec.json.decode(item["position"], type=SourceCursor)
        except (msgspec.MsgspecError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"the item cursor#{source} of the state table is not a cursor ({error}); delete "
                "it to have the source read from the beginning"
            ) from error

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        """Write the cursor. TransientError when another poll wrote it meanwhile."""
        written = msgspec.structs.replace(cursor, version=cursor.version + 1)
        change = Change(
            put={
                "position": msgspec.json.encode(written).decode(),
                "version": written.version,
                "saved_at": int(now),
            },
            condition="attribute_not_exists(pk) OR #version = :before",
            given={"before": cursor.version},
        )
        if self._table.update({"pk": f"cursor#{source}"}, change) is None:
            raise TransientError(
                f"{source}: another poll moved the cursor meanwhile; the next one goes on from it"
            )
        return written

    def note_finished(self, source: str, now: float) -> None:
        """Write down that a poll has read all there was."""
        change = Change(put={"finished_at": int(now)}, condition="attribute_exists(pk)")
        self._table.update({"pk": f"cursor#{source}"}, change)

    def finished_at(self, source: str) -> int | None:
        """Give when a poll last read all there was, in epoch seconds; None if none ever did."""
        item = self._table.get({"pk": f"cursor#{source}"})
        return int(item["finished_at"]) if item and "finished_at" in item else None

    def forget(self, source: str) -> None:
        """Have the source read from the beginning at the next poll."""
        self._table.delete({"pk": f"cursor#{source}"})
