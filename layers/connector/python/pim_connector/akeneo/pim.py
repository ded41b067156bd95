"""A circuit breaker that all workers share, so that a PIM that is down is not hammered.

One DynamoDB item. While it is there the circuit is open: messages go back to the queue until the
next probe, and one worker at a time tries. The first success takes the item away.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import httpx
from msgspec import Struct

from pim_connector.aws.errors import ConditionFailedError, translated
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from pim_connector.akeneo.auth import Credentials
    from pim_connector.akeneo.client import AkeneoClient

Reason = Literal["unreachable", "credentials", "configuration"]

KEY = "breaker"
FIRST_WAIT_SECONDS = 30
LONGEST_WAIT_SECONDS: dict[Reason, int] = {
    "unreachable": 900,
    "credentials": 300,
    "configuration": 300,
}
"""What a person fixes is tried sooner than an outage that ends by itself: somebody watches."""
PROBE_SECONDS = 60
"""How long a prober keeps the others away; it must have its answer by then."""


class Closed(Struct, frozen=True, kw_only=True):
    """The PIM answers as far as anybody knows."""


class Probing(Struct, frozen=True, kw_only=True):
    """The circuit is open and this worker is the one that tries. `until` proves it (epoch s)."""

    until: int
    failures: int
    reason: Reason


class Open(Struct, frozen=True, kw_only=True):
    """The circuit is open: come back in `wait` seconds."""

    wait: int
    reason: Reason


class Outage(Struct, frozen=True, kw_only=True):
    """Why nothing is delivered, for people. `since` and `next_try` are in epoch seconds."""

    reason: Reason
    why: str
    since: int
    next_try: int


Gate = Closed | Probing | Open


class Breaker:
    """The state of the circuit in the state table. `now` is in epoch seconds everywhere.

    Every method raises TransientError when DynamoDB cannot answer.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def enter(self, now: float) -> Gate:
        """Ask before calling the PIM; of several that come when a probe is due one may try."""
        with translated("the breaker could not be read"):
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": KEY}}, ConsistentRead=True
            )
        item = answer.get("Item")
        if item is None:
            return Closed()
        reason = _reason(item["reason"]["S"])
        due = int(item["probe_at"]["N"])
        if now < due:
            return Open(wait=max(1, due - int(now)), reason=reason)
        until = int(now) + PROBE_SECONDS
        if not self._claim(due, until):
            return Open(wait=PROBE_SECONDS, reason=reason)
        return Probing(until=until, failures=int(item["failures"]["N"]), reason=reason)

    def outage(self) -> Outage | None:
        """Return what keeps the circuit open, for people who wait; None while it is closed."""
        with translated("the breaker could not be read"):
            answer = self._client.get_item(TableName=self._table, Key={"pk": {"S": KEY}})
        item = answer.get("Item")
        if item is None:
            return None
        return Outage(
            reason=_reason(item["reason"]["S"]),
            why=item.get("why", {}).get("S", ""),
            since=int(item.get("since", item["probe_at"])["N"]),
            next_try=int(item["probe_at"]["N"]),
        )

    def succeeded(self, gate: Gate) -> None:
        """Close the circuit if this worker was its prober."""
        if not isinstance(gate, Probing):
            return
        with translated("the breaker could not be closed"):
            self._client.delete_item(TableName=self._table, Key={"pk": {"S": KEY}})

    def failed(self, gate: Gate, reason: Reason, now: float, why: str) -> int:
        """Open the circuit, or keep it open for twice as long; give the seconds to the next probe.

        Workers that fail while it is already open do not lengthen the wait, only its prober does.
        `why` is for the operator's eyes and must hold no secret.
        """
        failures = gate.failures + 1 if isinstance(gate, Probing) else 1
        doubled = FIRST_WAIT_SECONDS << min(failures - 1, 10)
        wait = min(LONGEST_WAIT_SECONDS[reason], doubled)
        mine: dict[str, AttributeValueTypeDef] = {}
        if isinstance(gate, Probing):
            mine[":until"] = {"N": str(gate.until)}
        self._set_if(
            "probe_at = :until" if mine else "attribute_not_exists(pk)",
            "SET reason = :r, why = :w, failures = :f, probe_at = :p,"
            " since = if_not_exists(since, :n)",
            mine
            | {
                ":r": {"S": reason},
                ":w": {"S": why[:500]},
                ":f": {"N": str(failures)},
                ":p": {"N": str(int(now) + wait)},
                ":n": {"N": str(int(now))},
            },
        )
        return wait

    def _claim(self, due: int, until: int) -> bool:
        return self._set_if(
            "probe_at = :due",
            "SET probe_at = :until",
            {":due": {"N": str(due)}, ":until": {"N": str(until)}},
        )

    def _set_if(
        self,
        condition: str,
        update: str,
        values: dict[str, AttributeValueTypeDef],
    ) -> bool:
        try:
            with translated("the breaker could not be changed"):
                self._client.update_item(
                    TableName=self._table,
                    Key={"pk": {"S": KEY}},
                    ConditionExpression=condition,
                    UpdateExpression=update,
                    ExpressionAttributeValues=values,
                )
        except ConditionFailedError:
            return False
        return True


def _reason(text: str) -> Reason:
    return next((known for known in LONGEST_WAIT_SECONDS if known == text), "unreachable")


