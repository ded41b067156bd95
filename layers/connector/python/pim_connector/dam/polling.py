"""How far each source was read: one item of the state table per source.

The item is written only if nobody else wrote it since it was read, so that two polls that both
think they are the only one cannot move a cursor back, or past what only one of them has queued.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from itertools import count
from typing import TYPE_CHECKING, Any, Literal, Protocol
from uuid import uuid4

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict, replace

from pim_connector.aws.queue import FifoQueue, Outgoing
from pim_connector.aws.table import ItemChange, Leases, Table
from pim_connector.dam.client import DamClient
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import SourceFiles
from pim_connector.dam.pages import Position, Row, Step
from pim_connector.errors import ConfigurationError, ConnectorError, TransientError
from pim_connector.logs import about
from pim_connector.sync.messages import (
    MOST_BYTES,
    MOST_CHANGES,
    AssetMessage,
    Change,
    Kind,
    asset_group,
    asset_group_id,
    encode_asset_message,
    fitting,
    pack,
    weight,
)

if TYPE_CHECKING:
    import httpx


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
        """Return the cursor of a source, an empty one if it has none."""

    def save(self, source: str, cursor: SourceCursor, now: float) -> SourceCursor:
        """Write it if nobody else did since it was read; give it as it is now."""


class CursorTable:
    """Cursors in DynamoDB, `cursor#<source>`. Raises TransientError when DynamoDB cannot answer."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def load(self, source: str) -> SourceCursor:
        """Return the cursor of a source; ConfigurationError if the item is not one."""
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
        change = ItemChange(
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
        change = ItemChange(put={"finished_at": int(now)}, condition="attribute_exists(pk)")
        self._table.update({"pk": f"cursor#{source}"}, change)

    def finished_at(self, source: str) -> int | None:
        """Give when a poll last read all there was, in epoch seconds; None if none ever did."""
        item = self._table.get({"pk": f"cursor#{source}"})
        return int(item["finished_at"]) if item and "finished_at" in item else None

    def forget(self, source: str) -> None:
        """Have the source read from the beginning at the next poll."""
        self._table.delete({"pk": f"cursor#{source}"})


# Between a walk and the asset queue: changes gathered into full messages, and what is safe.
#
# A message has the changes of one message group, so four message groups fill four messages side by
# side. The cursor may move to a place only when everything read before it is in the queue, so each
# change that waits here holds it back.


Send = Callable[[AssetMessage], None]
MOST_REMEMBERED = 20_000


class _Waiting(Struct):
    change: Change
    number: int
    before: Position


class Buffer:
    """Gathers the changes of one walk. `send` returns once the queue has taken a message."""

    def __init__(self, source: str, groups: int, send: Send) -> None:
        self._source, self._groups, self._send = source, groups, send
        self._waiting: dict[int, list[_Waiting]] = {group: [] for group in range(groups)}
        self._bytes = dict.fromkeys(range(groups), 0)
        self._number = 0
        self._last: OrderedDict[bytes, bytes] = OrderedDict()
        self.sent = 0
        self.repeats = 0

    def put(self, change: Change, before: Position) -> None:
        """Take a change that was read from `before` on; what was just handed over is left out."""
        if self._is_repeat(change):
            self.repeats += 1
            return
        change = fitting(change)
        group, more = asset_group(self._source, change.id, self._groups), weight(change) + 1
        if self._bytes[group] + more > MOST_BYTES:
            self._send_group(group)
        self._number += 1
        self._waiting[group].append(_Waiting(change, self._number, before))
        self._bytes[group] += more
        if len(self._waiting[group]) == MOST_CHANGES:
            self._send_group(group)

    @property
    def taken(self) -> int:
        """How many changes were handed over, sent or waiting; repeats are not counted."""
        return self._number

    def flush(self) -> None:
        """Send what waits, full or not."""
        for group in self._waiting:
            self._send_group(group)

    def safe(self, after: Position) -> Position:
        """Give how far the cursor may move: to `after`, or to where the oldest that waits began."""
        oldest = min(
            (waiting[0] for waiting in self._waiting.values() if waiting),
            key=lambda first: first.number,
            default=None,
        )
        return after if oldest is None else oldest.before

    def _send_group(self, group: int) -> None:
        waiting = self._waiting[group]
        for message in pack(self._source, group, (w.change for w in waiting)):
            self._send(message)
            self.sent += len(message.changes)
        self._waiting[group] = []
        self._bytes[group] = 0

    def _is_repeat(self, change: Change) -> bool:
        """Say whether this asset was last handed over with exactly this content, in this walk."""
        key = blake2b(change.id.encode(), digest_size=12).digest()
        content = msgspec.json.encode((change.kind, change.properties), order="sorted")
        digest = blake2b(content, digest_size=16).digest()
        if self._last.get(key) == digest:
            self._last.move_to_end(key)
            return True
        self._last[key] = digest
        self._last.move_to_end(key)
        if len(self._last) > MOST_REMEMBERED:
            self._last.popitem(last=False)
        return False


# Puts what a DAM announced into the asset queue, each asset in its message group.


class AssetQueue:
    """The asset queue as a place to announce changes to."""

    def __init__(self, queue: FifoQueue, *, groups: int) -> None:
        self._queue = queue
        self._groups = groups

    def send(self, source: str, changes: Sequence[Change]) -> None:
        """Send changes in groups of at most 100, one message group each. Raises what `FifoQueue`
        raises.
        """
        by_group: dict[int, list[Change]] = {}
        for change in changes:
            by_group.setdefault(asset_group(source, change.id, self._groups), []).append(change)
        bodies = [
            (message.group, encode_asset_message(message).encode("ascii"))
            for group, members in by_group.items()
            for message in pack(source, group, members)
        ]
        self._queue.send(
            Outgoing(
                group=asset_group_id(group),
                # Never of the content: an asset changed back within five minutes is a change too.
                deduplication=uuid4().hex,
                body=body,
            )
            for group, body in bodies
        )


# One poll of one source: what changed since the last one goes to the asset queue.
#
# The cursor is saved only past what the queue has taken. So a poll that is cut short, by time or
# by a DAM that stops answering, loses nothing: the next one goes on from there, and what comes
# twice does no harm, because the asset mapper drops what has not changed.


Which = Literal["changes", "deletions"]

STEPS_BETWEEN_SAVES = 20
MOST_NOTES = 20
MOST_UNREADABLE = 10_000
"""So many unreadable items are told apart; beyond that one may be counted twice."""


class PollReport(Struct, kw_only=True):
    """What a poll did. `finished` is whether the end of what changed was reached.

    `assets` counts what the queue took, `repeats` what came more than once in this poll,
    `unreadable` items with a stamp nobody can read, `without_id` items that are passed over
    because they have no id (folders, what the account may not see); `notes` say more.
    """

    source: str
    requests: int = 0
    assets: int = 0
    repeats: int = 0
    unreadable: int = 0
    without_id: int = 0
    finished: bool = True
    full_load: bool = False
    notes: list[str] = field(default_factory=list)
    _unreadable: set[bytes] = field(default_factory=set)

    def pass_over(self, row: Row) -> None:
        """Count an item without an id; one that two pages share counts twice."""
        self.without_id += row.nameless

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
        """Return what is to be logged."""
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
    groups: int
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
        buffer = Buffer(report.source, self.groups, self.send)
        before = after = cursor.changes if which == "changes" else cursor.deletions
        steps = self._steps(which, before)
        try:
            for number, step in enumerate(steps, start=1):
                self._take(step, before, buffer, report)
                before = after = step.position
                if step.position.started is None:
                    self._doubt(which, buffer.taken, after, report)
                    break
                if number % STEPS_BETWEEN_SAVES == 0:
                    cursor = self._save(which, cursor, buffer.safe(after))
                if self.time_left() < self.reserve:
                    report.finished = False
                    break
                self._stay_alone()
        except ConnectorError:
            report.finished = False
            raise
        finally:
            buffer.flush()
            report.assets += buffer.sent
            report.repeats += buffer.repeats
            cursor = self._save(which, cursor, after)
        return cursor

    def _steps(self, which: Which, position: Position) -> Iterator[Step]:
        client = self.client
        return client.changes(position) if which == "changes" else client.deletions(position)

    def _take(self, step: Step, before: Position, buffer: Buffer, report: PollReport) -> None:
        if step.note:
            report.note(step.note)
        for row in step.rows:
            if row.problem:
                report.cannot_read(row)
            report.pass_over(row)
            for change in changes_of(row):
                buffer.put(change, before)

    def _doubt(self, which: Which, taken: int, at: Position, report: PollReport) -> None:
        """Say that no stamp was seen: nothing is lost, but each poll is as long as the first."""
        source = self.client.source
        if which == "changes" and report.full_load and report.without_id and not taken:
            raise ConfigurationError(
                f"not one of {report.without_id} items has an id at `{source.id}`; check `id`, "
                "`list.items`, and what the credentials may see"
            )
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


# A round of polls: every source in its turn, each alone, each with its share of the time.


log = logging.getLogger(__name__)

RESERVE_SECONDS = 20
"""What stays for the last request, the last messages and the cursor, beside the DAM's time-out."""


class Round(Struct, frozen=True, kw_only=True):
    """What a round works with. `owner` is unlike that of any other round."""

    files: SourceFiles
    cursors: CursorTable
    leases: Leases
    queue: FifoQueue
    groups: int
    owner: str
    clocks: Clocks
    transport: httpx.BaseTransport | None = None

    def run(self, only: str | None = None) -> list[dict[str, Any]]:
        """Poll all sources, or one. Gives what is to be logged of each.

        One source's trouble does not keep the others from their turn: see `refuse_misconfigured`.
        """
        names = [only] if only else self.files.names()
        done = []
        for number, name in enumerate(names):
            share = self.clocks.time_left() / (len(names) - number)
            try:
                with about(source=name):
                    done.append(self._source(name, share))
            except ConfigurationError as error:
                done.append({"source": name, "outcome": "misconfigured", "reason": str(error)})
            except ConnectorError as error:
                done.append({"source": name, "outcome": "postponed", "reason": str(error)})
        for outcome in done:
            log.info("polled", extra=outcome)
        return done

    def lag(self) -> int | None:
        """Give how long ago, in seconds, the source that is furthest behind was read to its end.

        None if no source ever was: a first load that takes days is no fault.
        """
        ends = [self.cursors.finished_at(name) for name in self.files.names()]
        known = [end for end in ends if end is not None]
        return max(0, int(self.clocks.now()) - min(known)) if known else None

    def _source(self, name: str, share: float) -> dict[str, Any]:
        stored = self.files.get(name)
        if stored is None:
            raise ConfigurationError(f"there is no file config/dam/{name}.yaml")
        held = self.leases.acquire(f"dam-{name}", self.owner, self.clocks.now())
        if not held:
            return {"source": name, "outcome": "busy"}
        try:
            client = DamClient(
                stored.source, stored.secret, transport=self.transport, clocks=self.clocks
            )
            with client:
                report = self._poll(client, share).run()
            if report.finished:
                self.cursors.note_finished(name, self.clocks.now())
        finally:
            self.leases.release(f"dam-{name}", self.owner)
        return {"outcome": "finished" if report.finished else "goes on", **report.as_log()}

    def _poll(self, client: DamClient, share: float) -> Poll:
        until = self.clocks.time_left() - share
        reserve = RESERVE_SECONDS + client.source.rate.timeout_s
        return Poll(
            client=client,
            cursors=self.cursors,
            send=self._sender(client.source.source),
            groups=self.groups,
            time_left=lambda: min(
                self.clocks.time_left() - until, self.clocks.time_left() - reserve
            ),
            still_alone=self.leases.renewal(
                f"dam-{client.source.source}", self.owner, self.clocks.now
            ),
        )

    def _sender(self, source: str) -> Callable[[AssetMessage], None]:
        numbers = count(1)

        def send(message: AssetMessage) -> None:
            # Never of the content: an asset changed back within five minutes is a change too.
            deduplication = f"{self.owner}-{source}-{next(numbers)}"[-128:]
            group, body = (
                asset_group_id(message.group),
                encode_asset_message(message).encode("ascii"),
            )
            self.queue.send([Outgoing(group=group, deduplication=deduplication, body=body)])

        return send


def refuse_misconfigured(outcomes: Sequence[dict[str, Any]]) -> None:
    """Raise ConfigurationError with all that somebody has to fix, so that an alarm goes off."""
    broken = [one["reason"] for one in outcomes if one["outcome"] == "misconfigured"]
    if broken:
        raise ConfigurationError("\n".join(broken))


def totals(outcomes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add up what the sources' polls did, as metrics."""
    return {
        "AssetsQueued": sum(outcome.get("assets", 0) for outcome in outcomes),
        "AssetsUnreadable": sum(outcome.get("unreadable", 0) for outcome in outcomes),
        "DamRequests": sum(outcome.get("requests", 0) for outcome in outcomes),
        "DamPollsPostponed": sum(outcome["outcome"] == "postponed" for outcome in outcomes),
    }
