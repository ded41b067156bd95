"""The asset mapper's world in one process: AWS by moto, the PIM's simulator, a DAM on the wire."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import boto3
import httpx

from pim_connector.assets.composition import AssetMapper
from pim_connector.assets.state import AssetSyncState
from pim_connector.aws.queue import FifoQueue
from pim_connector.aws.table import Table
from pim_connector.dam.polling import AssetQueue
from pim_connector.outcomes import RecordOutcome
from pim_connector.products.composition import AwsClients, Surroundings
from pim_connector.settings import AssetMapperSettings
from pim_connector.sync.message_results import Deliveries
from pim_connector.sync.messages import Change
from simulators.akeneo.pim import Pim

SECRET = {
    "client_id": "client",
    "secret": "s3cr3t-of-the-connection",
    "username": "robot",
    "password": "p4ssw0rd-of-the-robot",
}
CATALOG: dict[str, Any] = {
    "locales": [{"code": "en_US", "enabled": True}, {"code": "de_DE", "enabled": True}],
    "currencies": [{"code": "EUR", "enabled": True}],
    "categories": [{"code": "master"}],
    "channels": [
        {
            "code": "web",
            "locales": ["en_US", "de_DE"],
            "currencies": ["EUR"],
            "category_tree": "master",
        }
    ],
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier", "group": "all"},
        {
            "code": "pictures",
            "type": "pim_catalog_asset_collection",
            "reference_data_name": "packshots",
            "group": "all",
        },
    ],
    "attribute_groups": [{"code": "all", "attributes": ["sku", "pictures"]}],
    "families": [{"code": "shoes", "attributes": ["sku", "pictures"], "attribute_as_label": "sku"}],
    "asset_families": [{"code": "packshots"}, {"code": "manuals"}],
    "asset_attributes": [
        {"code": "title", "asset_family": "packshots", "type": "text", "value_per_locale": True},
        {"code": "sku", "asset_family": "packshots", "type": "text"},
        {"code": "stars", "asset_family": "packshots", "type": "number"},
        {"code": "tags", "asset_family": "packshots", "type": "multiple_options"},
        {
            "code": "url",
            "asset_family": "packshots",
            "type": "media_link",
            "media_type": "image",
        },
        {
            "code": "file",
            "asset_family": "packshots",
            "type": "media_file",
            "media_type": "image",
            "allowed_extensions": ["jpg", "png"],
        },
        {"code": "note", "asset_family": "packshots", "type": "text"},
        {"code": "status", "asset_family": "packshots", "type": "text"},
        {"code": "sku", "asset_family": "manuals", "type": "text"},
    ],
    "asset_attribute_options": [
        {"code": "summer", "asset_family": "packshots", "attribute": "tags"}
    ],
}
SYNC_STATE_INDEX: dict[str, Any] = {
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "assets-in-use",
            "KeySchema": [
                {"AttributeName": "in_use", "KeyType": "HASH"},
                {"AttributeName": "waits", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ]
}
SOURCE: dict[str, Any] = {
    "source": "dam",
    "base_url": "https://dam.example.com",
    "list": {
        "path": "/files",
        "mode": "full",
        "pagination": {"kind": "page", "size": 4},
        "params": {"page": "{{page}}", "limit": "{{limit}}"},
    },
    "updated": "updated",
    "item": {"get": "/files/{{id}}"},
    "assets": {
        "family": {"from": "kind || 'packshots'"},
        "only": "product",
        "locale": "en_US",
        "attributes": {
            "title": {"from": "title", "families": ["packshots"]},
            "sku": {"from": "name", "steps": [{"extract": "^([A-Z0-9]+)_"}]},
            "stars": {"from": "stars", "families": ["packshots"]},
            "tags": {"from": "tags", "families": ["packshots"]},
            "url": {"template": "https://cdn.example.com/{{id}}", "families": ["packshots"]},
        },
    },
}


@dataclass
class Dam:
    """A DAM's answers by path, and what it was asked."""

    files: dict[str, Any] = field(default_factory=dict)
    binaries: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    down: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        host = request.headers["host"]
        path = request.url.path
        self.asked.append(f"{host}{path}")
        if self.down:
            return httpx.Response(503)
        if path in self.binaries:
            status, headers, content = self.binaries[path]
            return httpx.Response(status, headers=headers, content=content)
        if path == "/files":
            return httpx.Response(200, json=self._page(request.url.params))
        asset_id = path.removeprefix("/files/")
        asset = self.files.get(asset_id)
        return httpx.Response(200, json={"id": asset_id} | asset) if asset else httpx.Response(404)

    def _page(self, params: httpx.QueryParams) -> list[dict[str, Any]]:
        start = (int(params["page"]) - 1) * int(params["limit"])
        shown = [{"id": name} | held for name, held in self.files.items()]
        listed = [asset for asset in shown if asset["id"] not in self.hidden]
        return listed[start : start + int(params["limit"])]


