"""Between a walk and the asset queue: changes gathered into full messages, and what is safe.

A message has the changes of one lane, so four lanes fill four messages side by side. The cursor
may move to a place only when everything read before it is in the queue, so each change that waits
here holds it back.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b

import msgspec
from msgspec import Struct

from pim_connector.dam.asset_messages import (
    MOST_BYTES,
    MOST_CHANGES,
    AssetMessage,
    Change,
    asset_lane,
    fitting,
    pack,
    weight,
)
from pim_connector.dam.pages import Position

Send = Callable[[AssetMessage], None]
MOST_REMEMBERED = 20_000


class _Waiting(Struct):
    change: Change
    number: int
    before: Position


class Handover:
    """Gathers the changes of one walk. `send` returns once the queue has taken a message."""

    def __init__(self, source: str, lanes: int, send: Send) -> None:
        self._source, self._lanes, self._send = source, lanes, send
        self._waiting: dict[int, list[_Waiting]] = {lane: [] for lane in range(lanes)}
        self._bytes = dict.fromkeys(range(lanes), 0)
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
        lane, more = asset_lane(self._source, change.id, self._lanes), weight(change) + 1
        if self._bytes[lane] + more > MOST_BYTES:
            self._send_lane(lane)
        self._number += 1
        self._waiting[lane].append(_Waiting(change, self._number, before))
        self._bytes[lane] += more
        if len(self._waiting[lane]) == MOST_CHANGES:
            self._send_lane(lane)

    @property
    def taken(self) -> int:
        """How many changes were handed over, sent or waiting; repeats are not counted."""
        return self._number

    def flush(self) -> None:
        """Send what waits, full or not."""
        for lane in self._waiting:
            self._send_lane(lane)

    def safe(self, after: Position) -> Position:
        """Give how far the cursor may move: to `after`, or to where the oldest that waits began."""
        oldest = min(
            (waiting[0] for waiting in self._waiting.values() if waiting),
            key=lambda first: first.number,
            default=None,
        )
        return after if oldest is None else oldest.before

    def _send_lane(self, lane: int) -> None:
        waiting = self._waiting[lane]
        for message in pack(self._source, lane, (w.change for w in waiting)):
            self._send(message)
            self.sent += len(message.changes)
        self._waiting[lane] = []
        self._bytes[lane] = 0

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
