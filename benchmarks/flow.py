"""The products' flow in this process: the real splitter and mapper, fed as AWS feeds them.

The local stack's emulator hands out one FIFO message at a time. Here as many workers as there are
message groups take messages at once, each with its own client and its own connection to the PIM,
and a message group has one message in flight, as Lambda's event source does it
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html).
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from benchmarks.account import INVOKE_SECONDS, Account
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import RUN_SETTLED, Announcements
from pim_connector.aws.queue import DeadLetters, FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.housekeeping import HousekeepingParts, close_run
from pim_connector.products.composition import MapperClients, MapperParts, Surroundings, compose
from pim_connector.products.decisions import SplitterParts
from pim_connector.products.splitting import read_event, split_sources, take_in
from pim_connector.settings import MapperSettings
from pim_connector.sync.chunks import Splits
from pim_connector.sync.message_results import Deliveries, Parking
from pim_connector.sync.runs import Registry
from pim_connector.sync.state import SyncState

SOURCE: Final = "erp"
INVOCATION_SECONDS: Final = 300.0
_LOOK_AGAIN_SECONDS: Final = 0.01

Transport = Callable[[], httpx.BaseTransport]


@dataclass(slots=True)
class Spell:
    """One call to the PIM, from its first byte to its last, in seconds of the clock.

    `worked` is this process's processor time at both moments, in seconds.
    """

    write: bool
    began: float
    ended: float
    worked: tuple[float, float] = (0.0, 0.0)


class _Watched(httpx.SyncByteStream):
    def __init__(self, inner: Any, closed: Callable[[], None]) -> None:
        self._inner, self._closed = inner, closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner)

    def close(self) -> None:
        self._inner.close()
        self._closed()


class Watch(httpx.BaseTransport):
    """Notes when calls to the PIM begin and end."""

    def __init__(self, inner: httpx.BaseTransport, spells: list[Spell]) -> None:
        self._inner, self._spells = inner, spells

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the call on."""
        began = time.perf_counter()
        worked = time.process_time()
        spell = Spell(request.method == "PATCH", began, began)
        self._spells.append(spell)

        def closed() -> None:
            spell.ended, spell.worked = time.perf_counter(), (worked, time.process_time())

        try:
            response = self._inner.handle_request(request)
        except BaseException:
            closed()
            raise
        response.stream = _Watched(response.stream, closed)
        return response

    def close(self) -> None:
        """End the connections."""
        self._inner.close()


