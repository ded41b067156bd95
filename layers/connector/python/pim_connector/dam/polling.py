"""One poll of one source: what changed since the last one goes to the asset queue.

The cursor is saved only past what the queue has taken. So a poll that is cut short, by time or
by a DAM that stops answering, loses nothing: the next one goes on from there, and what comes
twice does no harm, because the asset mapper drops what has not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import Any, Literal

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from pim_connector.dam.asset_messages import Change, Kind
from pim_connector.dam.client import DamClient
from pim_connector.dam.cursor import Cursors, SourceCursor
from pim_connector.dam.handover import Handover, Send
from pim_connector.dam.pages import Position, Row, Step
from pim_connector.errors import ConnectorError, TransientError

Which = Literal["changes", "deletions"]

STEPS_BETWEEN_SAVES = 20
MOST_NOTES = 20
MOST_UNREADABLE = 10_000
"""So many unreadable items are told apart; beyond that one may be counted twice."""


class PollReport(Struct, kw_only=True):
    """What a poll did. `finished` is whether the end of what changed was reached.

    `assets` counts what the queue took, `repeats` what came more than once in this poll,
    `unreadable` items without an id or with a stamp nobody can read; `notes` say more.
    """

    source: str
    requests: int = 0
    assets: int = 0
    repeats: int = 0
    unreadable: int = 0
    finished: bool = True
    full_load: bool = False
    notes: list[str] = field(default_factory=list)
    _unreadable: set[bytes] = field(default_factory=set)

    def cannot_read(self, row: Row) -> None:
        """Count an item once, although pages overlap, and say what is wrong with it."""
        content = msgspec.json.encode((row.problem, row.properties), order="sorted")
        digest = blake2b(content, digest_size=12).digest()
        if digest in self._unreadable:
            return
        self.unreadable += 1
        self.note(row.problem or "")
        if len(self._unreadable) < MOST_UNREADABLE:
            self._unreadable.add(digest)

    def as_log(self) -> dict[str, Any]:
        """Give what is to be logged."""
        return {name: value for name, value in asdict(self).items() if not name.startswith("_")}

    def note(self, text: str) -> None:
        """Keep a remark for the operator once, and not endlessly many."""
        if text not in self.notes and len(self.notes) < MOST_NOTES:
            self.notes.append(text)


class Poll(Struct, frozen=True, kw_only=True):
    """What a poll works with. `time_left` is in seconds; it stops when less than `reserve` is.

    `still_alone` renews the lease and says whether this poll may go on.
    """

    client: DamClient
    cursors: Cursors
    send: Send
    lanes: int
    time_left: Callable[[], float]
    reserve: float = 0
    still_alone: Callable[[], bool] = lambda: True

    def run(self) -> PollReport:
        """Poll once. Errors of the DAM and of AWS leave everything saved that the queue took."""
        source = self.client.source.source
        cursor = self.cursors.load(source)
        report = PollReport(source=source, full_load=cursor.version == 0)
        requests = self.client.http.requests
        try:
            for which in ("deletions", "changes"):
                if report.finished:
                    cursor = self._walk(which, cursor, report)
        finally:
            report.requests = self.client.http.requests - requests
        return report

    def _walk(self, which: Which, cursor: SourceCursor, report: PollReport) -> SourceCursor:
        if which == "deletions" and self.client.source.deleted.feed is None:
            return cursor
        handover = Handover(report.source, self.lanes, self.send)
        before = after = cursor.changes if which == "changes" else cursor.deletions
        steps = self._steps(which, before)
        try:
            for number, step in enumerate(steps, start=1):
                self._take(step, before, handover, report)
                before = after = step.position
                if step.position.started is None:
                    self._doubt(which, handover.taken, after, report)
                    break
                if number % STEPS_BETWEEN_SAVES == 0:
                    cursor = self._save(which, cursor, handover.safe(after))
                if self.time_left() < self.reserve:
                    report.finished = False
                    break
                self._stay_alone()
        except ConnectorError:
            report.finished = False
            raise
        finally:
            handover.flush()
            report.assets += handover.sent
            report.repeats += handover.repeats
            cursor = self._save(which, cursor, after)
        return cursor

    def _steps(self, which: Which, position: Position) -> Iterator[Step]:
        client = self.client
        return client.changes(position) if which == "changes" else client.deletions(position)

    def _take(self, step: Step, before: Position, handover: Handover, report: PollReport) -> None:
        if step.note:
            report.note(step.note)
        for row in step.rows:
            if row.problem:
                report.cannot_read(row)
            for change in changes_of(row):
                handover.put(change, before)

    def _doubt(self, which: Which, taken: int, at: Position, report: PollReport) -> None:
        """Say that no stamp was seen: nothing is lost, but each poll is as long as the first."""
        source = self.client.source
        needs = source.list.mode != "full" and self.client.plan_of_changes.kind != "token"
        if which == "changes" and needs and taken and at.newest is None and at.began is None:
            report.note(
                f"not one of {taken} items has a time stamp at `{source.updated}` (updated): "
                "everything is read again in each poll"
            )

    def _stay_alone(self) -> None:
        if not self.still_alone():
            raise TransientError(
                f"{self.client.source.source}: another poll of this source took over"
            )

    def _save(self, which: Which, cursor: SourceCursor, position: Position) -> SourceCursor:
        changed = replace(cursor, **{which: position})
        if changed == cursor:
            return cursor
        now = self.client.clocks.now()
        return self.cursors.save(self.client.source.source, changed, now)


def changes_of(row: Row) -> Iterator[Change]:
    """Make what the queue carries of one row; a feed of deletions has ids only."""
    kind: Kind = "deleted" if row.deleted else "changed"
    for asset_id in row.ids:
        yield Change(id=asset_id, kind=kind, stamp=row.printed, properties=row.properties or None)
