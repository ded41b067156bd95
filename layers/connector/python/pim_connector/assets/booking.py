"""Books what became of assets, as the product flow does: one run a day and source.

So `runs`, `show` and `rejects` read both flows alike. A message is booked once, however often it
is delivered.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from pim_connector.assets.incoming import Task
from pim_connector.assets.outcome import AssetOutcome
from pim_connector.log_keys import about, log_outcome
from pim_connector.runs.deliveries import Deliveries
from pim_connector.runs.run import header_key
from pim_connector.runs.table import Change, RunTable
from pim_connector.states import RecordOutcome

logger = logging.getLogger(__name__)

ATTEMPT_KEPT_SECONDS = 15 * 24 * 3600


def run_of(source: str, sent: float) -> str:
    """Name the run of a message by the day (UTC) it was put into the queue (epoch seconds)."""
    return f"assets-{source}-{datetime.fromtimestamp(sent, UTC):%Y-%m-%d}"


class Books:
    """The run table's part for assets. Raises what `RunTable` raises."""

    def __init__(self, table: RunTable, *, now: Callable[[], float]) -> None:
        self._table = table
        self._deliveries = Deliveries(table, now=now)
        self._begun: set[str] = set()

    def start_attempt(self, task: Task, now: float) -> int:
        """Count an attempt before it begins; a message that kills its worker never ends it."""
        expires = int(now) + ATTEMPT_KEPT_SECONDS
        return self._deliveries.start_attempt(task.run, task.id, expires_at=expires)

    def forget_attempts(self, task: Task) -> None:
        """Begin at 1 again: the message was put aside, and comes back when it is redriven."""
        self._deliveries.forget_attempts(task.run, task.id)

    def end_attempt(self, task: Task) -> None:
        """Take an attempt back that ended well, only too early."""
        self._deliveries.end_attempt(task.run, task.id)

    def book(self, task: Task, outcomes: Sequence[AssetOutcome]) -> None:
        """Book one message with the outcome of each of its changes, in their order."""
        self._begin(task)
        records = [
            RecordOutcome(
                number=number,
                line=0,
                state=outcome.state,
                identifier=outcome.dam_id,
                resource="asset",
                problems=outcome.problems,
            )
            for number, outcome in enumerate(outcomes, start=1)
        ]
        self._deliveries.record_message(task.run, task.id, records)
        with about(run=task.run, source=task.message.source, message_id=task.id):
            for record in records:
                log_outcome(logger, record)

    def _begin(self, task: Task) -> None:
        if task.run in self._begun:
            return
        day = task.run[-10:]
        header = {
            "id": task.run,
            "source": task.message.source,
            "bucket": "",
            "key": f"dam/{task.message.source}",
            "version": day,
            "size": 0,
            "order": day,
            "turn": day,
            "phase": "delivering",
            "kind": "assets",
        }
        self._table.update(header_key(task.run), Change(put=header))
        named = {"run": task.run, "source": task.message.source, "order": day}
        at = f"{day.replace('-', '')}T000000Z-{task.run}"  # among the runs of files, by time
        self._table.put({"pk": "runs", "sk": at} | named)
        self._begun.add(task.run)