# Keeps all workers together within the PIM's limit of option writes.
#
# Akeneo allows three creations or updates of attribute options a second per PIM, whoever makes them
# (https://api.akeneo.com/documentation/good-practices.html). The next free slot is one item of the
# state table; a worker takes it by a conditional write and then waits for it.


SLOT_MILLISECONDS = 350
"""A little more than a third of a second, for the clocks of different machines."""
ATTEMPTS = 50


class OptionPace:
    """One slot after another for writes of attribute options, shared through DynamoDB."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        slot_milliseconds: int = SLOT_MILLISECONDS,
    ) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._sleep = sleep
        self._slot = slot_milliseconds

    def wait(self) -> None:
        """Take the next slot and wait until it has come; call it before each option write.

        Raises TransientError where DynamoDB does not answer or too many workers want slots.
        """
        for _ in range(ATTEMPTS):
            now = int(self._now() * 1000)
            try:
                with translated("no slot for an option write"):
                    seen = self._next_free()
                    start = max(now, seen or 0)
                    self._take(seen, start + self._slot)
            except ConditionFailedError:
                continue
            if start > now:
                self._sleep((start - now) / 1000)
            return
        raise TransientError("no slot for an option write: too many workers want one")

    def _next_free(self) -> int | None:
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": "options-slot"}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return int(item["next"]["N"]) if item else None

    def _take(self, seen: int | None, then: int) -> None:
        values: dict[str, AttributeValueTypeDef] = {":then": {"N": str(then)}}
        if seen is not None:
            values[":seen"] = {"N": str(seen)}
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": "options-slot"}},
            UpdateExpression="SET #n = :then",
            ConditionExpression="attribute_not_exists(pk)" if seen is None else "#n = :seen",
            ExpressionAttributeNames={"#n": "next"},
            ExpressionAttributeValues=values,
        )


# The way to the PIM: a client that is made anew when its credentials were refused.


class PimUnavailableError(TransientError):
    """The PIM, and not something of ours, could not answer."""


@contextmanager
def asking_the_pim() -> Iterator[None]:
    """Mark transient failures inside as the PIM's, for the breaker."""
    try:
        yield
    except TransientError as error:
        raise PimUnavailableError(str(error), retry_after=error.retry_after) from error


class Usage(Struct, frozen=True):
    """HTTP calls, how many of them the PIM throttled (429), and how long it took over all."""

    calls: int = 0
    throttled: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.throttled + other.throttled,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: Usage) -> Usage:
        return self + Usage(-other.calls, -other.throttled, -other.seconds)


class _TimedStream(httpx.SyncByteStream):
    """An answer's body. The PIM sends bulk answers line by line: a call lasts until its end."""

    def __init__(self, inner: httpx.SyncByteStream, closed: Callable[[], None]) -> None:
        self._inner = inner
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner)

    def close(self) -> None:
        self._inner.close()
        self._closed()


class CountedTransport(httpx.BaseTransport):
    """Counts and times the calls that go through another transport. `clock` is in seconds."""

    def __init__(
        self, inner: httpx.BaseTransport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._clock = clock
        self.usage = Usage()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        began = self._clock()
        self.usage += Usage(calls=1)

        def closed() -> None:
            self.usage += Usage(seconds=self._clock() - began)

        try:
            response = self._inner.handle_request(request)
        except BaseException:
            closed()
            raise
        self.usage += Usage(throttled=int(response.status_code == 429))
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101  a sync transport's
        response.stream = _TimedStream(response.stream, closed)
        return response

    def close(self) -> None:
        self._inner.close()


class Pim:
    """One client for all invocations of a worker, until the PIM refuses its credentials.

    `read` reads the credentials from where they are kept, so that a rotated secret is picked up
    without a deployment; `connect` makes a client of them that sends through `transport`.
    """

    def __init__(
        self,
        read: Callable[[], Credentials],
        connect: Callable[[Credentials, httpx.BaseTransport], AkeneoClient],
        transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport,
    ) -> None:
        self._read = read
        self._connect = connect
        self._transport = transport
        self._deadline: Callable[[], float] = lambda: float("inf")
        self._credentials: Credentials | None = None
        self._client: AkeneoClient | None = None
        self._counted: list[CountedTransport] = []

    @property
    def calls(self) -> int:
        """Count of all HTTP calls so far, those for tokens included."""
        return self.usage.calls

    @property
    def usage(self) -> Usage:
        """All HTTP calls so far, those for tokens included, and the time they took."""
        return sum((transport.usage for transport in self._counted), Usage())

    def until(self, deadline: Callable[[], float]) -> None:
        """Bind what follows to the time that is left, in seconds."""
        self._deadline = deadline

    def client(self) -> AkeneoClient:
        """Return the client, within the deadline. Raises what reading the credentials raises."""
        if self._client is None:
            self._credentials = self._read()
            self._counted.append(CountedTransport(self._transport()))
            self._client = self._connect(self._credentials, self._counted[-1])
        return self._client.within(self._deadline)

    def renew(self) -> bool:
        """Read the credentials again after a refusal; say whether they are others now."""
        refused = self._credentials
        self.close()
        self.client()
        return self._credentials != refused

    def close(self) -> None:
        """End the connections; the next call reads the credentials again."""
        if self._client is not None:
            self._client.close()
        self._client = None
