"""Writes and reads the bodies of large batches, which botocore would do slowly.

botocore walks its model of the service for each value: 4 microseconds for a key that is looked up
in the ledger, 30 for an entry that is found, and the text of every message goes through `json` once
more. In the protocol of these operations the body is the parameters as JSON
(https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html), so msgspec writes and reads it.
botocore does all the rest, by its events: endpoint, headers, signature, retries, and errors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict, TypeVar

import msgspec

if TYPE_CHECKING:
    from botocore.client import BaseClient

_KEPT: Final = "pim-connector-parameters"
_LARGE: Final = ("Entries", "RequestItems")
"""What is large in these requests; botocore sees one of what it holds, and of that no text."""
_WRITTEN: Final = ("sqs.SendMessageBatch", "dynamodb.BatchGetItem", "dynamodb.BatchWriteItem")


class _Value(TypedDict, total=False):
    """A value of DynamoDB, of the kinds that the ledger has."""

    S: str
    N: str
    B: bytes


class _Found(msgspec.Struct):
    """The answer to BatchGetItem."""

    Responses: dict[str, list[dict[str, _Value]]] = {}
    UnprocessedKeys: dict[str, Any] = {}


_FOUND: Final = msgspec.json.Decoder(_Found)


Client = TypeVar("Client", bound="BaseClient")


def with_quick_batches(client: Client) -> Client:
    """Have msgspec write the batches of a client of SQS or DynamoDB, and read what DynamoDB found.

    Gives the same client; its other requests stay as they are. DynamoDB is to hold no values there
    but text, numbers and bytes. https://docs.aws.amazon.com/boto3/latest/guide/events.html says how
    botocore's events work.
    """
    events: Any = client.meta.events
    for name in _WRITTEN:
        events.register(f"provide-client-params.{name}", _keep)
        events.register(f"before-call.{name}", _write)
    events.register("before-parse.dynamodb.BatchGetItem", _read)
    return client


def _keep(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context[_KEPT] = params
    short = {name: _shortened(params[name]) for name in _LARGE if name in params}
    return params | short


def _shortened(value: Any) -> Any:
    """Leave one entry, or one of each table: botocore still checks it, and finds endpoints."""
    if isinstance(value, dict):
        return {name: _first(request) for name, request in value.items()}
    return [entry | {"MessageBody": "-"} for entry in value[:1]]


def _first(request: Any) -> Any:
    return request[:1] if isinstance(request, list) else {"Keys": request["Keys"][:1]}


def _write(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = msgspec.json.encode(context[_KEPT])


def _read(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: Any
) -> None:
    if response_dict["status_code"] != 200:
        return
    try:
        found = _FOUND.decode(response_dict["body"])
    except msgspec.MsgspecError:
        return  # botocore says what it is
    customized_response_dict |= msgspec.structs.asdict(found)
    response_dict["body"] = b"{}"
