"""What goes wrong at a call to AWS: the invocation dies, is refused, or hears no answer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from botocore.exceptions import ReadTimeoutError

from tests.nights.aws.faults import KilledError, refusal
from tests.nights.aws.world import World
from tests.nights.loop import Loop
from tests.nights.traces import Traces
from tests.nights.weather import Weather

KILLED_IN_A_SPELL = 0.8


class Strikes:
    """Decides what happens at every call of a task. `effects` hears of calls that worked."""

    def __init__(
        self,
        loop: Loop,
        world: World,
        weather: Weather,
        chance: Random,
        trace: Traces,
        effects: Callable[[str], None],
    ) -> None:
        self._loop, self._world, self._weather, self._chance = loop, world, weather, chance
        self._trace = trace
        self._effects = effects

    def strike(self, phase: str, call: str) -> None:
        """Let time pass for a call, and the weather have its way with it."""
        task = self._loop.task()
        if task is None:
            return
        if task.dead:
            raise KilledError(task.name)
        chance, weather = self._chance, self._weather
        calm = self._loop.clock.now >= weather.calm_from
        if phase == "after":
            self._effects(call)
        self._loop.wait(chance.uniform(0.001, 0.02))
        if calm:
            return
        if chance.random() < max(self._risk(phase, call), task.about.get("risk", 0.0)):
            self._trace.note(f"    {task.name} killed {phase} {call}")
            raise task.die()
        if phase == "before":
            self._refuse(call)
        elif chance.random() < weather.lost_answer:
            self._trace.note(f"    {call} had its effect, its answer was lost")
            raise ReadTimeoutError(endpoint_url=call)

    def _risk(self, phase: str, call: str) -> float:
        """Say how likely the invocation ends at this call."""
        if (phase, call) == ("before", "dynamodb.batch_write_item"):
            now = self._loop.clock.now
            if any(begin <= now < end for begin, end in self._weather.crashes):
                return KILLED_IN_A_SPELL
        return self._weather.kill

    def _refuse(self, call: str) -> None:
        chance, weather = self._chance, self._weather
        if chance.random() < weather.throttle:
            self._trace.note(f"    {call} throttled")
            code = "SlowDown" if call.startswith("s3") else "ThrottlingException"
            raise refusal(code, call)
        if call == "dynamodb.transact_write_items" and chance.random() < weather.conflict:
            error = refusal("TransactionCanceledException", call)
            error.response["CancellationReasons"] = [{"Code": "TransactionConflict"}]
            raise error
        if chance.random() < weather.unprocessed:
            if call == "dynamodb.batch_write_item":
                self._world.dynamodb.unprocessed = 1
            elif call == "sqs.send_message_batch":
                self._world.sqs.refuse_entries = 1
