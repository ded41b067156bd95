"""Records what became of assets, as the product flow does: one run a day and source.

So `runs`, `show` and `rejects` read both flows alike. A message is recorded once, however often it
is delivered.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from msgspec import Struct, field

from pim_connector.akeneo import CredentialsError, ForbiddenError
from pim_connector.akeneo.pim import (
    Breaker,
    Gate,
    Open,
    PimUnavailableError,
    Probing,
    asking_the_pim,
)
from pim_connector.assets.delivery import Batch, SourceParts, Task, deliver, unfinished
from pim_connector.assets.values import AssetOutcome
from pim_connector.aws.queue import Receipts
from pim_connector.aws.table import ItemChange, Table
from pim_connector.errors import ConfigurationError, ConnectorError, RejectedError, TransientError
from pim_connector.logs import about, log_outcome
from pim_connector.outcomes import RecordOutcome
from pim_connector.sync.message_results import Deliveries
from pim_connector.sync.messages import decode_asset_message
from pim_connector.sync.runs import header_key

logger = logging.getLogger(__name__)

ATTEMPT_KEPT_SECONDS = 15 * 24 * 3600


def run_of(source: str, sent: float) -> str:
    """Name the run of a message by the day (UTC) it was put into the queue (epoch seconds)."""
    return f"assets-{source}-{datetime.fromtimestamp(sent, UTC):%Y-%m-%d}"


class MessageResults:
    """The run table's part for assets. Raises what `RunTable` raises."""

    def __init__(self, table: Table, *, now: Callable[[], float]) -> None:
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

    def store(self, task: Task, outcomes: Sequence[AssetOutcome]) -> None:
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
        self._table.update(header_key(task.run), ItemChange(put=header))
        named = {"run": task.run, "source": task.message.source, "order": day}
        at = f"{day.replace('-', '')}T000000Z-{task.run}"  # among the runs of files, by time
        self._table.put({"pk": "runs", "sk": at} | named)
        self._begun.add(task.run)


# Decides what becomes of the messages of one invocation: done, come back, or put aside.


MOST_ATTEMPTS = 5
SOON_SECONDS = 15
AFTER_MISCONFIGURATION_SECONDS = 300
AFTER_CRASH_SECONDS = 60


PartsOf = Callable[[str, Callable[[], float]], SourceParts]
"""Puts together what a source's delivery needs; raises ConfigurationError and TransientError."""


