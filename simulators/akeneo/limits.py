"""Counting what clients do: calls, lines, how many at once."""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Counters:
    """Numbers since the start or the last `clear`; safe to use from several threads."""

    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    now: int = 0
    most: int = 0
    option_writes: deque[float] = field(default_factory=deque)
    most_option_writes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, route: str) -> None:
        """A call to `METHOD /route` begins."""
        with self._lock:
            self.calls[route] += 1
            self.now += 1
            self.most = max(self.most, self.now)

    def leave(self, status: int) -> None:
        """A call ended, or its client went away."""
        with self._lock:
            self.now -= 1
            self.statuses[str(status)] += 1

    def line(self, route: str, status: int) -> None:
        """One line or array entry of a list call was answered."""
        with self._lock:
            self.lines[route] += 1
            self.lines[f"{route} {status}"] += 1

    def option_write(self, seconds: float) -> None:
        """A call that writes attribute options came at this time (seconds, any clock)."""
        with self._lock:
            self.option_writes.append(seconds)
            while self.option_writes[0] <= seconds - 1:
                self.option_writes.popleft()
            self.most_option_writes = max(self.most_option_writes, len(self.option_writes))

    def clear(self) -> None:
        """Start over; calls that are under way still count as such."""
        with self._lock:
            for held in (self.calls, self.statuses, self.lines, self.option_writes):
                held.clear()
            self.most, self.most_option_writes = self.now, 0

    def report(self) -> dict[str, Any]:
        """All numbers as JSON."""
        with self._lock:
            return {
                "calls": dict(self.calls),
                "statuses": dict(self.statuses),
                "lines": dict(self.lines),
                "concurrent_calls": {"now": self.now, "max": self.most},
                "option_writes_per_second_max": self.most_option_writes,
            }
