"""What clients do: calls, lines, calls at once; and how many calls at once they may make.

Source of the limits: https://api.akeneo.com/rest-api/good-practices.html: 4 concurrent calls per
connection, 10 per PIM.
"""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

CALLS_PER_CONNECTION = 4
CALLS_PER_PIM = 10


@dataclass(slots=True, kw_only=True)
class Limits:
    """How many calls may be under way at once; 0: as many as come."""

    calls_per_connection: int = 0
    calls_per_pim: int = 0
    retry_after: int = 1
    """Seconds in Retry-After of a call that was one too many."""


@dataclass(slots=True)
class Counters:
    """Numbers since the start or the last `clear`; safe to use from several threads."""

    limits: Limits = field(default_factory=Limits)
    calls: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    now: int = 0
    most: int = 0
    under_way: Counter[str] = field(default_factory=Counter)
    """Calls of each connection that the PIM is working on, by user name."""
    most_by_connection: dict[str, int] = field(default_factory=dict)
    too_many_at_once: int = 0
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

    def begin(self, user: str) -> bool:
        """The PIM begins to work on a connection's call; False: it is one too many.

        The most calls at once count those that are refused, so that a test sees who asks for
        more than it may.
        """
        with self._lock:
            mine, all_of_them = self.under_way[user] + 1, self.under_way.total() + 1
            self.most_by_connection[user] = max(self.most_by_connection.get(user, 0), mine)
            limits = self.limits
            if 0 < limits.calls_per_connection < mine or 0 < limits.calls_per_pim < all_of_them:
                self.too_many_at_once += 1
                return False
            self.under_way[user] = mine
            return True

    def end(self, user: str) -> None:
        """The PIM is through with a connection's call, whether its client is there or not."""
        with self._lock:
            self.under_way[user] -= 1

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
            self.most, self.most_option_writes, self.too_many_at_once = self.now, 0, 0
            self.most_by_connection = {user: n for user, n in self.under_way.items() if n}

    def report(self) -> dict[str, Any]:
        """All numbers as JSON."""
        with self._lock:
            return {
                "calls": dict(self.calls),
                "statuses": dict(self.statuses),
                "lines": dict(self.lines),
                "concurrent_calls": {"now": self.now, "max": self.most},
                "concurrent_calls_by_connection": {
                    user: {"now": self.under_way[user], "max": most}
                    for user, most in sorted(self.most_by_connection.items())
                },
                "too_many_at_once": self.too_many_at_once,
                "option_writes_per_second_max": self.most_option_writes,
            }