class Flow:
    """A stack with one source and one mapping, between an account and a PIM."""

    def __init__(
        self,
        account: Account,
        mapping: str,
        *,
        url: str,
        groups: int = 4,
        transport: Transport = httpx.HTTPTransport,
    ) -> None:
        self.account, self.groups, self.url = account, groups, url
        self.spells: list[Spell] = []
        self.ends: Counter[str] = Counter()
        self.invoke_seconds = INVOKE_SECONDS if account.seconds else 0.0
        self._transport = transport
        self._put(f"config/erp/{SOURCE}.yaml", mapping.encode())
        self._splitter = self._splitter_parts()
        self._housekeeping = self._housekeeping_parts()
        self._workers = [self._mapper_parts() for _ in range(groups)]

    def take_in(self, export: Any, name: str = "export.xml") -> None:
        """Put a file into the inbox and split it to its end."""
        key = f"incoming/{SOURCE}/{name}"
        version = self._put(key, export)
        detail = {"object": {"key": key, "version-id": version}}
        event = {"detail-type": "Object Created", "detail": detail}
        sources = take_in(read_event(event), self._splitter).sources
        split_sources(sources, self._splitter, owner="bench", remaining=lambda: 900.0)

    def deliver(self) -> None:
        """Let all workers take messages until none is left."""
        threads = [threading.Thread(target=self._work, args=(parts,)) for parts in self._workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._close_settled()

    def _close_settled(self) -> None:
        """Do what housekeeping does when the last message of a run is booked."""
        told, self.account.events.events[:] = list(self.account.events.events), []
        for event in told:
            if event["DetailType"] == RUN_SETTLED:
                close_run(json.loads(event["Detail"])["run"], self._housekeeping)

    def close(self) -> None:
        """End the connections."""
        for parts in self._workers:
            parts.close()

    def _work(self, parts: MapperParts) -> None:
        account = self.account
        while True:
            with account.lock:
                found = account.queue.receive(account.clock, 1, INVOCATION_SECONDS * 6)
                left = bool(account.queue.messages)
            if found:
                self._handle(parts, found[0])
            elif left:
                time.sleep(_LOOK_AGAIN_SECONDS)
            else:
                return

    def _handle(self, parts: MapperParts, message: Any) -> None:
        """Do what the mapper's handler does with one message, and what Lambda does after it."""
        account, ends = self.account, time.monotonic() + INVOCATION_SECONDS
        time.sleep(self.invoke_seconds)
        handled = parts.worker.handle(message.body, lambda: ends - time.monotonic())
        self.ends.update(handled.counts)
        self.ends[f"messages {handled.end}"] += 1
        if handled.end == "postponed":
            parts.receipts.come_back(message.receipt, handled.wait)
            return
        if handled.end == "dead":
            parts.receipts.put_aside(message.body, _attributes(message), handled.reason)
        with account.lock:
            account.queue.messages.remove(message)

    def _put(self, key: str, body: Any) -> str:
        return str(self.account.s3.put_object(Key=key, Body=body)["VersionId"])

    def _splitter_parts(self) -> SplitterParts:
        account = self.account
        dynamodb = account.client("dynamodb")
        runs = Table(dynamodb, "runs")
        return SplitterParts(
            bucket=Bucket(account.client("s3"), "bucket"),
            registry=Registry(runs),
            splits=Splits(runs),
            leases=Leases(Table(dynamodb, "state")),
            sync_state=SyncState(dynamodb, "sync_state"),
            queue=FifoQueue(account.client("sqs"), account.queue.url),
            announcements=Announcements(account.client("events"), "default", "stack"),
            groups=self.groups,
            trigger="upload",
            clock=lambda: datetime.now(UTC),
        )

    def _housekeeping_parts(self) -> HousekeepingParts:
        account = self.account
        dynamodb, sqs = account.client("dynamodb"), account.client("sqs")
        runs = Table(dynamodb, "runs")
        return HousekeepingParts(
            bucket=Bucket(account.client("s3"), "bucket"),
            registry=Registry(runs),
            splits=Splits(runs),
            deliveries=Deliveries(runs),
            parking=Parking(runs),
            leases=Leases(Table(dynamodb, "state")),
            queue=FifoQueue(sqs, account.queue.url),
            dead_letters=DeadLetters(sqs, account.dead.url),
            announcements=Announcements(account.client("events"), "default", "stack"),
            parent_wait_seconds=3600,
            clock=lambda: datetime.now(UTC),
        )

    def _mapper_parts(self) -> MapperParts:
        account = self.account
        settings = MapperSettings(
            stack_name="stack",
            bucket="bucket",
            run_table="runs",
            sync_state_table="sync_state",
            state_table="state",
            product_queue_url=account.queue.url,
            product_dead_letter_queue_url=account.dead.url,
            akeneo_url=self.url,
            akeneo_secret_arn="pim",  # noqa: S106 - a name
        )
        aws = MapperClients(
            s3=account.client("s3"),
            sqs=account.client("sqs"),
            dynamodb=account.client("dynamodb"),
            secrets=account.client("secrets"),
            events=account.client("events"),
        )
        around = Surroundings(transport=lambda: Watch(self._transport(), self.spells))
        return compose(settings, aws, around)


def _attributes(message: Any) -> dict[str, str]:
    return {
        "MessageGroupId": message.group,
        "MessageDeduplicationId": message.deduplication,
    }
