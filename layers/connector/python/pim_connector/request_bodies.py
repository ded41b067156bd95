"""Writes the bodies of the splitter's large requests to AWS, which botocore would write slowly.

botocore walks its model of the service for each value of a request: 4 microseconds for a key that
is looked up in the ledger, and the text of every message goes through `json` once more. In the
protocol of these two operations the body is the parameters as JSON
(https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html), so msgspec writes it. botocore
does all the rest, by its events: endpoint, headers, signature, retries, and the answer.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

_KEPT: Final = "pim-connector-parameters"
_LARGE: Final = ("Entries", "RequestItems")
"""What is large in SendMessageBatch and BatchGetItem; botocore sees one of what it holds, and of
that no text."""


def write_batches(*clients: Any) -> None:
    """Have msgspec write the batches of SQS and DynamoDB clients; other requests stay as they are.

    https://docs.aws.amazon.com/boto3/latest/guide/events.html says how botocore's events work.
    """
    for events in (client.meta.events for client in clients):
        for name in ("sqs.SendMessageBatch", "dynamodb.BatchGetItem"):
            events.register(f"provide-client-params.{name}", _keep)
            events.register(f"before-call.{name}", _write)


def _keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_KEPT] = params
    short = {name: _shortened(params[name]) for name in _LARGE if name in params}
    return params | short


def _shortened(value: Any) -> Any:
    """Leave one entry, or one key of each table: botocore still checks it, and finds endpoints."""
    if isinstance(value, dict):
        return {name: {"Keys": request["Keys"][:1]} for name, request in value.items()}
    return [entry | {"MessageBody": "-"} for entry in value[:1]]


def _write(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = msgspec.json.encode(context[_KEPT])
