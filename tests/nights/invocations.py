"""Invocations of functions, in warm and cold environments, as Lambda goes about them."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from types import ModuleType
from typing import Any, TypeVar

from tests.in_turn import in_turn
from tests.nights.aws.faults import KilledError
from tests.nights.loop import Loop, Task
from tests.nights.traces import Traces, shortened
from tests.nights.weather import Weather

NOW = 0.5
SECONDS = {"splitter": 900.0, "mapper": 300.0, "housekeeping": 300.0}
RETRY_SECONDS = (60.0, 120.0)
"""Between the attempts of an asynchronous invocation
(https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html)."""

Event = dict[str, Any]
T = TypeVar("T")


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


class Invocations:
    """Runs functions. `crashes` are errors that no weather explains, `lost` events given up.

    `afterwards` is called when an invocation has answered.
    """

    def __init__(
        self,
        loop: Loop,
        weather: Weather,
        chance: Random,
        trace: Traces,
        afterwards: Callable[[], None],
    ) -> None:
        self._afterwards = afterwards
        self._loop, self._weather, self._chance = loop, weather, chance
        self._trace = trace
        self._warm: dict[str, list[Environment]] = {name: [] for name in SECONDS}
        self._count = 0
        self.crashes: list[str] = []
        self.lost: list[tuple[str, Event]] = []

    def invoke(self, function: str, event: Event, *, attempt: int = 0) -> None:
        """Invoke a function asynchronously: what fails is tried twice more, then set aside."""

        def failed() -> None:
            if attempt < len(RETRY_SECONDS):
                self._loop.after(
                    RETRY_SECONDS[attempt],
                    lambda: self.invoke(function, event, attempt=attempt + 1),
                )
            elif "detail-type" in event:
                self.lost.append((function, event))

        self.run(function, event, lambda _: None, failed)

    def run(
        self,
        function: str,
        event: Event,
        done: Callable[[Any], None],
        failed: Callable[[], None],
        run: str = "",
    ) -> None:
        """Invoke a function once, and hear of its answer or that there is none."""
        seconds = SECONDS[function]
        if function == "splitter":
            seconds = min(seconds, self._weather.splitter_seconds)
        task = self._task(function, seconds)
        environment = self._environment(function)
        task.about |= {"environment": environment, "run": run}
        handler = sys.modules[f"functions.{function}.handler"].lambda_handler
        context = Context(task, self._loop.clock, f"request-{self._count}", function)

        def work() -> Any:
            self._trace.note(f"  {task.name} {shortened(event)}")
            answer = handler(event, context)
            if not task.dead:
                told = json.dumps(answer, default=str)[:200]
                self._trace.note(f"  {task.name} answered {told}")
            return answer

        def ended(answer: Any) -> None:
            self._warm[function].append(environment)
            done(answer)
            self._afterwards()

        def broken(error: Exception) -> None:
            self._judge(error, function)
            self._warm[function].append(environment)
            failed()

        self._loop.spawn(task, lambda: self._lived(task, work, ended, broken, failed))

    def begin(self, call: Callable[[], T], /) -> Callable[[], T]:
        """Stand in for threads: make a call now, or not before somebody waits for its end.

        So of requests side by side any may be made when the invocation dies. Nothing else of it
        goes on meanwhile, as everything here has its turn.
        """
        return in_turn(call) if self._chance.random() < NOW else call

    def command(self, name: str, work: Callable[[], Any], risk: float) -> None:
        """Run an operator's command, which ends at any call with the chance `risk`."""
        task = self._task(name, float("inf"))
        task.about["risk"] = risk

        def told() -> Any:
            answer = work()
            self._trace.note(f"  {task.name} answered {answer}")
            return answer

        def broken(error: Exception) -> None:
            from pim_connector.errors import ConnectorError

            self._judge(error, name, (ConnectorError,))

        def nothing(*_: Any) -> None:
            pass

        self._trace.note(f"  {task.name}")
        self._loop.spawn(task, lambda: self._lived(task, told, nothing, broken, nothing))

    def _task(self, name: str, seconds: float) -> Task:
        self._count += 1
        return Task(f"{name}-{self._count}", deadline=self._loop.clock.now + seconds)

    def _lived(
        self,
        task: Task,
        work: Callable[[], Any],
        ended: Callable[[Any], None],
        broken: Callable[[Exception], None],
        gone: Callable[[], None],
    ) -> None:
        try:
            answer = work()
        except KilledError:
            self._trace.note(f"  {task.name} is gone")
            gone()
            return
        except Exception as error:  # Lambda takes whatever a handler raises
            if task.dead:
                gone()
                return
            self._trace.note(f"  {task.name} raised {type(error).__name__}: {error}")
            broken(error)
            return
        if task.dead:
            gone()
            return
        ended(answer)

    def _judge(
        self, error: Exception, name: str, expected: tuple[type[Exception], ...] = ()
    ) -> None:
        """Note errors that no weather explains: they are the code's own."""
        from pim_connector.errors import TransientError

        if not isinstance(error, (TransientError, *expected)):
            text = "".join(traceback.format_exception(error))
            self.crashes.append(f"{name}: {text}")

    def _environment(self, function: str) -> Environment:
        warm = self._warm[function]
        fresh = self._chance.random() < self._weather.cold
        if warm and not fresh:
            return warm.pop(self._chance.randrange(len(warm)))
        return Environment(f"{function}-environment-{self._count}")

    def parts_of(self, module: ModuleType) -> Callable[[], Any]:
        """Stand in for a handler's cached composition: one per environment."""
        compose = module.parts.__wrapped__

        def parts() -> Any:
            task = self._loop.task()
            assert task is not None
            environment = task.about["environment"]
            if environment.parts is None:
                environment.parts = compose()
            return environment.parts

        return parts
