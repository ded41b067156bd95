"""The stack's bucket, tables and queues under moto, the tables as storage.yaml has them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
import yaml

from pim_connector.aws.table import Table
from pim_connector.outcomes import RecordOutcome
from pim_connector.sync.message_results import Deliveries
from pim_connector.sync.messages import ClaimCheck, ProductMessage, decode
from pim_connector.sync.runs import Registry, Run

ROOT = Path(__file__).resolve().parents[2]
BUCKET = "pim-connector-test"


class _Template(yaml.SafeLoader):
    """Reads storage.yaml and passes over CloudFormation's short forms."""


_Template.add_multi_constructor("!", lambda _loader, _suffix, _node: None)


@dataclass
class Context:
    """What Lambda hands a function: `milliseconds` are left each time it asks."""

    milliseconds: int = 900_000
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    function_name: str = "splitter"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:splitter"
    log_group_name: str = "/aws/lambda/splitter"
    log_stream_name: str = "1"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class Stack:
    """Clients of an emulated AWS with everything splitter and housekeeping need."""

    s3: Any = field(default_factory=lambda: boto3.client("s3"))
    sqs: Any = field(default_factory=lambda: boto3.client("sqs"))
    dynamodb: Any = field(default_factory=lambda: boto3.client("dynamodb"))
    events: Any = field(default_factory=lambda: boto3.client("events"))
    urls: dict[str, str] = field(default_factory=dict)

    def build(self) -> None:
        region = {"LocationConstraint": "eu-central-1"}
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=region)
        versioning = {"Status": "Enabled"}
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration=versioning)
        resources = yaml.load((ROOT / "storage.yaml").read_text(), Loader=_Template)["Resources"]  # noqa: S506
        for name in ("RunTable", "SyncStateTable", "StateTable"):
            wanted = (
                "KeySchema",
                "AttributeDefinitions",
                "GlobalSecondaryIndexes",
                "BillingMode",
            )
            properties = resources[name]["Properties"]
            table = {key: properties[key] for key in wanted if key in properties}
            self.dynamodb.create_table(TableName=name, **table)
        for name in ("products", "dead-products"):
            attributes = {"FifoQueue": "true", "VisibilityTimeout": "60"}
            queue = self.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)
            self.urls[name] = queue["QueueUrl"]
        self.urls["events"] = self.sqs.create_queue(QueueName="events")["QueueUrl"]
        pattern = json.dumps({"source": ["pim-connector"]})
        self.events.put_rule(Name="ours", EventPattern=pattern)
        target = {"Id": "1", "Arn": "arn:aws:sqs:eu-central-1:123456789012:events"}
        self.events.put_targets(Rule="ours", Targets=[target])

    def environment(self) -> dict[str, str]:
        return {
            "BUCKET": BUCKET,
            "RUN_TABLE": "RunTable",
            "SYNC_STATE_TABLE": "SyncStateTable",
            "STATE_TABLE": "StateTable",
            "PRODUCT_QUEUE_URL": self.urls["products"],
            "PRODUCT_DEAD_LETTER_QUEUE_URL": self.urls["dead-products"],
            "CONCURRENT_CALLS": "2",
            "STACK_NAME": "stack",
        }

    @property
    def registry(self) -> Registry:
        return Registry(Table(self.dynamodb, "RunTable"))

    @property
    def deliveries(self) -> Deliveries:
        return Deliveries(Table(self.dynamodb, "RunTable"))

    uploads = 0

    def put(self, key: str, body: bytes | str) -> dict[str, Any]:
        """Put an object, and give the event that EventBridge makes of it."""
        encoded = body.encode() if isinstance(body, str) else body
        answer = self.s3.put_object(Bucket=BUCKET, Key=key, Body=encoded)
        self.uploads += 1
        found = {
            "key": key,
            "size": len(encoded),
            "version-id": answer["VersionId"],
            "sequencer": f"{self.uploads:016X}",
        }
        detail = {"bucket": {"name": BUCKET}, "object": found}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    def get(self, key: str) -> bytes:
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def keys(self, prefix: str = "") -> list[str]:
        page = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)
        return [entry["Key"] for entry in page.get("Contents", [])]

    def runs(self) -> list[Run]:
        """All runs, the oldest order first."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName="RunTable")
        names = {
            item["id"]["S"]
            for page in pages
            for item in page["Items"]
            if item["sk"]["S"] == "run" and "id" in item
        }
        found = [run for run in map(self.registry.get, names) if run]
        return sorted(found, key=lambda run: run.order)

    def run(self) -> Run:
        [run] = self.runs()
        return run

    def messages(self) -> list[ProductMessage]:
        """Take all messages out of the product queue, bodies of heavy ones from the bucket."""
        found = []
        for body in self._drain("products"):
            message = decode(body)
            if isinstance(message, ClaimCheck):
                heavy = decode(self.get(message.heavy))
                assert isinstance(heavy, ProductMessage)
                message = heavy
            assert isinstance(message, ProductMessage)
            found.append(message)
        return found

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """Take all events of ours that were put on the bus: detail-type and detail.

        Each has to say whose it is: all stacks of a region share the bus.
        """
        events = list(map(json.loads, self._drain("events")))
        assert all(event["detail"].pop("stack") == "stack" for event in events)
        return [(event["detail-type"], event["detail"]) for event in events]

    def record(self, messages: list[ProductMessage], state: str = "created") -> None:
        """Book messages as the mapper does, every record in one state."""
        for message in messages:
            outcomes = [
                RecordOutcome(
                    number=each.number,
                    line=each.line,
                    state=state,  # type: ignore[arg-type]  # one of the states
                    identifier=each.identifier,
                )
                for each in message.records
            ]
            assert self.deliveries.record_message(message.run, message.id, outcomes)

    def _drain(self, name: str) -> list[str]:
        bodies: list[str] = []
        while True:
            answer = self.sqs.receive_message(QueueUrl=self.urls[name], MaxNumberOfMessages=10)
            messages = answer.get("Messages", [])
            if not messages:
                return bodies
            for message in messages:
                bodies.append(message["Body"])
                handle = message["ReceiptHandle"]
                self.sqs.delete_message(QueueUrl=self.urls[name], ReceiptHandle=handle)


def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have boto3 find credentials that open nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "test")
