"""What msgspec writes to AWS, and reads of its answers, is what botocore would have."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from pim_connector.aws.threads import with_quick_batches

KEYS = [{"pk": {"S": "erp|product|A-1"}}, {"pk": {"S": 'erp|product|Größe \U0001d4b3 \\ "'}}]
READ: Any = {
    "RequestItems": {
        "sync_state": {
            "Keys": KEYS,
            "ConsistentRead": True,
            "ProjectionExpression": "#pk,#o",
            "ExpressionAttributeNames": {"#pk": "pk", "#o": "o"},
        }
    }
}
WRITE = {
    "RequestItems": {
        "sync_state": [
            {"PutRequest": {"Item": {"pk": {"S": name}, "f": {"B": bytes(12)}, "n": {"N": "7"}}}}
            for name in ("erp|product|A-1", "erp|product|ö")
        ]
    }
}
SEND = {
    "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/products.fifo",
    "Entries": [
        {
            "Id": str(number),
            "MessageBody": '{"xml":"<p>\\u00f6</p>"}',
            "MessageGroupId": "message group-1",
            "MessageDeduplicationId": f"run-{number}",
        }
        for number in range(3)
    ],
}


def client_of(service: str, *, by_msgspec: bool) -> Any:
    make: Any = boto3.client
    client = make(
        service,
        region_name="eu-central-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"total_max_attempts": 1}),
    )
    return with_quick_batches(client) if by_msgspec else client


def requested(service: str, operation: str, given: Any, *, by_msgspec: bool) -> Any:
    """The request as it is signed and sent, without its clock and random parts."""
    client = client_of(service, by_msgspec=by_msgspec)
    seen: list[Any] = []

    def take(request: Any, **_: Any) -> Any:
        seen.append(request)
        return type("Answer", (), {"status_code": 200, "headers": {}, "content": b"{}"})()

    client.meta.events.register("before-send", take)
    getattr(client, operation)(**given)
    (request,) = seen
    kept = ("Content-Type", "X-Amz-Target", "Authorization")
    headers = {name: request.headers[name] for name in kept}
    headers["Authorization"] = headers["Authorization"].split(b"Signature=")[0]
    length = int(request.headers["Content-Length"])
    return request.url, headers, json.loads(request.body), length == len(request.body)


@pytest.mark.parametrize(
    ("service", "operation", "given"),
    [
        ("dynamodb", "batch_get_item", READ),
        ("dynamodb", "batch_write_item", WRITE),
        ("sqs", "send_message_batch", SEND),
    ],
)
def test_a_batch_is_the_same_request_whoever_writes_its_body(
    service: str, operation: str, given: Any
) -> None:
    by_msgspec = requested(service, operation, given, by_msgspec=True)
    assert by_msgspec == requested(service, operation, given, by_msgspec=False)
    assert len(by_msgspec[2].get("Entries") or by_msgspec[2]["RequestItems"]["sync_state"]) > 1
    assert by_msgspec[3]


def answered(status: int, body: bytes, *, by_msgspec: bool) -> Any:
    """What boto3 makes of an answer: the result, or the error."""
    client = client_of("dynamodb", by_msgspec=by_msgspec)
    answer = type("Answer", (), {"status_code": status, "headers": {}, "content": body})()
    client.meta.events.register("before-send", lambda **_: answer)
    try:
        found = client.batch_get_item(**READ)
    except ClientError as error:
        return error.response
    return {name: found.get(name) for name in ("Responses", "UnprocessedKeys")}


ENTRY = b'{"pk":{"S":"erp|product|\xc3\xb6"},"f":{"B":"AAECAwQFBgcICQoL"},"n":{"N":"7"}}'


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b'{"Responses":{"sync state":[' + ENTRY + b"," + ENTRY + b']},"UnprocessedKeys":{}}'),
        (
            200,
            b'{"Responses":{"sync state":[]},"UnprocessedKeys":{"sync state":{"Keys":[{"pk":{"S":"A"}}],'
            b'"ConsistentRead":true}}}',
        ),
        (400, b'{"__type":"x#ProvisionedThroughputExceededException","message":"too much"}'),
        (400, b'{"__type":"x#AccessDeniedException","Message":"no"}'),
        (500, b"<html>not JSON</html>"),
    ],
)
def test_an_answer_says_the_same_whoever_reads_it(status: int, body: bytes) -> None:
    by_msgspec = answered(status, body, by_msgspec=True)
    assert by_msgspec == answered(status, body, by_msgspec=False)
    if ENTRY in body:
        assert by_msgspec["Responses"]["sync_state"][0]["f"] == {"B": bytes(range(12))}
