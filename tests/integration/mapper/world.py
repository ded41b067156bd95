"""The mapper's world in one process: AWS by moto, the PIM by the simulator over real HTTP."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import httpx

from functions.mapper import handler
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.table import ItemChange, Table
from pim_connector.outcomes import STATES, RecordOutcome
from pim_connector.products.composition import MapperClients, MapperParts, Surroundings, compose
from pim_connector.records import RECORD_MARK, SourceRecord, fingerprint
from pim_connector.settings import MapperSettings
from pim_connector.sync.message_results import Deliveries, Parking
from pim_connector.sync.messages import MappingPin, MessageRecord, ProductMessage, encode, group_id
from pim_connector.sync.runs import Registry, Run
from pim_connector.sync.state import SyncState
from simulators.akeneo.pim import Pim
from tests.in_turn import in_turn

SECRET = {
    "client_id": "client",
    "secret": "s3cr3t-of-the-connection",
    "username": "robot",
    "password": "p4ssw0rd-of-the-robot",
}
TABLES: dict[str, tuple[str, ...]] = {"runs": ("pk", "sk"), "sync_state": ("pk",), "state": ("pk",)}


class Killed(BaseException):
    """The worker's process ends here and now."""


WRITES = ("Put", "Update", "Delete", "Batch", "Transact", "Send", "Change", "PATCH", "POST")


@dataclass(slots=True)
class Kills:
    """Ends the process right after the n-th write to AWS or the PIM.

    That is every moment that matters: nothing differs between two reads.
    """

    at: int | None = None
    seen: list[str] = field(default_factory=list)
    meanwhile: Callable[[str], None] = field(default=lambda _: None)
    """What somebody else does right after a write."""

    def after(self, name: str) -> None:
        if not name.startswith(WRITES) or name == "BatchGetItem":
            return
        self.seen.append(name)
        self.meanwhile(name)
        if self.at is not None and len(self.seen) == self.at:
            raise Killed(name)


class Fragile(httpx.BaseTransport):
    """A transport after whose answers `Kills` can strike."""

    def __init__(self, kills: Kills) -> None:
        self._inner = httpx.HTTPTransport()
        self._kills = kills

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        self._kills.after(f"{request.method} {request.url.path}")
        return response

    def close(self) -> None:
        self._inner.close()


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    time: float = 1_800_000_000.0
    slept: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.slept += seconds


class Context:
    """What Lambda tells an invocation."""

    function_name = "mapper"
    memory_limit_in_mb = 1024
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:mapper"
    aws_request_id = "request"

    def __init__(self, seconds: float = 300.0) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


