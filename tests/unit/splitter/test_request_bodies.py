"""What msgspec writes to AWS is what botocore would have written."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from pim_connector.request_bodies import write_batches

KEYS = [{"pk": {"S": "erp|product|A-1"}}, {"pk": {"S": 'erp|product|Größe \U0001d4b3 \\ "'}}]
READ = {
    "RequestItems": {
        "ledger": {
            "Keys": KEYS,
            "ConsistentRead": True,
            "ProjectionExpression": "#pk,#o",
            "ExpressionAttributeNames": {"#pk": "pk", "#o": "o"},
        }
    }
}
SEND = {
    "QueueUrl": "https://sqs.eu-central-1.amazonaws.com/1/products.fifo",
    "Entries": [
        {
            "Id": str(number),
            "MessageBody": '{"xml":"<p>\\u00f6</p>"}',
            "MessageGroupId": "lane-1",
            "MessageDeduplicationId": f"run-{number}",
        }
        for number in range(3)
    ],
}


def requested(service: str, operation: str, given: Any, *, by_msgspec: bool) -> Any:
    """The request as it is signed and sent, without its clock and random parts."""
    make: Any = boto3.client
    client = make(
        service,
        region_name="eu-central-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
    )
    if by_msgspec:
        write_batches(client)
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
    [("dynamodb", "batch_get_item", READ), ("sqs", "send_message_batch", SEND)],
)
def test_a_batch_is_the_same_request_whoever_writes_its_body(
    service: str, operation: str, given: Any
) -> None:
    by_msgspec = requested(service, operation, given, by_msgspec=True)
    assert by_msgspec == requested(service, operation, given, by_msgspec=False)
    assert by_msgspec[2] == given
    assert by_msgspec[3]
