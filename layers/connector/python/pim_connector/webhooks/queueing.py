"""Puts what a DAM announced into the asset queue, each asset in its lane."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from pim_connector.dam.asset_messages import Change, asset_group, asset_lane, encode, pack
from pim_connector.queues import FifoQueue, Outgoing


class AssetQueue:
    """The asset queue as a place to announce changes to."""

    def __init__(self, queue: FifoQueue, *, lanes: int) -> None:
        self._queue = queue
        self._lanes = lanes

    def send(self, source: str, changes: Sequence[Change]) -> None:
        """Send changes in groups of at most 100, one lane each. Raises what `FifoQueue` raises."""
        by_lane: dict[int, list[Change]] = {}
        for change in changes:
            by_lane.setdefault(asset_lane(source, change.id, self._lanes), []).append(change)
        bodies = [
            (message.lane, encode(message).encode("ascii"))
            for lane, members in by_lane.items()
            for message in pack(source, lane, members)
        ]
        self._queue.send(
            Outgoing(
                group=asset_group(lane),
                # Never of the content: an asset changed back within five minutes is a change too.
                deduplication=uuid4().hex,
                body=body,
            )
            for lane, body in bodies
        )