class World:
    """Buckets, tables, queues, a PIM, and a mapper function between them."""

    def __init__(self, pim: Pim, url: str, monkeypatch: Any) -> None:
        self.pim = pim
        self.clock = Clock()
        self.kills = Kills()
        self.waits: list[int] = []
        self.answers: list[Any] = []
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.dynamodb = boto3.client("dynamodb")
        self.secrets = boto3.client("secretsmanager")
        self._create()
        self.settings = MapperSettings(
            stack_name="stack",
            bucket="bucket",
            run_table="runs",
            sync_state_table="sync_state",
            state_table="state",
            product_queue_url=self.queue,
            product_dead_letter_queue_url=self.dead_letters,
            akeneo_url=url,
            akeneo_secret_arn="akeneo",
        )
        self._aws = MapperClients(
            s3=boto3.client("s3"),
            sqs=boto3.client("sqs"),
            dynamodb=boto3.client("dynamodb"),
            secrets=boto3.client("secretsmanager"),
            events=boto3.client("events"),
        )
        for client in (self._aws.s3, self._aws.sqs, self._aws.dynamodb, self._aws.events):
            hooks: Any = client.meta.events
            hooks.register("before-call.*", self._before)
            hooks.register("after-call.*", self._after)
        self._monkeypatch = monkeypatch
        self.parts: MapperParts | None = None
        self.start_worker()

    def _create(self) -> None:
        region: Any = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=region)
        self.s3.put_bucket_versioning(
            Bucket="bucket", VersioningConfiguration={"Status": "Enabled"}
        )
        for name, keys in TABLES.items():
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=[
                    {"AttributeName": key, "KeyType": "RANGE" if key == "sk" else "HASH"}
                    for key in keys
                ],
                AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in keys],
                BillingMode="PAY_PER_REQUEST",
            )
        fifo: Any = {"FifoQueue": "true"}
        self.queue = self.sqs.create_queue(QueueName="product.fifo", Attributes=fifo)["QueueUrl"]
        created = self.sqs.create_queue(QueueName="dead.fifo", Attributes=fifo)
        self.dead_letters = created["QueueUrl"]
        self.secrets.create_secret(Name="akeneo", SecretString=json.dumps(SECRET))
        self.bucket = Bucket(self.s3, "bucket")
        table = Table(self.dynamodb, "runs")
        self._table = table
        self.registry, self.deliveries = Registry(table), Deliveries(table)
        self.parking = Parking(table)
        self.sync_state = SyncState(self.dynamodb, "sync_state")

    def start_worker(self) -> None:
        """Begin with a cold start: nothing that was in memory is left."""
        around = Surroundings(
            now=self.clock.now,
            sleep=self.clock.sleep,
            jitter=lambda: 0.5,
            begin=in_turn,
            transport=lambda: Fragile(self.kills),
            may_reach=lambda _: True,
        )
        self.close()
        self.parts = compose(self.settings, self._aws, around)
        self._monkeypatch.setattr(handler, "parts", cache(lambda: self.parts))

    def close(self) -> None:
        """End the worker's connections."""
        if self.parts is not None:
            self.parts.close()

    def _before(self, model: Any, params: Any, **_: Any) -> None:
        if model.name == "ChangeMessageVisibility":
            self.waits.append(json.loads(params["body"])["VisibilityTimeout"])

    def _after(self, model: Any, **_: Any) -> None:
        self.kills.after(model.name)

    # What the splitter would have done.

    def put_mapping(self, text: str, name: str = "shop") -> MappingPin:
        from pim_connector.mapping.loading import load_mapping

        key = f"config/erp/{name}.yaml"
        put = self.s3.put_object(Bucket="bucket", Key=key, Body=text.encode())
        digest = load_mapping(text.encode(), name=key).digest
        return MappingPin(key=key, version=put["VersionId"], digest=digest)

    def start_run(self, run: str, *, source: str = "shop", order: str | None = None) -> None:
        self.registry.register(
            Run(
                id=run,
                source=source,
                bucket="bucket",
                key=f"incoming/{source}/{run}.xml",
                version="1",
                size=1,
                order=order or run,
                turn=order or run,
                phase="waiting",
                counts=dict.fromkeys(STATES, 0),
            )
        )

    def send(
        self,
        run: str,
        mapping: MappingPin,
        records: Sequence[MessageRecord],
        *,
        id: str = "000001",
        resource: str = "product",
        **changes: Any,
    ) -> ProductMessage:
        """Queue one message of a run and count it, as the splitter does at the end of a file."""
        if self.registry.get(run) is None:
            self.start_run(run)
        fields: dict[str, Any] = {
            "run": run,
            "source": "shop",
            "id": id,
            "group": 0,
            "order": run,
            "mapping": mapping,
            "resource": resource,
            "records": tuple(records),
        }
        message = ProductMessage(**fields | changes)
        header = {"pk": f"run#{run}", "sk": "run"}
        self._table.update(
            header,
            ItemChange(
                put={"phase": "delivering"}, add={"sent": 1, "records": len(message.records)}
            ),
        )
        self.queue_body(encode(message).decode(), message)
        return message

    def queue_body(self, body: str, message: ProductMessage) -> None:
        self.sqs.send_message(
            QueueUrl=self.queue,
            MessageBody=body,
            MessageGroupId=group_id(message.group),
            MessageDeduplicationId=f"{message.run}-{message.id}-{time.monotonic_ns()}",
        )

    # What the event source does.

    def invoke(self, seconds: float = 300.0) -> dict[str, Any] | None:
        """Deliver the next message once; None if there is none. Failures may come at once again."""
        records = self.receive(1)
        if not records:
            return None
        handle = records[0]["receiptHandle"]
        context: Any = Context(seconds)
        answer: Any = None
        try:
            answer = handler.lambda_handler({"Records": records}, context)
        finally:
            if answer == {"batchItemFailures": []}:
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=handle)
            else:
                self.sqs.change_message_visibility(
                    QueueUrl=self.queue, ReceiptHandle=handle, VisibilityTimeout=0
                )
        self.answers.append(answer)
        return dict(answer)

    def receive(self, most: int) -> list[dict[str, Any]]:
        """Take messages off the queue, in the form of the records of an event."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue,
            MaxNumberOfMessages=most,
            VisibilityTimeout=1800,
            AttributeNames=["All"],
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message["Attributes"]),
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:product.fifo",
                "awsRegion": "eu-central-1",
            }
            for message in received.get("Messages", [])
        ]

    def deliver_all(self, most: int = 50) -> int:
        """Deliver until the queue is empty, letting the asked waits pass; give the invocations."""
        for count in range(most):
            before = len(self.waits)
            if self.invoke() is None:
                return count
            if len(self.waits) > before:
                self.clock.time += self.waits[-1]
        raise AssertionError(f"the queue is not empty after {most} invocations")

    # What came of it.

    def counts(self, run: str) -> dict[str, int]:
        found = self.registry.get(run)
        assert found is not None
        return {state: number for state, number in found.counts.items() if number}

    def run(self, run: str) -> Run:
        found = self.registry.get(run)
        assert found is not None
        return found

    def outcomes(self, run: str) -> dict[int, RecordOutcome]:
        return {booked.number: booked for booked in self.deliveries.outcomes(run)}

    def product(self, identifier: str) -> dict[str, Any] | None:
        """Give a product's values as plain text by attribute, with family, parent and enabled."""
        found = self.pim.product_by_identifier(identifier)
        if found is None:
            return None
        values = {attribute: data for (attribute, _, _), data in found.values.items()}
        return values | {"family": found.family, "parent": found.parent}

    def dead(self) -> list[dict[str, Any]]:
        received = self.sqs.receive_message(
            QueueUrl=self.dead_letters,
            MaxNumberOfMessages=10,
            VisibilityTimeout=0,
            MessageAttributeNames=["All"],
        )
        return [dict(message) for message in received.get("Messages", [])]

    def calls(self, route: str) -> int:
        """Count the calls of a route such as `PATCH /products`."""
        calls: dict[str, int] = self.pim.counters.report()["calls"]
        return sum(number for name, number in calls.items() if name == route)

    def keys(self, prefix: str) -> list[str]:
        return list(self.bucket.keys(prefix))


def record(number: int, identifier: str, inner: str = "", **changes: Any) -> MessageRecord:
    """Make a record as the splitter hands it on: `<item>` with a `<sku>` and what else is given."""
    xml = f"<items><?{RECORD_MARK}?><item><sku>{identifier}</sku>{inner}</item></items>"
    rule = changes.pop("rule", "products")
    source = SourceRecord(number=number, line=number * 10, rule=rule, xml=xml)
    fields: dict[str, Any] = {
        "number": number,
        "line": number * 10,
        "rule": rule,
        "identifier": identifier,
        "family_key": identifier,
        "fingerprint": fingerprint(source),
        "xml": xml,
    }
    return MessageRecord(**fields | changes)
