"""Records that wait, for their product model or with their links for the run: and go on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from pim_connector.lanes import message_group
from pim_connector.messages import (
    HeavyPointer,
    MessageRecord,
    ProductMessage,
    deduplication_id,
    encode,
    heavy_key,
    released_id,
)
from pim_connector.queues import FifoQueue, Outgoing
from pim_connector.runs.parking import ParkedGroup, Parking, links_due

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket
    from pim_connector.runs.run import Run


class Parents:
    """Parks and releases. Everything may be done twice: ids and keys follow from the message."""

    def __init__(
        self,
        parking: Parking,
        bucket: Bucket,
        queue: FifoQueue,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._parking = parking
        self._bucket = bucket
        self._queue = queue
        self._now = now

    def park(
        self, message: ProductMessage, records: Sequence[MessageRecord], parent: str
    ) -> ParkedGroup:
        """Put the records aside, as the one message that will carry them when `parent` is there."""
        later = msgspec.structs.replace(
            message, id=released_id(message.id, records[0].number), records=tuple(records)
        )
        group = ParkedGroup(
            parent=parent,
            run=message.run,
            message=later.id,
            lane=message.lane,
            heavy=heavy_key(message.run, later.id),
            since=int(self._now()),
            records=len(records),
            models=_models(message, records),
        )
        self._bucket.put(group.heavy, encode(later))
        self._parking.park(group)
        return group

    def release(self, parent: str) -> int:
        """Send on what waits for `parent`, into the lanes it came from; give how many records."""
        return self._send(self._parking.waiting_for(parent))

    def release_links(self, run: Run) -> int:
        """Send on what waits for the rest of the run, if that is through; give how many records."""
        if run.counts["parked"] == 0 or run.recorded + run.dead < run.sent:
            return 0
        due = links_due(run, list(self._parking.of_run(run.id)))
        return self._send(due, last=True)

    def _send(self, groups: Sequence[ParkedGroup], *, last: bool = False) -> int:
        self._queue.send(
            Outgoing(
                group=message_group(group.lane),
                deduplication=deduplication_id(
                    group.run, f"{group.message}-last" if last else group.message
                ),
                body=encode(HeavyPointer(run=group.run, heavy=group.heavy, last=last)),
            )
            for group in groups
        )
        for group in groups:
            self._parking.unpark(group)
        return sum(group.records for group in groups)


def _models(message: ProductMessage, records: Sequence[MessageRecord]) -> tuple[str, ...]:
    if message.resource != "product_model":
        return ()
    return tuple(record.identifier for record in records)
