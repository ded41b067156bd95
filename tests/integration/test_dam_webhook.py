"""`dam_webhook` from the function URL's event to the message in the asset queue."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext
from moto import mock_aws

import telemetry
from functions.dam_webhook import handler

EVENTS = Path(__file__).parents[2] / "events" / "dam_webhook"
SOURCE = """
source: {name}
base_url: https://dam.example.com
secret: {secret}
list:
  path: /files
  mode: full
  pagination: {{kind: page}}
  params: {{page: "{{{{page}}}}", limit: "{{{{limit}}}}"}}
events:
  ids: key || keys
  kind: event
  settle_s: 3
  max_bytes: 5000
  verify: {verify}
"""
SIGNED = '{kind: hmac, header: X-Signature, secret: "{{secret.webhook}}"}'
STAMPED = (
    '{kind: hmac, header: X-Signature, secret: "{{secret.webhook}}",'
    ' timestamp_header: X-Time, message: "{{timestamp}}.{{body}}"}'
)


@dataclass
class Stack:
    """The webhook's surroundings in emulated AWS."""

    s3: Any
    sqs: Any
    queue: str

    def put_source(self, name: str, verify: str) -> None:
        body = SOURCE.format(name=name, secret="dam-secret", verify=verify)
        self.s3.put_object(Bucket="stack", Key=f"config/dam/{name}.yaml", Body=body.encode())

    def queued(self) -> list[dict[str, Any]]:
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]

    def ids(self) -> list[str]:
        return sorted(change["id"] for message in self.queued() for change in message["changes"])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "BUCKET": "stack",
        "STATE_TABLE": "state",
        "INTAKE_SOURCE": "signing",
    }.items():
        monkeypatch.setenv(name, value)
    # The template sets it for every function; powertools reads it when the module is imported.
    monkeypatch.setattr(telemetry.metrics.provider, "namespace", "PimConnector")
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket="stack", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        sqs = boto3.client("sqs")
        queue = sqs.create_queue(QueueName="asset.fifo", Attributes={"FifoQueue": "true"})
        monkeypatch.setenv("ASSET_QUEUE_URL", queue["QueueUrl"])
        boto3.client("dynamodb").create_table(
            TableName="state",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        boto3.client("secretsmanager").create_secret(
            Name="dam-secret", SecretString=json.dumps({"webhook": "only-for-tests"})
        )
        stack = Stack(s3=s3, sqs=sqs, queue=queue["QueueUrl"])
        stack.put_source("signing", SIGNED)
        stack.put_source("stamped", STAMPED)
        stack.put_source("aem", "{kind: adobe_rsa, client_id: ours}")
        handler.endpoint.cache_clear()
        yield stack
        handler.endpoint.cache_clear()


def invoke(event: dict[str, Any]) -> dict[str, Any]:
    context = LambdaContext()
    context._function_name = "dam_webhook"
    context._memory_limit_in_mb = 512
    context._invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:dam_webhook"
    context._aws_request_id = "r-1"
    answer: dict[str, Any] = handler.lambda_handler(event, context)
    return answer


def sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def metric(captured: str, name: str) -> int:
    lines = [json.loads(line) for line in captured.splitlines() if f'"{name}"' in line]
    return sum(int(line[name][0]) for line in lines if "_aws" in line and name in line)


ASSET = "5f0c1f6e-1111-4d7e-9a3b-2f1f4b6c0001"


@pytest.mark.parametrize(
    ("name", "status", "counted", "queued"),
    [
        ("a-signed-call-is-queued", 200, "WebhookAccepted", [ASSET]),
        ("a-signed-call-in-base64-is-queued", 200, "WebhookAccepted", [ASSET]),
        ("a-wrong-signature-is-refused", 401, "WebhookForged", []),
        ("a-call-without-signature-is-refused", 401, "WebhookForged", []),
        ("a-call-for-an-unknown-source-is-not-found", 404, "WebhookUnknownSource", []),
        ("a-challenge-of-adobe-is-answered", 200, "WebhookGreeted", []),
    ],
)
def test_a_call_ends_as_its_sample_says(
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    name: str,
    status: int,
    counted: str,
    queued: list[str],
) -> None:
    answer = invoke(sample(name))

    assert answer["statusCode"] == status
    assert stack.ids() == queued
    assert metric(capsys.readouterr().out, counted) == 1


def test_every_sample_of_a_call_or_an_intake_is_tried_here() -> None:
    tried = set(Path(__file__).read_text().split('"'))
    assert {path.stem for path in EVENTS.glob("*.json")} <= tried


def test_events_of_a_queue_lose_their_envelopes(stack: Stack) -> None:
    answer = invoke(sample("events-of-a-queue-are-taken-in"))

    assert answer == {"batchItemFailures": []}
    assert stack.ids() == ["A-7", "A-8"]


def test_an_unreadable_event_of_a_queue_comes_back_alone(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    event = sample("an-unreadable-event-of-a-queue-comes-back")

    answer = invoke(event)

    failed = {"itemIdentifier": event["Records"][0]["messageId"]}
    assert answer == {"batchItemFailures": [failed]}
    assert stack.ids() == ["A-8"]
    assert metric(capsys.readouterr().out, "EventsNotTakenIn") == 1


def call(body: bytes, headers: dict[str, str], path: str = "/stamped") -> dict[str, Any]:
    return {
        "rawPath": path,
        "headers": headers,
        "body": body.decode(),
        "requestContext": {"http": {"method": "POST"}},
    }


def stamped(body: bytes, stamp: float) -> dict[str, str]:
    time_text = str(int(stamp))
    message = time_text.encode() + b"." + body
    digest = hmac.new(b"only-for-tests", message, hashlib.sha256).hexdigest()
    return {"x-signature": digest, "x-time": time_text}


def test_a_replayed_call_is_refused_by_the_state_table(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    event = call(b'{"key": "A-1"}', stamped(b'{"key": "A-1"}', time.time()))

    statuses = [invoke(event)["statusCode"] for _ in range(3)]
    handler.endpoint.cache_clear()  # another execution environment
    statuses.append(invoke(event)["statusCode"])

    assert statuses == [200, 409, 409, 409]
    assert stack.ids() == ["A-1"]
    assert metric(capsys.readouterr().out, "WebhookReplayed") == 3


def test_a_stale_call_is_refused(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    event = call(b'{"key": "A-1"}', stamped(b'{"key": "A-1"}', 1_700_000_000))

    assert invoke(event)["statusCode"] == 401
    assert stack.ids() == []
    assert metric(capsys.readouterr().out, "WebhookStale") == 1


def test_an_oversized_call_is_refused(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    body = b'{"key": "' + b"x" * 6000 + b'"}'

    assert invoke(call(body, stamped(body, 1)))["statusCode"] == 413
    assert stack.ids() == []
    assert metric(capsys.readouterr().out, "WebhookOversized") == 1


def test_a_bulk_event_is_queued_whole_and_each_asset_once(stack: Stack) -> None:
    import time

    ids = [f"A-{n:03}" for n in range(250)]
    body = json.dumps({"keys": [*ids, "A-000"]}).encode()

    assert invoke(call(body, stamped(body, time.time())))["statusCode"] == 200
    messages = [message for _ in range(6) for message in stack.queued()]
    assert sorted(c["id"] for m in messages for c in m["changes"]) == ids
    assert all(len(message["changes"]) <= 100 for message in messages)


def test_while_the_queue_is_away_the_dam_is_told_to_come_again(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    import time

    event = call(b'{"key": "A-1"}', stamped(b'{"key": "A-1"}', time.time()))
    with monkeypatch.context() as away:
        away.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")  # nobody listens there
        away.setenv("AWS_MAX_ATTEMPTS", "1")
        handler.endpoint.cache_clear()
        answer = invoke(event)
    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (503, "30")

    handler.endpoint.cache_clear()
    assert invoke(event)["statusCode"] == 200


def test_a_broken_source_file_is_told_to_the_operator_and_not_to_the_caller(
    stack: Stack, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    stack.put_source("signing", "{kind: hmac}")

    answer = invoke(sample("a-signed-call-is-queued"))

    assert (answer["statusCode"], answer["body"]) == (500, "")
    assert any(
        "config/dam/signing.yaml" in getattr(record, "detail", "") for record in caplog.records
    )
    assert metric(capsys.readouterr().out, "WebhookMisconfigured") == 1


def test_no_secret_ever_gets_into_the_log(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    for name in sorted(path.stem for path in EVENTS.glob("*.json")):
        invoke(sample(name))
    assert "only-for-tests" not in capsys.readouterr().out
