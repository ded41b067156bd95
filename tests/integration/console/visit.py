"""Somebody at the console: calls reach the function as its URL would hand them on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest

from functions.console import handler
from pim_connector.aws.table import Table
from pim_connector.console.sessions import OneTime, issue_code
from simulators.akeneo.pim import Pim
from tests.integration.nightly import Nights
from tests.integration.stack import Context


@dataclass
class Answered:
    """One answer of the console."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    text: str

    @property
    def location(self) -> str:
        return self.headers["Location"] if "Location" in self.headers else self.headers["location"]

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Console:
    """A browser without a screen; `cookies` are those it was given."""

    nights: Nights
    cookies: dict[str, str] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(cls, pim: Pim, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Console]:
        with Nights.begin(pim, url, monkeypatch) as nights:
            environment(nights, url, monkeypatch)
            yield cls(nights=nights)
            handler.parts.cache_clear()

    def sign_in(self, name: str = "julia") -> None:
        """Come in with a one-time code, as somebody with AWS rights."""
        table = Table(boto3.client("dynamodb"), "StateTable")
        code = issue_code(
            OneTime(table, now=lambda: datetime.now(UTC).timestamp()), subject=name, name=name
        )
        answered = self.call("GET", f"/sign-in?code={code}")
        assert answered.status == 303, answered.text

    def get(self, path: str, **headers: str) -> Answered:
        return self.call("GET", path, headers=headers)

    def post(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Answered:
        """Post a form with the token of a page of this session."""
        return self.call("POST", path, {"token": self.token()} | dict(form or {}), headers)

    def token(self) -> str:
        found = re.search(r'data-token="([^"]*)"', self.get("/help").text)
        assert found
        return found[1]

    def call(
        self,
        method: str,
        path: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        raw, _, query = path.partition("#")[0].partition("?")
        event = event_of(
            method,
            raw,
            query,
            {"content-type": "application/x-www-form-urlencoded", **(headers or {})},
            [f"{name}={value}" for name, value in self.cookies.items()],
            urlencode(form) if form is not None else "",
        )
        context: Any = Context()
        answer = handler.lambda_handler(event, context)
        for cookie in answer.get("cookies", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answered(
            status=answer["statusCode"],
            headers={name.lower(): value for name, value in answer["headers"].items()},
            cookies=answer.get("cookies", []),
            text=answer.get("body") or "",
        )


def environment(nights: Nights, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set what the template tells the console."""
    stack = nights.stack
    for name in ("assets", "dead-assets"):
        attributes = {"FifoQueue": "true"}
        made = stack.sqs.create_queue(QueueName=f"{name}.fifo", Attributes=attributes)
        stack.urls[name] = made["QueueUrl"]
    key = boto3.client("secretsmanager").create_secret(
        Name="console-key", SecretString="a key of the console, made for tests"
    )
    channel = boto3.client("secretsmanager").create_secret(Name="channel", SecretString="{}")
    variables = stack.environment() | {
        "ASSET_QUEUE_URL": stack.urls["assets"],
        "ASSET_DEAD_LETTER_QUEUE_URL": stack.urls["dead-assets"],
        "AKENEO_URL": url,
        "AKENEO_SECRET_ARN": "akeneo",
        "CONSOLE_KEY_ARN": key["ARN"],
        "CHANNEL_SECRET_ARN": channel["ARN"],
        "SWEEP_SCHEDULE": "cron(0 1 * * ? *)",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    handler.parts.cache_clear()


def event_of(
    method: str, path: str, query: str, headers: dict[str, str], cookies: list[str], body: str
) -> dict[str, Any]:
    """Make an event of payload format 2.0."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "cookies": cookies,
        "requestContext": {
            "domainName": "console.example",
            "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
            "requestId": "1",
            "stage": "$default",
        },
        "body": body,
        "isBase64Encoded": False,
    }
