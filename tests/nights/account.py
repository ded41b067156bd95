"""The stack in its account: functions in warm and cold environments, queue, events, schedules.

It runs the real handlers. What stands between them and AWS is replaced where the code leaves the
process: boto3's clients, the HTTP transport, the clock, sleep and chance.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from random import Random
from types import ModuleType
from typing import Any
from unittest.mock import patch

from botocore.exceptions import ReadTimeoutError

from tests.nights.aws.faults import KilledError, refusal
from tests.nights.aws.sqs import Message, Queue
from tests.nights.aws.world import World
from tests.nights.loop import Loop, Task
from tests.nights.pim import SECRET, WRONG, PimWorld
from tests.nights.plan import Plan
from tests.nights.weather import Weather

BUCKET = "night-bucket"
SECRET_NAME = "night-pim"  # a name
TICK_SECONDS = 900.0
"""The stack's own schedule is three times as fast, and costs three times the turns."""
SECONDS = {"splitter": 900.0, "mapper": 300.0, "caretaker": 300.0}
RETRY_SECONDS = (60.0, 120.0)
"""Between the attempts of an asynchronous invocation
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)."""
RECEIVED_AGAIN_SECONDS = 1800.0
_WRITES = ("put", "update", "delete", "batch_write", "transact", "send", "copy")
_TRANSACTIONS = ("dynamodb.transact_write_items", "dynamodb.update_item", "dynamodb.put_item")

Event = dict[str, Any]


@dataclass
class Context:
    """What Lambda hands a function."""

    task: Task
    clock: Any
    aws_request_id: str
    function_name: str
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:night"
    log_group_name: str = "/aws/lambda/night"
    log_stream_name: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.task.deadline - self.clock.now) * 1000)


@dataclass(eq=False)
class Environment:
    """One process of a function: what it composed stays until it is killed."""

    name: str
    parts: Any = None


@dataclass
class Traces:
    """What happened, one line each, when somebody wants to read it."""

    clock: Any
    wanted: bool = False
    lines: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        if self.wanted:
            moment = datetime.fromtimestamp(self.clock.now, UTC)
            self.lines.append(f"{moment:%d %H:%M:%S.%f}"[:-3] + f" {text}")


