"""Bad days: what can be made to go wrong, and when."""

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any


class FaultError(ValueError):
    """A fault that is not known, or a setting of the wrong kind."""


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches of a simulated PIM. Everything is off at first. They leave the token endpoint
    alone unless `only` names it; `down` does not.

    Each of `too_many_requests`, `server_errors`, `timeouts_before`, `timeouts_after`,
    `late_calls`, `dropped_connections` and `cut_answers` is a share (0 to 1) of API calls, or, as
    a whole number of 1 and more, the next that many calls (it counts down). Shares draw from
    `seed`.
    """

    seed: int = 0
    down: int = 0
    """Not 0: every call, the token's too, is answered with this status, e.g. 503."""
    latency_ms: float = 0.0
    """Time each line of a list call, and each single write, takes."""
    call_latency_ms: float = 0.0
    """Time each call takes before it begins."""
    too_many_requests: float = 0
    retry_after: int | None = None
    """Seconds in Retry-After of a 429; None: no such header."""
    server_errors: float = 0
    server_error_status: int = 500
    timeouts_before: float = 0
    """The call is not worked on, and never answered while the client waits."""
    timeouts_after: float = 0
    """The call is worked on, and then never answered."""
    timeout_seconds: float = 60.0
    late_calls: float = 0
    """The client of a write gets no answer, and the PIM goes on: it writes the call's values when
    `late_after` newer writes to the same route were answered, or after `late_seconds`."""
    late_after: int = 1
    late_seconds: float = 0.0
    """0: no latest moment; only newer calls, or `POST /_simulator/late-calls`, let it write."""
    late_lines: int = 0
    """Lines that a late call writes at once, before its client is gone."""
    late_hang_seconds: float = 0.0
    """The client waits that long, unless it gives up, before its connection is closed."""
    dropped_connections: float = 0
    """The connection ends without an answer; nothing is written."""
    cut_answers: float = 0
    cut_after_lines: int = 0
    """A cut answer ends after this many lines; one more line is written, unanswered."""
    deadlock_lines: float = 0
    """Share or number of lines answered with a 500 of the database; they are not written."""
    payload_limit: int | None = None
    """Bytes of a request body above which the platform in front says 403."""
    token_seconds: int | None = None
    """Tokens live this long though the answer says `expires_in` 3600."""
    only: str | None = None
    """Faults hit only routes that contain this text, e.g. "PATCH /products"."""
    _random: random.Random | None = field(default=None, repr=False, compare=False)

    def strikes(self, name: str, route: str) -> bool:
        """Whether this fault hits now; counts down and draws as its setting says."""
        setting = getattr(self, name)
        if not setting or (self.only is not None and self.only not in route):
            return False
        if setting >= 1:
            setattr(self, name, setting - 1)
            return True
        if self._random is None:
            self._random = random.Random(self.seed)  # noqa: S311  # reproducible, not secret
        return bool(self._random.random() < setting)

    def settings(self) -> dict[str, Any]:
        """The switches as JSON."""
        return {key: value for key, value in asdict(self).items() if not key.startswith("_")}

    def changed(self, changes: dict[str, Any]) -> "Faults":
        """A copy with these switches set; raises `FaultError` for unknown names and kinds."""
        known = {entry.name: entry for entry in fields(self) if not entry.name.startswith("_")}
        for name, value in changes.items():
            if name not in known:
                raise FaultError(f"unknown fault {name!r}; known: {', '.join(sorted(known))}")
            if name == "only":
                right = value is None or isinstance(value, str)
            else:
                nullable = name in ("retry_after", "payload_limit", "token_seconds")
                is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
                right = (is_number and value >= 0) or (nullable and value is None)
            if not right:
                raise FaultError(f"fault {name}: {value!r} is not a number of 0 or more")
        return replace(self, **changes, _random=None)


@dataclass(slots=True, kw_only=True)
class LateCall:
    """A call whose client has gone, and which the PIM has not ended."""

    route: str
    user: str
    waits_for: int
    finish: Callable[[], None]


@dataclass(slots=True)
class LateCalls:
    """Calls that outlive their clients, in the order in which they came."""

    waiting: list[LateCall] = field(default_factory=list)
    finished: int = 0

    def answered(self, route: str) -> None:
        """A newer write to this route was answered: calls that waited for it are through now."""
        for call in self.waiting:
            if call.route == route:
                call.waits_for -= 1
        self.finish([call for call in self.waiting if call.waits_for <= 0])

    def finish(self, calls: list[LateCall]) -> int:
        """End these calls, if they have not ended; returns how many."""
        count = 0
        for call in calls:
            if call in self.waiting:
                self.waiting.remove(call)
                self.finished += 1
                count += 1
                call.finish()
        return count

    def forget(self) -> list[LateCall]:
        """Let those that wait never write, as after a restart of the PIM; returns them."""
        forgotten, self.waiting, self.finished = self.waiting, [], 0
        return forgotten

    def report(self) -> dict[str, Any]:
        """Those that wait, and how many have ended, as JSON."""
        waiting = [{"route": call.route, "waits_for": call.waits_for} for call in self.waiting]
        return {"waiting": waiting, "finished": self.finished}
