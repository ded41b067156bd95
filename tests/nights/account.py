"""The stack in its account: its functions, its queue, its events and its schedules.

It runs the real handlers. What stands between them and AWS is replaced where the code leaves the
process: boto3's clients, the HTTP transport, the clock, sleep and chance.
"""

from __future__ import annotations

import io
import json
from random import Random
from typing import Any

from tests.nights.aws.sqs import Message, Queue
from tests.nights.aws.world import World
from tests.nights.invocations import Event, Invocations
from tests.nights.loop import Loop
from tests.nights.marketing import Marketing
from tests.nights.operator import Operator
from tests.nights.pim import SECRET, WRONG, PimWorld
from tests.nights.plan import START, Plan
from tests.nights.striking import Strikes
from tests.nights.traces import Traces
from tests.nights.weather import Weather

BUCKET = "night-bucket"
SECRET_NAME = "night-pim"  # a name
TICK_SECONDS = 900.0
"""The stack's own schedule is three times as fast, and costs three times the turns."""
RECEIVED_AGAIN_SECONDS = 1800.0


class Account:
    """Everything that runs in one seed."""

    def __init__(
        self, plan: Plan, weather: Weather, chance: Random, *, trace: bool = False
    ) -> None:
        self.plan, self.weather, self.chance = plan, weather, chance
        self.world = World(START - 3600)
        self.clock = self.world.clock
        self.loop = Loop(self.clock)
        self.trace = Traces(self.clock, trace)
        self.pim = PimWorld(self.loop, weather, chance)
        self.invocations = Invocations(
            self.loop, weather, chance, self.trace, self.wake_housekeeping
        )
        self.operator = Operator(self)
        self.marketing = Marketing(self.pim, self.clock, self.trace, chance)
        self.log = io.StringIO()
        self.finished: list[dict[str, Any]] = []
        self.redriven: set[str] = set()
        self._told = 0
        self._polled_at = -1.0
        self._tick_planned = False
        self.busy_mappers = 0
        self._build()

    def _build(self) -> None:
        world = self.world
        world.dynamodb.add_table("runs", "pk", "sk")
        world.dynamodb.add_table("sync_state", "pk")
        world.dynamodb.add_table("state", "pk")
        self.dead = world.sqs.add_queue(Queue("dead.fifo"))
        self.queue = world.sqs.add_queue(
            Queue("products.fifo", dead=self.dead, visibility=RECEIVED_AGAIN_SECONDS)
        )
        self._secret()
        strikes = Strikes(self.loop, world, self.weather, self.chance, self.trace, self._effects)
        world.faults.strike = strikes.strike

    def environment(self) -> dict[str, str]:
        """Give the functions' environment variables."""
        return {
            "BUCKET": BUCKET,
            "RUN_TABLE": "runs",
            "SYNC_STATE_TABLE": "sync_state",
            "STATE_TABLE": "state",
            "PRODUCT_QUEUE_URL": self.queue.url,
            "PRODUCT_DEAD_LETTER_QUEUE_URL": self.dead.url,
            "AKENEO_URL": "https://pim.example.com",
            "AKENEO_SECRET_ARN": SECRET_NAME,
            "CONCURRENT_CALLS": str(self.plan.groups),
            "STACK_NAME": "stack",
            "TRIGGER": self.plan.trigger,
            "PARENT_WAIT_MINUTES": str(self.plan.parent_wait_minutes),
            "POWERTOOLS_SERVICE_NAME": "night",
            "POWERTOOLS_METRICS_NAMESPACE": "night",
            "POWERTOOLS_TRACE_DISABLED": "1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    # Secrets

    def _secret(self) -> None:
        now = self.clock.now
        wrong = any(begin <= now < end for begin, end in self.weather.wrong_secret)
        self.world.secretsmanager.values[SECRET_NAME] = json.dumps(WRONG if wrong else SECRET)

    def plan_secrets(self) -> None:
        """Have the secret be wrong for a while; its tokens end with it."""
        for begin, end in self.weather.wrong_secret:
            self.loop.at(begin, self._secret_changed)
            self.loop.at(end + 0.001, self._secret_changed)

    def _secret_changed(self) -> None:
        self._secret()
        self.pim.pim.accounts.expire_all()
        self.pim.pim.accounts._refresh.clear()  # a renewed secret ends them too

    # Events

    def upload(self, key: str, body: bytes, *, late: float = 0.0) -> str:
        """Put an object as the ERP or an operator does, and let its event take its way."""
        stored = self.world.s3._store(key, body, {})  # not a call of the stack
        version = stored.id
        self.trace.note(f"upload {key} version {version}, {len(body)} bytes")
        found = {
            "key": key,
            "size": len(body),
            "version-id": version,
            "sequencer": stored.sequencer,
        }
        detail = {"bucket": {"name": BUCKET}, "object": found}
        event = {"detail-type": "Object Created", "detail": detail}
        self._send("splitter", event, late=late)
        return version

    def _send(self, function: str, event: Event, *, late: float = 0.0) -> None:
        chance, weather = self.chance, self.weather
        calm = self.clock.now >= weather.calm_from
        delay = late + chance.uniform(0.2, 3.0)
        if not calm and chance.random() < weather.late:
            delay = chance.choice((30.0, 400.0, 4000.0, 20_000.0)) * chance.uniform(0.5, 1.0)
        self.loop.after(delay, lambda: self.invocations.invoke(function, event))
        if not calm and chance.random() < weather.twice:
            again = delay + chance.choice((0.0, 1.0, 300.0, 30_000.0)) * chance.random()
            self.loop.after(again, lambda: self.invocations.invoke(function, event))

    def _effects(self, call: str) -> None:
        if call.startswith(("sqs.send", "sqs.change")):
            self.loop.after(self.chance.uniform(0.02, 1.0), self.poll)
        if call == "events.put_events":
            self._tell()

    def _tell(self) -> None:
        """Carry the events that were put on the bus to those who listen."""
        events = self.world.events.events
        for entry in events[self._told :]:
            event = {
                "source": entry["Source"],
                "detail-type": entry["DetailType"],
                "detail": json.loads(entry["Detail"]),
            }
            self.trace.note(f"  event {event['detail-type']} {event['detail'].get('run')}")
            if event["detail-type"] == "RunFinished":
                self.finished.append(event["detail"])
            elif event["detail-type"] == "SplitContinues":
                self._send("splitter", event)
            else:
                self._send("housekeeping", event)
        self._told = len(events)

    def tick(self) -> None:
        """Call housekeeping, and again after a while if anything is under way."""
        self._tick_planned = False
        self.invocations.invoke("housekeeping", {"sweep": True})
        self.wake_housekeeping()

    def wake_housekeeping(self) -> None:
        """Plan the next tick; an idle stack's ticks would change nothing and are left out."""
        if self._tick_planned:
            return
        runs = self.world.dynamodb.tables["runs"]
        if self.queue.messages or any(pk == "open" for pk, _ in runs):
            self._tick_planned = True
            late = TICK_SECONDS - self.clock.now % TICK_SECONDS
            self.loop.after(late, self.tick)

    def sweep(self) -> None:
        self.invocations.invoke("splitter", {"sweep": True})

    def redeliver_lost_events(self) -> None:
        """Do what the alarm on the failure queue asks for: send its events again."""
        lost, self.invocations.lost = self.invocations.lost, []
        for function, event in lost:
            self._send(function, event)

    # Messages

    def poll(self) -> None:
        """Hand messages to the mapper, one each, as far as message groups and visibility allow."""
        while self.busy_mappers < self.plan.groups:
            found = self.queue.receive(self.clock, 1)
            if not found:
                break
            self._deliver(found[0])
        following = self.queue.next_visible()
        if following is not None and following > self.clock.now and following != self._polled_at:
            self._polled_at = following
            self.loop.at(following, self.poll)

    def _deliver(self, message: Message) -> None:
        receipt = message.receipt
        self.busy_mappers += 1

        def ended(answer: Any) -> None:
            self.busy_mappers -= 1
            failures = answer is None or answer["batchItemFailures"]
            calm = self.clock.now >= self.weather.calm_from
            if not failures and (calm or self.chance.random() >= self.weather.keep):
                kept = [m for m in self.queue.messages if m.receipt != receipt]
                self.queue.messages = kept
            self._polled_at = -1.0
            self.loop.after(self.chance.uniform(0.02, 0.2), self.poll)

        run = json.loads(message.body).get("run", "")
        event = {"Records": [message.as_record(self.queue.arn)]}
        self.invocations.run("mapper", event, ended, lambda: ended(None), run=run)
