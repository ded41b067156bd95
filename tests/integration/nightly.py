"""Splitter, mapper and housekeeping in one process: a file goes in, and the night comes to rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest

from functions.housekeeping import handler as housekeeping
from functions.mapper import handler as mapper
from functions.splitter import handler as splitter
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import FifoQueue
from pim_connector.products.composition import MapperClients, Surroundings, compose
from pim_connector.settings import MapperSettings
from pim_connector.sync.jobs import JobParts
from pim_connector.sync.runs import Run
from simulators.akeneo.accounts import Connection
from simulators.akeneo.pim import Pim
from tests.integration.stack import BUCKET, Context, Stack

SECRET = {"client_id": "c", "secret": "s", "username": "u", "password": "p"}


@dataclass
class Nights:
    """The whole product flow; events of ours reach the functions when `rest` delivers them."""

    stack: Stack
    pim: Pim

    @classmethod
    @contextmanager
    def begin(cls, pim: Pim, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Nights]:
        stack = Stack()
        stack.build()
        pim.accounts.connect(Connection(**SECRET))
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="akeneo", SecretString=json.dumps(SECRET))
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        splitter.parts.cache_clear()
        housekeeping.parts.cache_clear()
        aws = MapperClients(
            s3=stack.s3,
            sqs=stack.sqs,
            dynamodb=stack.dynamodb,
            secrets=secrets,
            events=stack.events,
        )
        settings = MapperSettings(
            stack_name="stack",
            bucket=BUCKET,
            run_table="RunTable",
            sync_state_table="SyncStateTable",
            state_table="StateTable",
            product_queue_url=stack.urls["products"],
            product_dead_letter_queue_url=stack.urls["dead-products"],
            akeneo_url=url,
            akeneo_secret_arn="akeneo",
        )
        parts = compose(settings, aws, Surroundings(sleep=lambda _: None))
        monkeypatch.setattr(mapper, "parts", cache(lambda: parts))
        yield cls(stack=stack, pim=pim)
        parts.close()
        splitter.parts.cache_clear()
        housekeeping.parts.cache_clear()

    def night(self, name: str, body: str, metadata: dict[str, str] | None = None) -> Run:
        """Take a file in, and give its run when nothing is left to do."""
        key = f"incoming/shop/{name}"
        event = self.stack.put(key, body)
        if metadata:
            answer = self.stack.s3.put_object(
                Bucket=BUCKET, Key=key, Body=body.encode(), Metadata=metadata
            )
            event["detail"]["object"]["version-id"] = answer["VersionId"]
        context: Any = Context()
        answer = splitter.lambda_handler(event, context)
        self.rest()
        return self.run(answer["taken_in"][0])

    def rest(self) -> None:
        """Deliver messages and events until there are none."""
        context: Any = Context()
        while self._deliver() or self._announce():
            pass
        housekeeping.lambda_handler({"sweep": True}, context)

    def run(self, name: str) -> Run:
        found = self.stack.registry.get(name)
        assert found is not None
        return found

    def jobs(self) -> JobParts:
        stack = self.stack
        return JobParts(
            bucket=Bucket(stack.s3, BUCKET),
            registry=stack.registry,
            queue=FifoQueue(stack.sqs, stack.urls["products"]),
            announcements=Announcements(stack.events, "default", "stack"),
            groups=2,
            clock=lambda: datetime.now(UTC),
        )

    def _deliver(self) -> bool:
        url = self.stack.urls["products"]
        answer = self.stack.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=1, AttributeNames=["All"]
        )
        for message in answer.get("Messages", []):
            record = {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message["Attributes"]),
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:products.fifo",
                "awsRegion": "eu-central-1",
            }
            context: Any = Context()
            failed = mapper.lambda_handler({"Records": [record]}, context)
            assert failed == {"batchItemFailures": []}
            self.stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return bool(answer.get("Messages"))

    def _announce(self) -> bool:
        told = self.stack.told()
        context: Any = Context()
        for kind, detail in told:
            event = {"source": "pim-connector", "detail-type": kind, "detail": detail}
            if kind == "RunSettled":
                housekeeping.lambda_handler(event, context)
            elif kind == "SplitContinues":
                splitter.lambda_handler(event, context)
        return bool(told)