class Wire(httpx.BaseTransport):
    """The PIM over real HTTP, everything else from the DAM's stand-in."""

    def __init__(self, dam: Dam) -> None:
        self._dam = dam
        self._real = httpx.HTTPTransport(verify=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "127.0.0.1":
            return self._real.handle_request(request)
        request.read()
        response = self._dam.answer(request)
        response.stream = httpx.ByteStream(response.content)
        return response

    def close(self) -> None:
        self._real.close()


@cache
def aws(service: Any) -> Any:
    """A client for all tests: making one takes longer than a test does."""
    return boto3.client(service, region_name="eu-central-1")


class World:
    """Bucket, tables, queues, PIM and DAM, and an asset mapper between them."""

    def __init__(self, pim: Pim, url: str) -> None:
        self.pim, self.dam = pim, Dam()
        self.time = 1_800_000_000.0
        self.waits: list[int] = []
        self.s3 = aws("s3")
        self.sqs = aws("sqs")
        self.dynamodb = aws("dynamodb")
        self.secrets = aws("secretsmanager")
        region: Any = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket="bucket", CreateBucketConfiguration=region)
        for name, keys in {"runs": ("pk", "sk"), "sync_state": ("pk",), "state": ("pk",)}.items():
            schema: Any = [
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ]
            indexed = SYNC_STATE_INDEX if name == "sync_state" else {}
            names = (*keys, *(("in_use", "waits") if indexed else ()))
            self.dynamodb.create_table(
                TableName=name,
                KeySchema=schema,
                AttributeDefinitions=[{"AttributeName": k, "AttributeType": "S"} for k in names],
                BillingMode="PAY_PER_REQUEST",
                **indexed,
            )
        self.queues = {
            name: self.sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})[
                "QueueUrl"
            ]
            for name in ("asset", "dead", "product")
        }
        self.secrets.create_secret(Name="akeneo", SecretString=json.dumps(SECRET))
        self.settings = AssetMapperSettings(
            bucket="bucket",
            run_table="runs",
            sync_state_table="sync_state",
            state_table="state",
            asset_queue_url=self.queues["asset"],
            asset_dead_letter_queue_url=self.queues["dead"],
            product_queue_url=self.queues["product"],
            akeneo_url=url,
            akeneo_secret_arn="akeneo",
        )
        self.sync_state = AssetSyncState(self.dynamodb, "sync_state")
        self.asset_queue = AssetQueue(FifoQueue(self.sqs, self.queues["asset"]), groups=2)
        self.addresses = {"dam.example.com": ["93.184.216.34"]}
        self.mapper: AssetMapper | None = None
        self.put_source()

    def put_source(self, **assets: Any) -> None:
        """Write the source file with some keys of `assets` replaced, and begin anew."""
        text = json.dumps(SOURCE | {"assets": SOURCE["assets"] | assets})
        self.s3.put_object(Bucket="bucket", Key="config/dam/dam.yaml", Body=text.encode())
        self.restart()

    def restart(self) -> None:
        """Begin with a cold start: nothing that was in memory is left."""
        self.close()
        around = Surroundings(
            now=lambda: self.time,
            sleep=self.sleep,
            jitter=lambda: 0.5,
            transport=lambda: Wire(self.dam),
            resolver=lambda host: self.addresses[host],
        )
        aws = AwsClients(s3=self.s3, sqs=self.sqs, dynamodb=self.dynamodb, secrets=self.secrets)
        self.mapper = AssetMapper(self.settings, aws, around)

    def close(self) -> None:
        if self.mapper is not None:
            self.mapper.close()

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def announce(self, *changes: Change) -> None:
        self.asset_queue.send("dam", changes)

    def poll(self, **files: dict[str, Any]) -> None:
        """Have the DAM hold these assets, and queue them as a poll does."""
        self.dam.files |= files
        self.announce(
            *(
                Change(id=name, stamp=str(held.get("updated", "")) or None, properties=held)
                for name, held in files.items()
            )
        )

    def invoke(self, *, seconds: float = 600.0, batch: int = 10) -> dict[str, Any] | None:
        """Deliver up to ten messages as the event source does; None where there are none."""
        messages = self.sqs.receive_message(
            QueueUrl=self.queues["asset"],
            MaxNumberOfMessages=batch,
            VisibilityTimeout=3600,
            AttributeNames=["All"],
        ).get("Messages", [])
        if not messages:
            return None
        records: list[dict[str, Any]] = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
            for message in messages
        ]
        end = time.monotonic() + seconds
        assert self.mapper is not None
        handled = self.mapper.worker.handle(records, lambda: end - time.monotonic())
        for record in records:
            if record["messageId"] not in handled.back:
                self.sqs.delete_message(
                    QueueUrl=self.queues["asset"], ReceiptHandle=record["receiptHandle"]
                )
            else:
                self.sqs.change_message_visibility(
                    QueueUrl=self.queues["asset"],
                    ReceiptHandle=record["receiptHandle"],
                    VisibilityTimeout=0,
                )
        return {"back": handled.back, "counts": dict(handled.counts)}

    def drain(self, *, rounds: int = 40, batch: int = 10) -> dict[str, int]:
        """Deliver until the queue is empty; give the sum of what was counted."""
        counts: dict[str, int] = {}
        for _ in range(rounds):
            handled = self.invoke(batch=batch)
            if handled is None:
                return counts
            for name, number in handled["counts"].items():
                counts[name] = counts.get(name, 0) + number
        raise AssertionError("the queue does not get empty")

    def asset(self, code: str, family: str = "packshots") -> dict[str, Any] | None:
        """The PIM's asset with its data by attribute (locale and channel left out)."""
        found = self.pim.assets.get(family, code)
        if found is None:
            return None
        return {key[0] if isinstance(key, tuple) else key: v for key, v in found.values.items()}

    def outcomes(self) -> dict[str, RecordOutcome]:
        """The latest booked outcome of each asset."""
        table = Table(self.dynamodb, "runs")
        runs = {
            item["pk"]["S"].removeprefix("run#")
            for item in self.dynamodb.scan(TableName="runs")["Items"]
            if item["sk"]["S"] == "run"
        }
        return {
            str(outcome.identifier): outcome
            for run in sorted(runs)
            for outcome in Deliveries(table).outcomes(run)
        }

    def product_messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self.sqs.receive_message(
                QueueUrl=self.queues["product"], MaxNumberOfMessages=10, AttributeNames=["All"]
            ).get("Messages", [])
            if not page:
                return found
            for message in page:
                found.append(
                    {"body": message["Body"], "group": message["Attributes"]["MessageGroupId"]}
                )
                self.sqs.delete_message(
                    QueueUrl=self.queues["product"], ReceiptHandle=message["ReceiptHandle"]
                )


def picture(**changes: Any) -> dict[str, Any]:
    """An asset of the DAM that is a product asset."""
    return {
        "product": True,
        "name": "SHOE1_front.jpg",
        "title": "Shoe from the front",
        "stars": 4,
        "tags": ["summer"],
        "updated": "2026-11-20T10:00:00Z",
    } | changes