class Handled(Struct):
    """What became of an invocation's messages: ids that come back, and what to count."""

    back: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class AssetWorker:
    """Handles batches of the asset queue. `now` is in epoch seconds."""

    def __init__(
        self,
        parts_of: PartsOf,
        results: MessageResults,
        breaker: Breaker,
        receipts: Receipts,
        *,
        now: Callable[[], float],
    ) -> None:
        self._parts_of = parts_of
        self._results = results
        self._breaker = breaker
        self._receipts = receipts
        self._now = now

    def handle(
        self, records: Sequence[Mapping[str, Any]], seconds_left: Callable[[], float]
    ) -> Handled:
        """Take the SQS records of one invocation as far as they go now.

        What comes back is ordered as FIFO needs it: in a message group, all after the first that
        does.
        """
        handled = Handled()
        tasks = [task for record in records if (task := self._task(record, handled))]
        receipts = {r["messageId"]: str(r["receiptHandle"]) for r in records}
        try:
            done, wait = self._gated(tasks, records, seconds_left, handled)
        except TransientError as error:
            logger.warning("assets come back: %s", error)
            done, wait = set(), SOON_SECONDS
        for task in unfinished(tasks, done):
            handled.back.append(task.id)
            longer = SOON_SECONDS * 2 ** min(task.received - 1, 6)
            wanted = max(wait, longer) if wait == SOON_SECONDS else wait
            self._come_back(receipts[task.id], wanted, task.received)
        handled.counts["AssetMessagesPostponed"] += len(handled.back)
        handled.counts = +handled.counts
        return handled

    def _task(self, record: Mapping[str, Any], handled: Handled) -> Task | None:
        attributes = record["attributes"]
        try:
            message = decode_asset_message(str(record["body"]))
        except RejectedError as error:
            self._receipts.put_aside(str(record["body"]), attributes, str(error))
            handled.counts["AssetMessagesToDeadLetters"] += 1
            return None
        sent = int(attributes.get("SentTimestamp", "0")) / 1000
        group = str(attributes.get("MessageGroupId", ""))
        run = run_of(message.source, sent or self._now())
        return Task(
            id=str(record["messageId"]),
            group=group,
            run=run,
            message=message,
            received=int(attributes.get("ApproximateReceiveCount", "1")),
        )

    def _gated(
        self,
        tasks: Sequence[Task],
        records: Sequence[Mapping[str, Any]],
        seconds_left: Callable[[], float],
        handled: Handled,
    ) -> tuple[set[str], int]:
        gate = self._breaker.enter(self._now())
        if isinstance(gate, Open):
            return set(), gate.wait
        if isinstance(gate, Probing):
            tasks = tasks[:1]
        attempts = {task.id: self._results.start_attempt(task, self._now()) for task in tasks}
        done = self._put_aside(tasks, attempts, records, handled)
        left = [task for task in tasks if task.id not in done]
        alone = any(attempts[task.id] > 1 for task in left)
        wait = SOON_SECONDS
        by_source = groupby(left, key=lambda task: task.id if alone else task.message.source)
        for _, members in by_source:
            batch = list(members)
            with about(run=batch[0].run, source=batch[0].message.source):
                finished, wait = self._deliver(batch, gate, seconds_left, handled)
            done |= finished
        return done, wait

    def _put_aside(
        self,
        tasks: Sequence[Task],
        attempts: Mapping[str, int],
        records: Sequence[Mapping[str, Any]],
        handled: Handled,
    ) -> set[str]:
        """Put messages aside whose worker died again and again."""
        raw = {record["messageId"]: record for record in records}
        poison = {task.id for task in tasks if attempts[task.id] > MOST_ATTEMPTS}
        for message_id in poison:
            record = raw[message_id]
            reason = f"{MOST_ATTEMPTS} attempts ended in a crash"
            self._receipts.put_aside(str(record["body"]), record["attributes"], reason)
            self._results.forget_attempts(next(task for task in tasks if task.id == message_id))
            handled.counts["AssetMessagesToDeadLetters"] += 1
        return poison

    def _deliver(
        self,
        tasks: list[Task],
        gate: Gate,
        seconds_left: Callable[[], float],
        handled: Handled,
    ) -> tuple[set[str], int]:
        """Deliver messages of one source; give those done, and how long the others wait."""
        try:
            parts = self._parts_of(tasks[0].message.source, seconds_left)
            if isinstance(gate, Probing):
                with asking_the_pim():
                    parts.upserting.pim.system_information()
            batch = deliver(tasks, parts)
        except ConnectorError as error:
            batch = Batch(failure=error)
        except Exception:
            logger.exception("delivering assets crashed")
            return set(), AFTER_CRASH_SECONDS
        wait = self._wait_after(batch, gate, handled)
        done = self._store(tasks, batch, handled)
        for task in tasks:
            if task.id not in done:
                self._results.end_attempt(task)
        return done, wait

    def _wait_after(self, batch: Batch, gate: Gate, handled: Handled) -> int:
        error = batch.failure
        if error is None:
            self._breaker.succeeded(gate)
            return SOON_SECONDS
        logger.warning("some assets come back: %s", error)
        if isinstance(error, PimUnavailableError):
            handled.counts["BreakerOpened"] += 1
            return self._breaker.failed(gate, "unreachable", self._now(), str(error))
        if isinstance(error, CredentialsError | ForbiddenError):
            handled.counts["PimCredentialsRefused"] += 1
            return AFTER_MISCONFIGURATION_SECONDS
        if isinstance(error, ConfigurationError):
            handled.counts["DamMisconfigured"] += 1
            return AFTER_MISCONFIGURATION_SECONDS
        asked = getattr(error, "retry_after", None)
        return SOON_SECONDS if asked is None else int(asked)

    def _store(self, tasks: Sequence[Task], batch: Batch, handled: Handled) -> set[str]:
        """Book the messages all of whose assets have their end, as far as FIFO lets them go."""
        last = {change.id: task.id for task in tasks for change in task.message.changes}
        ready: dict[str, list[AssetOutcome]] = {}
        for task in tasks:
            outcomes = [
                batch.outcomes.get(change.id)
                if last[change.id] == task.id
                else AssetOutcome(dam_id=change.id, state="superseded")
                for change in task.message.changes
            ]
            known = [outcome for outcome in outcomes if outcome is not None]
            if len(known) == len(outcomes):
                ready[task.id] = known
        back = {task.id for task in unfinished(tasks, set(ready))}
        for task in tasks:
            if task.id in back:
                continue
            self._results.store(task, ready[task.id])
            handled.counts.update(f"Assets{o.state.capitalize()}" for o in ready[task.id])
        return set(ready) - back

    def _come_back(self, receipt: str, seconds: int, received: int) -> None:
        try:
            self._receipts.come_back(receipt, seconds, received=received)
        except TransientError as error:
            logger.warning("a message comes back after the queue's own time-out: %s", error)
