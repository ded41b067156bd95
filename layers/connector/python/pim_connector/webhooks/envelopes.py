"""Takes off what queues and buses wrap around a DAM's event.

SNS (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html), EventBridge
(https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html), SQS records as
a Lambda function gets them, S3 event notifications. They may be inside one another: an S3 event
through SNS through SQS is three.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import msgspec

from pim_connector.errors import RejectedError

DEEPEST = 5


def events_in(body: bytes | str, content_type: str = "application/json") -> list[Any]:
    """Decode a body and give the DAM's own events in it, as JSON; a form as an object of its texts.

    Raises RejectedError for what is neither.
    """
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        return [_form(body)]
    return list(_unwrap(_decoded(body), 0))


def _form(body: bytes | str) -> dict[str, Any]:
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise RejectedError(f"the form cannot be read: {error}") from error
    return {name: some[0] if len(some) == 1 else some for name, some in fields.items()}


def _unwrap(found: Any, depth: int) -> Iterator[Any]:
    if depth >= DEEPEST or not isinstance(found, dict):
        yield found
    elif _is_sns(found):
        yield from _unwrap(_inner(found["Message"]), depth + 1)
    elif _is_event_bridge(found):
        yield from _unwrap(found["detail"], depth + 1)
    elif _is_records(found):
        for record in found["Records"]:
            yield from _record(record, depth + 1)
    else:
        yield found


def _record(record: dict[str, Any], depth: int) -> Iterator[Any]:
    if isinstance(record.get("Sns"), dict):
        yield from _unwrap(_inner(record["Sns"].get("Message")), depth)
    elif record.get("eventSource") == "aws:sqs" or ("body" in record and "messageId" in record):
        yield from _unwrap(_inner(record.get("body")), depth)
    else:
        yield record


def _is_sns(found: dict[str, Any]) -> bool:
    return "TopicArn" in found and found.get("Type") == "Notification" and "Message" in found


def _is_event_bridge(found: dict[str, Any]) -> bool:
    return "detail" in found and "detail-type" in found and "source" in found


def _is_records(found: dict[str, Any]) -> bool:
    records = found.get("Records")
    return isinstance(records, list) and all(isinstance(record, dict) for record in records)


def _inner(message: Any) -> Any:
    """Read the inner message; one that is no JSON stays the text that it is."""
    if not isinstance(message, str):
        return message
    try:
        return msgspec.json.decode(message)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return message


def _decoded(body: bytes | str) -> Any:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError) as error:
        raise RejectedError(f"the event is not JSON: {error}") from error
    except RecursionError as error:
        raise RejectedError("the event is nested too deeply to be read") from error
