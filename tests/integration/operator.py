"""A deployed stack as the command line finds it: by its CloudFormation outputs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import botocore.handlers
import pytest
from botocore.awsrequest import AWSResponse
from moto.core.botocore_stubber import MockRawResponse

from cli.app import main
from simulators.akeneo.pim import Pim
from tests.integration.nightly import Nights
from tests.integration.stack import BUCKET

MOTO: Any = {"core": {"passthrough": {"services": ["cloudformation"]}}}
"""Have moto leave CloudFormation to us."""


@dataclass
class Said:
    """What a command wrote, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass
class Operator:
    """Somebody who types commands; while a command waits the functions do their work."""

    nights: Nights
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    schedules: dict[str, str] = field(default_factory=dict)
    """Names of the stack's schedules by logical id."""
    outputs: dict[str, str] = field(default_factory=dict)
    _said: tuple[str, str] = ("", "")

    @classmethod
    @contextmanager
    def at_work(
        cls, pim: Pim, url: str, monkeypatch: pytest.MonkeyPatch, capsys: Any
    ) -> Iterator[Operator]:
        with Nights.begin(pim, url, monkeypatch) as nights:
            operator = cls(nights=nights, capsys=capsys, monkeypatch=monkeypatch)
            operator.deploy(url)
            monkeypatch.setattr(time, "sleep", operator.wait)
            monkeypatch.setattr("local.stack.record.read", lambda: None)
            yield operator

    def deploy(self, url: str) -> None:
        stack = self.nights.stack
        for name in ("assets", "dead-assets"):
            made = stack.sqs.create_queue(
                QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"}
            )
            stack.urls[name] = made["QueueUrl"]
        bridge: Any = {"EventBridgeConfiguration": {}}
        stack.s3.put_bucket_notification_configuration(
            Bucket=BUCKET, NotificationConfiguration=bridge
        )
        outputs = {
            "Bucket": BUCKET,
            "RunTable": "RunTable",
            "SyncStateTable": "SyncStateTable",
            "StateTable": "StateTable",
            "ProductQueue": stack.urls["products"],
            "ProductDeadLetterQueue": stack.urls["dead-products"],
            "AssetQueue": stack.urls["assets"],
            "AssetDeadLetterQueue": stack.urls["dead-assets"],
            "ConcurrentCalls": "2",
            "AkeneoUrl": url,
            "AkeneoSecret": "akeneo",
            "ConsoleUrl": "https://console.example/",
        }
        self.outputs = outputs
        handlers = [*botocore.handlers.BUILTIN_HANDLERS]
        handlers.append(("before-send.cloudformation", self._cloudformation))
        self.monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", handlers)

    def _cloudformation(self, request: Any, **_: Any) -> AWSResponse:
        """Answer in CloudFormation's words; moto's own needs packages for services of no use here.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html
        """
        asked = parse_qs(request.body.decode() if isinstance(request.body, bytes) else request.body)
        action, name = asked["Action"][0], asked["StackName"][0]
        if name != "pim-connector":
            error = f"<Code>ValidationError</Code><Message>Stack {name} does not exist</Message>"
            return _xml(request.url, 400, f"<ErrorResponse><Error>{error}</Error></ErrorResponse>")
        listed = "".join(
            f"<member><LogicalResourceId>{logical}</LogicalResourceId><PhysicalResourceId>{name}"
            "</PhysicalResourceId><ResourceType>AWS::Scheduler::Schedule</ResourceType></member>"
            for logical, name in self.schedules.items()
        )
        inner = f"<StackResourceSummaries>{listed}</StackResourceSummaries>"
        if action == "DescribeStacks":
            members = "".join(
                f"<member><OutputKey>{key}</OutputKey><OutputValue>{escape(text)}</OutputValue>"
                "</member>"
                for key, text in self.outputs.items()
            )
            inner = (
                f"<Stacks><member><StackName>{name}</StackName><Outputs>{members}</Outputs>"
                "<StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks>"
            )
        whole = f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"
        return _xml(request.url, 200, whole)

    def wait(self, _seconds: float) -> None:
        """Let the functions do what there is to do."""
        from functions.splitter import handler as splitter
        from tests.integration.stack import Context

        context: Any = Context()
        self._heard()
        splitter.lambda_handler({"sweep": True}, context)
        self.nights.rest()
        self.capsys.readouterr()  # the functions' logs

    def _heard(self) -> None:
        out, err = self.capsys.readouterr()
        self._said = (self._said[0] + out, self._said[1] + err)

    def types(self, *words: str | Path) -> Said:
        """Run one command line."""
        self.monkeypatch.setattr(sys, "argv", ["pim-connector", *map(str, words)])
        self._heard()
        self._said = ("", "")
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        self._heard()
        return Said(status=status, out=self._said[0], err=self._said[1])


def _xml(url: str, status: int, body: str) -> AWSResponse:
    headers: Any = {"content-type": "text/xml"}
    return AWSResponse(url, status, headers, MockRawResponse(body.encode()))
