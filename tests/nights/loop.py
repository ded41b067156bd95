"""Time and turns: tasks that run one at a time and give way at every call, at a clock of their own.

A task is a greenlet. Whoever waits, for AWS, for the PIM, or asleep, hands the turn back, and the
task with the earliest time goes on. Nothing here depends on real time, so a seed is one history.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from greenlet import getcurrent, greenlet

from tests.nights.aws.faults import Clock, KilledError

MOST_AT_A_STRETCH = 1000
"""Turns after which whoever watches the loop has a look, though nobody else is due."""


@dataclass(eq=False)
class Task:
    """One invocation under way. `deadline` is when Lambda ends it, `dead` that it has.

    `about` holds what others want to know of it: function, run, environment.
    """

    name: str
    deadline: float = float("inf")
    dead: bool = False
    about: dict[str, Any] = field(default_factory=dict)
    thread: greenlet | None = None

    def die(self) -> KilledError:
        """End the task here and now: what its `finally` clauses still call has no effect."""
        self.dead = True
        return KilledError(self.name)


class Loop:
    """Runs what is due, the earliest first."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._main = getcurrent()
        self._tasks: dict[greenlet, Task] = {}
        self._called_back = False
        """Whether the task whose turn it is was called for itself, by nobody who has more to do."""
        self.steps = 0

    def at(self, when: float, do: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._due, (max(when, self.clock.now), self._count, do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        self.at(self.clock.now + seconds, do)

    def spawn(self, task: Task, body: Callable[[], None]) -> None:
        """Begin a task now; it runs until it first waits."""
        thread = greenlet(body, self._main)
        task.thread = thread
        self._tasks[thread] = task
        self._go_on(thread)

    def task(self) -> Task | None:
        """Give the task whose turn it is, None in the harness itself."""
        return self._tasks.get(getcurrent())

    def wait(self, seconds: float) -> None:
        """Let time pass for the task whose turn it is. Raises KilledError when its time is up."""
        task = self.task()
        if task is None:
            return
        if task.dead:
            raise KilledError(task.name)
        until = min(self.clock.now + max(0.0, seconds), task.deadline)
        self._pass(until)
        if self.clock.now >= task.deadline:
            raise task.die()

    def _pass(self, until: float) -> None:
        """Hand the turn back until then; where it would come back at once it is kept."""
        alone = self._called_back and not (self._due and self._due[0][0] <= until)
        if alone and (self.steps + 1) % MOST_AT_A_STRETCH:
            self.steps += 1
            self.clock.now = max(self.clock.now, until)
            return
        thread = getcurrent()
        self.at(until, lambda: self._call_back(thread))
        self._main.switch()

    def next_time(self) -> float | None:
        return self._due[0][0] if self._due else None

    def step(self) -> bool:
        """Do the next thing; False when nothing is left to do."""
        if not self._due:
            return False
        when, _, do = heapq.heappop(self._due)
        self.clock.now = max(self.clock.now, when)
        self.steps += 1
        do()
        return True

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

    def _call_back(self, thread: greenlet) -> None:
        self._called_back = True
        self._go_on(thread)
        self._called_back = False

    def _go_on(self, thread: greenlet) -> None:
        thread.switch()
        if thread.dead:
            self._tasks.pop(thread, None)
