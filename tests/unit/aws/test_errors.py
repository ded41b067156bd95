"""Every adapter of AWS gives one consequence for one kind of failure, whichever service it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from pim_connector.akeneo.auth import DynamoDbTokenStore, Token, read_credentials
from pim_connector.akeneo.pim import Breaker, OptionPace
from pim_connector.assets.state import AssetSyncState
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.errors import ConditionFailedError, backoff, translated
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import DeadLetters, FifoQueue, Outgoing, redrive
from pim_connector.aws.table import Table
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.sync.state import SyncState
from pim_connector.webhooks.endpoint import SeenDeliveries

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/q.fifo"
TOKEN = Token(access_token="a", refresh_token=None, issued_at=0.0, expires_at=9e9)


def _refusing(service: str, code: str, status: int) -> Any:
    """Return a client of boto3 to whom AWS answers every call with this code."""
    make: Any = boto3.client
    client = make(
        service,
        region_name="eu-central-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )

    def answer(**_: Any) -> AWSResponse:
        body = f'{{"__type":"x#{code}","message":"no"}}'
        headers: Any = {"x-amzn-query-error": f"{code};Sender"} if service == "sqs" else {}
        if service == "s3":
            body = f"<Error><Code>{code}</Code><Message>no</Message></Error>"
        return AWSResponse("https://aws", status, headers, _Raw(body.encode()))

    client.meta.events.register("before-send", answer)
    return client


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body


def _no_wait(_: float) -> None:
    return None


ADAPTERS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "table read": ("dynamodb", lambda c: Table(c, "t").get({"pk": "a"})),
    "table put": ("dynamodb", lambda c: Table(c, "t").put({"pk": "a"})),
    "table delete": ("dynamodb", lambda c: Table(c, "t").delete({"pk": "a"})),
    "sync state": ("dynamodb", lambda c: SyncState(c, "t", sleep=_no_wait).entries(["a|b|c"])),
    "deliveries": ("dynamodb", lambda c: SeenDeliveries(c, "t").claim("dam", "1", now=0.0)),
    "assets": ("dynamodb", lambda c: list(AssetSyncState(c, "t").in_use("dam"))),
    "token load": ("dynamodb", lambda c: DynamoDbTokenStore(c, "t", "p").load()),
    "token save": (
        "dynamodb",
        lambda c: DynamoDbTokenStore(c, "t", "p").save(TOKEN, replaces=None),
    ),
    "breaker": ("dynamodb", lambda c: Breaker(c, "t").enter(0.0)),
    "options": ("dynamodb", lambda c: OptionPace(c, "t", sleep=_no_wait).wait()),
    "queue send": ("sqs", lambda c: FifoQueue(c, URL).send([_message()])),
    "dead letters": ("sqs", lambda c: list(DeadLetters(c, URL).bodies())),
    "redrive": ("sqs", lambda c: redrive(c, URL, URL, sleep=_no_wait)),
    "bucket put": ("s3", lambda c: Bucket(c, "b").put("k", b"")),
    "bucket get": ("s3", lambda c: Bucket(c, "b").get("k")),
    "events": ("events", lambda c: Announcements(c, "bus", "stack").run_settled("r")),
    "secret": ("secretsmanager", lambda c: read_credentials(c, "s")),
}
GONE = {
    "dynamodb": "ResourceNotFoundException",
    "sqs": "AWS.SimpleQueueService.NonExistentQueue",
    "s3": "NoSuchBucket",
    "events": "ResourceNotFoundException",
    "secretsmanager": "ResourceNotFoundException",
}
DENIED = {"s3": "AccessDenied", "sqs": "AccessDenied"}
THROTTLED = {
    "s3": "SlowDown",
    "sqs": "ThrottlingException",
    "dynamodb": "ProvisionedThroughputExceededException",
}


def _message() -> Outgoing:
    return Outgoing(group="g", deduplication="d", body=b"x")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("time.sleep", _no_wait)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_missing_right_is_a_matter_of_configuration(adapter: str) -> None:
    service, call = ADAPTERS[adapter]
    code = DENIED.get(service, "AccessDeniedException")
    with pytest.raises(ConfigurationError, match=f"{code}; give this role the right"):
        call(_refusing(service, code, 400 if service != "s3" else 403))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_resource_that_is_gone_is_a_matter_of_configuration(adapter: str) -> None:
    service, call = ADAPTERS[adapter]
    with pytest.raises(ConfigurationError, match="check the name"):
        call(_refusing(service, GONE[service], 400 if service != "s3" else 404))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_throttling_passes(adapter: str) -> None:
    service, call = ADAPTERS[adapter]
    code = THROTTLED.get(service, "ThrottlingException")
    with pytest.raises(TransientError, match=code):
        call(_refusing(service, code, 400))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_time_out_passes(adapter: str) -> None:
    service, call = ADAPTERS[adapter]
    client = _refusing(service, "x", 400)
    client.meta.events.register_first("before-send", _raise(ReadTimeoutError(endpoint_url="x")))
    with pytest.raises(TransientError, match="did not answer"):
        call(client)


def _raise(error: Exception) -> Callable[..., None]:
    def raising(**_: Any) -> None:
        raise error

    return raising


def test_missing_credentials_are_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="credentials"), translated("reading"):
        raise NoCredentialsError
    with pytest.raises(TransientError), translated("reading"):
        raise EndpointConnectionError(endpoint_url="x")


def test_a_failed_condition_is_an_answer() -> None:
    client = _refusing("dynamodb", "ConditionalCheckFailedException", 400)
    with pytest.raises(ConditionFailedError), translated("writing"):
        client.put_item(TableName="t", Item={"pk": {"S": "a"}})


def test_waits_double_up_to_the_longest_and_never_go_to_nothing() -> None:
    assert [backoff(n, 1.0) for n in range(3)] == [0.05, 0.1, 0.2]
    assert backoff(30, 1.0) == 5.0
    assert backoff(3, 0.0) == backoff(3, 1.0) / 2
