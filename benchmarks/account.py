"""An AWS account in this process that takes time as AWS does, and counts what AWS would bill.

The stand-ins are those of the simulation of nights; here several workers use them at once, so that
each call is made alone, after its latency has passed for its caller.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final, cast

from tests.nights.aws.dynamodb import DynamoDB
from tests.nights.aws.faults import Faults
from tests.nights.aws.s3 import S3
from tests.nights.aws.sqs import SQS, Queue
from tests.nights.aws.world import EventBridge, Secrets

AWS_SECONDS: Final = {"dynamodb": 0.006, "s3": 0.03, "sqs": 0.01, "events": 0.02, "secrets": 0.03}
"""What a request takes within a region, about; nobody promises it."""
AT_ONCE: Final[dict[str, float]] = {}
INVOKE_SECONDS: Final = 0.03
"""Between a message's turn and the first line of a warm function."""
CHUNK: Final = 65_536
"""SQS bills each begun 64 KB of a request as a request (https://aws.amazon.com/sqs/pricing/)."""

Request = dict[str, Any]


class WallClock:
    """The clock of this machine, where the stand-ins expect one of theirs."""

    @property
    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass
class Meter:
    """Requests by service and operation, and billed units, since the start."""

    requests: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def since(self, before: Meter) -> Meter:
        """Give what has come after `before`."""
        return Meter(self.requests - before.requests, self.units - before.units)

    def copy(self) -> Meter:
        """Give the counts as they are now."""
        return Meter(Counter(self.requests), Counter(self.units))


class Client:
    """One service's client: boto3's methods, one call at a time, metered."""

    def __init__(self, service: str, inner: Any, account: Account) -> None:
        self._service, self._inner, self._account = service, inner, account
        self._measure = _MEASURES.get(service, _nothing)

    def __getattr__(self, name: str) -> Any:
        inner = getattr(self._inner, name)
        if name == "get_paginator" or not callable(inner):
            return inner

        def call(*args: Any, **request: Any) -> Any:
            if seconds := self._account.seconds.get(self._service):
                self._account.waits.append((time.perf_counter(), seconds))
                time.sleep(seconds)
            with self._account.lock:
                self._account.meter.requests[f"{self._service}.{name}"] += 1
                try:
                    answer = inner(*args, **request)
                finally:
                    counted = self._measure(name, request, self._inner)
                    self._account.meter.units.update(counted)
            return answer

        return call


class Account:
    """Bucket, tables, queue and secret of a stack; `seconds` is a request's latency by service.

    `dynamodb` may be one that lives in another process, so that it takes none of our memory.
    """

    def __init__(
        self,
        *,
        seconds: Mapping[str, float] = AT_ONCE,
        secret: str = "",
        dynamodb: DynamoDB | None = None,
    ) -> None:
        self.seconds, self.meter, self.lock = seconds, Meter(), threading.RLock()
        self.waits: list[tuple[float, float]] = []
        """When each request began to wait (`time.perf_counter`), and for how many seconds."""
        self.clock = cast(Any, WallClock())
        faults = Faults()
        self.dynamodb = dynamodb or tables()
        self.s3 = S3(self.clock, faults)
        self.sqs = SQS(self.clock, faults)
        self.events = EventBridge(faults)
        self.secrets = Secrets(faults, {"pim": secret})
        self.dead = self.sqs.add_queue(Queue("dead.fifo"))
        self.queue = self.sqs.add_queue(Queue("products.fifo", dead=self.dead))

    def client(self, service: str) -> Any:
        """Give what stands in for boto3's client of a service."""
        return Client(service, getattr(self, service), self)


def tables() -> DynamoDB:
    """Give an empty DynamoDB with the stack's tables."""
    found = DynamoDB(Faults())
    found.add_table("runs", "pk", "sk")
    found.add_table("sync_state", "pk")
    found.add_table("state", "pk")
    return found


def item_bytes(item: Mapping[str, Mapping[str, Any]]) -> int:
    """Weigh an item about as DynamoDB does: names and contents."""
    contents = (next(iter(value.values())) for value in item.values())
    weights = (len(c) if isinstance(c, bytes | str) else len(str(c)) for c in contents)
    return sum(map(len, item)) + sum(weights)


def _nothing(_: str, __: Request, ___: Any) -> Mapping[str, int]:
    return {}


def _sqs(name: str, request: Request, _: Any) -> Mapping[str, int]:
    if name == "send_message_batch":
        size = sum(len(entry["MessageBody"]) for entry in request["Entries"])
    else:
        size = len(request.get("MessageBody", ""))
    return {"sqs chunks": max(1, ceil(size / CHUNK))}


def _dynamodb(name: str, request: Request, inner: Any) -> Mapping[str, int]:
    """Count read units (4 KB, consistent) and write units (1 KB, twice in a transaction)."""
    if not isinstance(inner, DynamoDB):
        return {}
    counted = Counter[str]()
    for verb, table, key in _touched(name, request):
        size = item_bytes(_found(inner, table, key))
        if verb == "read":
            counted[f"{table} read units"] += max(1, ceil(size / 4096))
        else:
            twice = 2 if verb == "transact" else 1
            counted[f"{table} write units"] += twice * max(1, ceil(size / 1024))
    return counted


def _found(inner: DynamoDB, table: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
    names = ("pk", "sk") if table == "runs" else ("pk",)
    return inner.tables[table].get(tuple(key[name]["S"] for name in names), {})


def _touched(name: str, request: Request) -> list[tuple[str, str, Mapping[str, Any]]]:
    """Name the items that a request reads or writes, as far as the request itself names them."""
    if name == "batch_get_item":
        wanted = request["RequestItems"].items()
        return [("read", table, key) for table, asked in wanted for key in asked["Keys"]]
    if name == "batch_write_item":
        wanted = request["RequestItems"].items()
        return [("write", t, r["PutRequest"]["Item"]) for t, rows in wanted for r in rows]
    if name == "transact_write_items":
        actions = [next(iter(action.values())) for action in request["TransactItems"]]
        return [("transact", a["TableName"], a.get("Key") or a["Item"]) for a in actions]
    if name == "query":
        return [("read", request["TableName"], {"pk": {"S": ""}, "sk": {"S": ""}})]
    verb = "read" if name == "get_item" else "write"
    return [(verb, request["TableName"], request.get("Key") or request["Item"])]


_MEASURES: dict[str, Callable[[str, Request, Any], Mapping[str, int]]] = {
    "dynamodb": _dynamodb,
    "sqs": _sqs,
}
