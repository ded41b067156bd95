"""Where the harness may strike: every call to AWS and to the PIM passes here, before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError


class KilledError(BaseException):
    """The Lambda environment was taken away; nothing of the code may catch this."""


@dataclass
class Clock:
    """The time of the simulated world, in seconds of the epoch. It moves only when told to."""

    now: float

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(0.0, seconds)


Strike = Callable[[str, str], None]


@dataclass
class Faults:
    """What is to go wrong. `strike(phase, call)` may raise; phase is `before` or `after`."""

    strike: Strike = field(default=lambda phase, call: None)
    calls: int = 0

    def before(self, call: str) -> None:
        self.calls += 1
        self.strike("before", call)

    def after(self, call: str) -> None:
        self.strike("after", call)


def refusal(code: str, operation: str, message: str = "simulated") -> ClientError:
    """Make the error that boto3 raises for an AWS error code."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