class Account:
    """Everything that runs in one seed."""

    def __init__(
        self, plan: Plan, weather: Weather, chance: Random, *, trace: bool = False
    ) -> None:
        self.plan, self.weather, self.chance = plan, weather, chance
        from tests.nights.plan import START

        self.world = World(START - 3600)
        self.clock = self.world.clock
        self.loop = Loop(self.clock)
        self.trace = Traces(self.clock, trace)
        self.pim = PimWorld(self.loop, weather, chance)
        self.log = io.StringIO()
        self.crashes: list[str] = []
        self.lost_events: list[tuple[str, Event]] = []
        self.finished: list[dict[str, Any]] = []
        self.redriven: set[str] = set()
        self._warm: dict[str, list[Environment]] = {name: [] for name in SECONDS}
        self._count = 0
        self._told = 0
        self._polled_at = -1.0
        self._tick_planned = False
        self.busy_mappers = 0
        self._build()

    def _build(self) -> None:
        world = self.world
        world.dynamodb.add_table("runs", "pk", "sk")
        world.dynamodb.add_table("ledger", "pk")
        world.dynamodb.add_table("state", "pk")
        self.dead = world.sqs.add_queue(Queue("dead.fifo"))
        self.queue = world.sqs.add_queue(
            Queue("products.fifo", dead=self.dead, visibility=RECEIVED_AGAIN_SECONDS)
        )
        self._secret()
        world.faults.strike = self._strike

    def environment(self) -> dict[str, str]:
        """Give the functions' environment variables."""
        return {
            "BUCKET": BUCKET,
            "RUN_TABLE": "runs",
            "LEDGER_TABLE": "ledger",
            "STATE_TABLE": "state",
            "PRODUCT_QUEUE_URL": self.queue.url,
            "PRODUCT_DEAD_LETTER_QUEUE_URL": self.dead.url,
            "AKENEO_URL": "https://pim.example.com",
            "AKENEO_SECRET_ARN": SECRET_NAME,
            "LANES": str(self.plan.lanes),
            "TRIGGER": self.plan.trigger,
            "PARENT_WAIT_MINUTES": str(self.plan.parent_wait_minutes),
            "POWERTOOLS_SERVICE_NAME": "night",
            "POWERTOOLS_METRICS_NAMESPACE": "night",
            "POWERTOOLS_TRACE_DISABLED": "1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    # Faults

    def _strike(self, phase: str, call: str) -> None:
        task = self.loop.task()
        if task is None:
            return
        if task.dead:
            raise KilledError(task.name)
        chance, weather = self.chance, self.weather
        calm = self.clock.now >= weather.calm_from
        if phase == "after":
            self._effects(call)
        self.loop.wait(chance.uniform(0.001, 0.02))
        if calm:
            return
        if chance.random() < self._risk(phase, call):
            self.trace.note(f"    {task.name} killed {phase} {call}")
            raise task.die()
        if phase == "before":
            self._refuse(call)
        elif chance.random() < weather.lost_answer:
            self.trace.note(f"    {call} had its effect, its answer was lost")
            raise ReadTimeoutError(endpoint_url=call)

    def _risk(self, phase: str, call: str) -> float:
        """Say how likely the invocation ends at this call."""
        if (phase, call) == ("before", "dynamodb.batch_write_item"):
            now = self.clock.now
            if any(begin <= now < end for begin, end in self.weather.crashes):
                return 0.8
        return self.weather.kill

    def _refuse(self, call: str) -> None:
        chance, weather = self.chance, self.weather
        if chance.random() < weather.throttle:
            self.trace.note(f"    {call} throttled")
            code = "SlowDown" if call.startswith("s3") else "ThrottlingException"
            raise refusal(code, call)
        if call == "dynamodb.transact_write_items" and chance.random() < weather.conflict:
            error = refusal("TransactionCanceledException", call)
            error.response["CancellationReasons"] = [{"Code": "TransactionConflict"}]
            raise error
        if chance.random() < weather.unprocessed:
            if call == "dynamodb.batch_write_item":
                self.world.dynamodb.unprocessed = 1
            elif call == "sqs.send_message_batch":
                self.world.sqs.refuse_entries = 1

    def _effects(self, call: str) -> None:
        if call.startswith(("sqs.send", "sqs.change")):
            self.loop.after(self.chance.uniform(0.02, 1.0), self.poll)
        if call == "events.put_events":
            self._tell()

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

    def upload(self, key: str, body: bytes) -> str:
        """Put an object as the ERP or an operator does, and let its event take its way."""
        version = self.world.s3._store(key, body, {}).id  # not a call of the stack
        self.trace.note(f"upload {key} version {version}, {len(body)} bytes")
        found = {"key": key, "size": len(body), "version-id": version}
        detail = {"bucket": {"name": BUCKET}, "object": found}
        self._send("splitter", {"detail-type": "Object Created", "detail": detail})
        return version

    def _send(self, function: str, event: Event, *, attempt: int = 0) -> None:
        chance, weather = self.chance, self.weather
        calm = self.clock.now >= weather.calm_from
        delay = chance.uniform(0.2, 3.0)
        if not calm and chance.random() < weather.late:
            delay = chance.choice((30.0, 400.0, 4000.0, 20_000.0)) * chance.uniform(0.5, 1.0)
        self.loop.after(delay, lambda: self.invoke(function, event, attempt=attempt))
        if not calm and attempt == 0 and chance.random() < weather.twice:
            again = delay + chance.choice((0.0, 1.0, 300.0, 30_000.0)) * chance.random()
            self.loop.after(again, lambda: self.invoke(function, event))

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
                self._send("caretaker", event)
        self._told = len(events)

    def tick(self) -> None:
        """Call the caretaker, and again after a while if anything is under way."""
        self._tick_planned = False
        self.invoke("caretaker", {"tick": True})
        self.wake_caretaker()

    def wake_caretaker(self) -> None:
        """Plan the next tick; an idle stack's ticks would change nothing and are left out."""
        runs = self.world.dynamodb.tables["runs"]
        at_work = any(pk == "open" for pk, _ in runs) or self.queue.messages
        if at_work and not self._tick_planned:
            self._tick_planned = True
            late = TICK_SECONDS - self.clock.now % TICK_SECONDS
            self.loop.after(late, self.tick)

    def sweep(self) -> None:
        self.invoke("splitter", {"sweep": True})

    def redeliver_lost_events(self) -> None:
        """Do what the alarm on the failure queue asks for: send its events again."""
        lost, self.lost_events = self.lost_events, []
        for function, event in lost:
            self._send(function, event)

    # Invocations

    def invoke(self, function: str, event: Event, *, attempt: int = 0) -> None:
        """Invoke a function asynchronously: what fails is tried twice more, then set aside."""

        def failed() -> None:
            if attempt < len(RETRY_SECONDS):
                self.loop.after(
                    RETRY_SECONDS[attempt],
                    lambda: self.invoke(function, event, attempt=attempt + 1),
                )
            elif "detail-type" in event:
                self.lost_events.append((function, event))

        self._run(function, event, lambda _: None, failed)

    def poll(self) -> None:
        """Hand messages to the mapper, one each, as far as lanes and visibility allow."""
        while self.busy_mappers < self.plan.lanes:
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
        self._run("mapper", event, ended, lambda: ended(None), run=run)

    def _run(
        self,
        function: str,
        event: Event,
        done: Callable[[Any], None],
        failed: Callable[[], None],
        run: str = "",
    ) -> None:
        self._count += 1
        seconds = SECONDS[function]
        if function == "splitter":
            seconds = min(seconds, self.weather.splitter_seconds)
        task = Task(f"{function}-{self._count}", deadline=self.clock.now + seconds)
        environment = self._environment(function)
        task.about |= {"environment": environment, "run": run, "function": function}
        module = sys.modules[f"functions.{function}.handler"]
        context = Context(task, self.clock, f"request-{self._count}", function)

        def body() -> None:
            self.trace.note(f"  {task.name} {_short(event)}")
            try:
                answer = module.lambda_handler(event, context)
            except KilledError:
                self.trace.note(f"  {task.name} is gone")
                failed()
                return
            except Exception as error:  # Lambda takes whatever a handler raises
                if task.dead:
                    failed()
                    return
                self.trace.note(f"  {task.name} raised {type(error).__name__}: {error}")
                self._judge(error, function)
                self._warm[function].append(environment)
                failed()
                return
            if task.dead:
                failed()
                return
            self.trace.note(f"  {task.name} answered {json.dumps(answer, default=str)[:200]}")
            self._warm[function].append(environment)
            done(answer)
            self.wake_caretaker()

        self.loop.spawn(task, body)

    def _judge(self, error: Exception, function: str) -> None:
        """Note errors that no weather explains: they are the code's own."""
        from pim_connector.errors import TransientError

        if not isinstance(error, TransientError):
            text = "".join(traceback.format_exception(error))
            self.crashes.append(f"{function}: {text}")

    def _environment(self, function: str) -> Environment:
        warm = self._warm[function]
        fresh = self.chance.random() < self.weather.cold
        if warm and not fresh:
            return warm.pop(self.chance.randrange(len(warm)))
        return Environment(f"{function}-environment-{self._count}")

    def parts_of(self, module: ModuleType) -> Callable[[], Any]:
        """Stand in for a handler's cached composition: one per environment."""
        compose = module.parts.__wrapped__

        def parts() -> Any:
            task = self.loop.task()
            assert task is not None
            environment = task.about["environment"]
            if environment.parts is None:
                environment.parts = compose()
            return environment.parts

        return parts

    @contextmanager
    def in_charge(self) -> Iterator[None]:
        """Put this account in the place of AWS, PIM, time and chance."""
        with ExitStack() as undo:
            undo.enter_context(patch.dict(os.environ, self.environment()))
            undo.enter_context(patch("boto3.client", self.world.client))
            handlers = [importlib.import_module(f"functions.{name}.handler") for name in SECONDS]
            self._replace(undo, handlers)
            undo.enter_context(patch.object(sys, "stdout", self.log))
            undo.enter_context(patch.object(sys, "unraisablehook", _unless_killed))
            yield

    def _replace(self, undo: ExitStack, handlers: list[ModuleType]) -> None:
        from pim_connector.composition import Surroundings

        for module in handlers:
            undo.enter_context(patch.object(module, "parts", self.parts_of(module)))
            if hasattr(module, "datetime"):
                undo.enter_context(patch.object(module, "datetime", _Now(self.clock)))
            undo.enter_context(_logged_to(module.logger, self.log))
            if hasattr(module, "compose"):
                around = Surroundings(
                    now=self.clock.time,
                    sleep=self.loop.wait,
                    jitter=self.chance.random,
                    transport=self.pim.transport,
                )
                with_them = partial(module.compose, surroundings=around)
                undo.enter_context(patch.object(module, "compose", with_them))
        for (module, name), other in self.pim.steady().items():
            undo.enter_context(patch.object(module, name, other))
        undo.enter_context(_defaults(sleep=self.loop.wait, jitter=self.chance.random))
        for place in ("splitting.load_mapping", "delivery.programs.load_mapping"):
            undo.enter_context(patch(f"pim_connector.{place}", _loaded_once))
        for place, value in self._scale():
            undo.enter_context(patch(place, value))

    def _scale(self) -> list[tuple[str, Any]]:
        """Make windows and messages small, so that small files have many of them."""
        plan = self.plan
        return [
            ("pim_connector.windows.WINDOW", plan.window),
            ("pim_connector.split.CHECKPOINT_WINDOWS", 2 if plan.window < 1000 else 50),
            ("pim_connector.packing.MAX_RECORDS", plan.message_records),
            ("pim_connector.dispatch.MAX_BYTES", plan.message_bytes),
            ("pim_connector.split.Packer", partial(_packer(), budget=plan.budget)),
        ]


@cache
def _loaded_once(data: bytes, *, name: str) -> Any:
    """Load a mapping; it follows from its text alone, and a seed's environments share it."""
    from pim_connector.mapping import load_mapping

    return load_mapping(data, name=name)


def _packer() -> Any:
    from pim_connector.packing import Packer

    return Packer


def _unless_killed(unraisable: Any) -> None:
    """Say nothing of generators that are closed after their invocation was killed."""
    if not isinstance(unraisable.exc_value, KilledError):
        sys.__unraisablehook__(unraisable)


class _Now:
    """Stands for the class `datetime` in a handler."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock

    def now(self, zone: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(self._clock.now, zone)


@contextmanager
def _defaults(**given: Any) -> Iterator[None]:
    """Replace the defaults of constructors that were bound when the classes were defined."""
    from pim_connector.bucket import Bucket
    from pim_connector.ledger import Ledger
    from pim_connector.queues import FifoQueue
    from pim_connector.runs.table import RunTable

    kept = []
    for kind in (Bucket, Ledger, FifoQueue, RunTable):
        constructor: Any = kind.__init__
        defaults = constructor.__kwdefaults__
        kept.append((defaults, dict(defaults)))
        defaults.update({name: value for name, value in given.items() if name in defaults})
    try:
        yield
    finally:
        for defaults, before in kept:
            defaults.update(before)


@contextmanager
def _logged_to(logger: Any, stream: io.StringIO) -> Iterator[None]:
    import logging

    changed = []
    for handler in [*logger.handlers, *logging.getLogger("pim_connector").handlers]:
        if isinstance(handler, logging.StreamHandler):
            changed.append((handler, handler.stream))
            handler.stream = stream
    try:
        yield
    finally:
        for handler, before in changed:
            handler.stream = before


def _short(event: Event) -> str:
    if "Records" in event:
        body = event["Records"][0]["body"]
        try:
            message = json.loads(body)
        except ValueError:
            return str(body)[:80]
        names = [record["id"] for record in message.get("records", ())]
        count = event["Records"][0]["attributes"]["ApproximateReceiveCount"]
        what = message.get("id") or message.get("heavy")
        return f"run {message.get('run')} message {what} receive {count} {names}"
    found = event.get("detail", {})
    return f"{event.get('detail-type', '')} {found.get('object', found) if found else event}"
