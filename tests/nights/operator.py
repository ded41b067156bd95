"""An operator who replays, redrives, confirms and reverts; whose commands may die at any call."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from pim_connector.products.replaying import ReplayParts
    from pim_connector.sync.runs import Run
    from tests.nights.account import Account

KILLED = 0.04
"""Of each call of a command: that the command ends there, in seeds in which anything is killed."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a command was told: which records of which run, by the words of the command line."""

    of: str
    rejected: bool = False
    number: int = 0
    identifier: str = ""
    forced: bool = False


class Operator:
    """Types one command at a time. `asked` is by the id of the run that the command makes."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.asked: dict[str, Asked] = {}

    def replay(self) -> None:
        """Replay something of a run that has ended, unless a job is under way."""
        self._type("replay", self._replay)

    def redrive(self) -> None:
        """Put the dead letters back into their queue."""
        from pim_connector.aws.queue import redrive

        account = self._account
        account.redriven |= {str(json.loads(m.body)["run"]) for m in account.dead.messages}

        def put_back() -> object:
            client: Any = boto3.client
            queues = account.dead.url, account.queue.url
            return redrive(client("sqs"), *queues, sleep=account.loop.wait)

        self._type("redrive", put_back)

    def confirm(self) -> None:
        """Have the products disabled that a suspicious full export lacks, where one waits."""
        self._type("confirm", self._confirm)

    def revert(self) -> None:
        """Undo what a run has done, unless anything is under way."""
        self._type("revert", self._revert)

    def _type(self, name: str, work: Callable[[], object]) -> None:
        account = self._account
        account.invocations.command(name, work, KILLED if account.weather.kill else 0.0)
        account.wake_housekeeping()

    def _replay(self) -> str:
        from pim_connector.products.replaying import Selection, replay
        from pim_connector.sync.jobs import job_name
        from pim_connector.sync.messages import Force

        begin = datetime.fromtimestamp(self._account.clock.now, UTC)
        parts = self._parts(begin)
        registry = parts.jobs.registry
        runs = list(registry.each(name.run for name in list(registry.all_runs())))
        ended = [run for run in runs if run.kind == "file" and run.finished_at and run.mapping]
        if not ended or any(run.kind != "file" and not run.finished_at for run in runs):
            return "nothing to replay now"
        run = self._account.chance.choice(ended)
        asked = self._drawn(run, self._account.chance)
        self.asked[job_name(run, "replay", begin)] = asked
        selection = Selection(
            rejected=asked.rejected,
            numbers=frozenset([asked.number] if asked.number else ()),
            identifiers=frozenset([asked.identifier] if asked.identifier else ()),
        )
        return replay(run, selection, parts, force=Force() if asked.forced else None).id

    def _confirm(self) -> str:
        from pim_connector.products.missing import approve

        parts = self._parts(datetime.fromtimestamp(self._account.clock.now, UTC)).jobs
        names = [name.run for name in parts.registry.all_runs()]
        held = [run for run in parts.registry.each(names) if run.hold]
        return approve(held[0], parts, "operator").id if held else "nothing to confirm"

    def _revert(self) -> str:
        from pim_connector.products.reverting import plan_revert, revert

        parts = self._parts(datetime.fromtimestamp(self._account.clock.now, UTC)).jobs
        names = [name.run for name in parts.registry.all_runs()]
        runs = [r for r in parts.registry.each(names) if r.kind == "file" and r.finished_at]
        if not runs:
            return "nothing to revert"
        run = self._account.chance.choice(runs[:3])
        return revert(run, plan_revert(run, parts), parts).id

    def _drawn(self, run: Run, chance: Random) -> Asked:
        [file] = [
            f for f in self._account.plan.files if (f.key, f.version) == (run.key, run.version)
        ]
        forced = chance.random() < 0.3
        way = chance.choice(("everything", "rejected", "rejected", "number", "identifier"))
        if way == "rejected":
            return Asked(of=run.id, rejected=True, forced=forced)
        if way == "number":
            return Asked(of=run.id, number=chance.randint(1, len(file.items)), forced=forced)
        if way == "identifier":
            return Asked(of=run.id, identifier=chance.choice(file.items).no, forced=forced)
        return Asked(of=run.id, forced=forced)

    def _parts(self, begin: datetime) -> ReplayParts:
        from pim_connector.aws.bucket import Bucket
        from pim_connector.aws.events import Announcements
        from pim_connector.aws.queue import FifoQueue
        from pim_connector.aws.table import Table
        from pim_connector.products.replaying import ReplayParts
        from pim_connector.sync.jobs import JobParts
        from pim_connector.sync.message_results import Deliveries
        from pim_connector.sync.runs import Registry
        from pim_connector.sync.state import SyncState

        client: Any = boto3.client
        table = Table(client("dynamodb"), "runs")
        jobs = JobParts(
            bucket=Bucket(client("s3"), self._account.environment()["BUCKET"]),
            registry=Registry(table),
            queue=FifoQueue(client("sqs"), self._account.queue.url),
            announcements=Announcements(client("events"), "default", "stack"),
            groups=self._account.plan.groups,
            clock=lambda: begin,
        )
        return ReplayParts(
            jobs=jobs,
            deliveries=Deliveries(table),
            sync_state=SyncState(client("dynamodb"), "sync_state"),
        )
