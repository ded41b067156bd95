"""A call as it came over the wire, and what a verifier may say of it."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct, field

from pim_connector.dam.event_types import Events
from pim_connector.dam.expressions import Expression, as_text
from pim_connector.errors import RejectedError
from pim_connector.sync.messages import Change

Reason = Literal["forged", "stale", "unexpected", "malformed", "replayed", "oversized"]
"""forged: the proof is missing or wrong. stale: right, but too old (or from the future).
unexpected: right, but meant for somebody else. The others need no explanation."""

STATUS: dict[Reason, int] = {
    "forged": 401,
    "stale": 401,
    "unexpected": 403,
    "malformed": 400,
    "replayed": 409,
    "oversized": 413,
}
"""The HTTP status that tells an honest sender what is wrong with its call."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request. Header names are lower case; `body` is exactly what was sent."""

    method: str
    path: str
    body: bytes
    query_string: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Return a header, or "" where it is missing; names have no case."""
        return self.headers.get(name.lower(), "").strip()


class Verified(Struct, frozen=True, kw_only=True):
    """The call is the DAM's. `delivery` is different in each call and cannot be forged.

    It is None where the scheme signs nothing that differs: then a recorded call cannot be told
    from a new one. `until` (epoch seconds) is when a repetition would be stale anyway.
    """

    delivery: str | None = None
    until: float | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """The call is not taken. `detail` is for the log; it is never sent back and holds no secret."""

    reason: Reason
    detail: str


class Handshake(Struct, frozen=True, kw_only=True):
    """The DAM only wants to know who is there: answer with this text, queue nothing."""

    text: str
    detail: str


# A Lambda function URL's event as a request, and an answer as what the function URL wants.
#
# Payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html


def read_request(event: dict[str, Any]) -> Request:
    """Read a request with the very bytes of its body. RejectedError for a body that is not base64.

    Header names come in lower case; what came several times is joined by commas.
    """
    http = event.get("requestContext", {}).get("http", {})
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        try:
            raw = base64.b64decode(body, validate=True)
        except ValueError as error:
            raise RejectedError("the body is marked as base64 and is not") from error
    else:
        raw = body.encode("utf-8", "surrogatepass")
    headers = event.get("headers") or {}
    return Request(
        method=str(http.get("method", "POST")).upper(),
        path=str(event.get("rawPath", "/")),
        body=raw,
        query_string=str(event.get("rawQueryString", "")),
        query={str(k): str(v) for k, v in (event.get("queryStringParameters") or {}).items()},
        headers={str(name).lower(): str(value) for name, value in headers.items()},
    )


def source_name(path: str) -> str:
    """Return the source a path names: its last part, as in `/bynder` and `/hooks/bynder`."""
    return path.rstrip("/").rpartition("/")[2]


def response(status: int, text: str, *, retry_after: int | None = None) -> dict[str, Any]:
    """Answer in plain text; a challenge must never be taken for HTML."""
    headers = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
    if retry_after is not None:
        headers["retry-after"] = str(retry_after)
    return {"statusCode": status, "headers": headers, "body": text}


# Takes off what queues and buses wrap around a DAM's event.
#
# SNS (https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html), EventBridge
# (https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html), SQS records as
# a Lambda function gets them, S3 event notifications. They may be inside one another: an S3 event
# through SNS through SQS is three.


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


# Which assets an event is about, and whether it says that they are deleted.


MOST_IDS = 10_000
LONGEST_ID = 1_000


class EventReader(Struct, frozen=True, kw_only=True):
    """The `events` part of a source file with its expressions compiled."""

    ids: Expression
    kind: Expression | None
    deleted_when: Expression | None
    ignored_when: Expression | None
    event_id: Expression | None
    settle_s: float

    @classmethod
    def compile(cls, events: Events, *, name: str) -> EventReader:
        """Compile; ConfigurationError names file and key."""

        def expression(key: str) -> Expression | None:
            text = getattr(events, key)
            return Expression(text, where=f"{name}, events.{key}") if text else None

        return cls(
            ids=Expression(events.ids, where=f"{name}, events.ids"),
            kind=expression("kind"),
            deleted_when=expression("deleted_when"),
            ignored_when=expression("ignored_when"),
            event_id=expression("event_id"),
            settle_s=events.settle_s,
        )


class Heard(Struct, frozen=True, kw_only=True):
    """What one event says: changes of assets, or nothing of interest. `kind` is for the log."""

    changes: tuple[Change, ...]
    kind: str | None = None
    event_id: str | None = None


def hear(reader: EventReader, event: Any, now: float) -> Heard:
    """Read one unwrapped event. An asset named twice in it is one change.

    Raises RejectedError where the event is not what the source file expects.
    """
    if reader.ignored_when and reader.ignored_when.holds(event):
        return Heard(changes=(), kind=_text(reader.kind, event))
    event_id = _text(reader.event_id, event)
    deleted = reader.deleted_when is not None and reader.deleted_when.holds(event)
    changes = tuple(
        Change(
            id=asset_id,
            kind="deleted" if deleted else "changed",
            origin="event",
            not_before=now + reader.settle_s,
            event_id=event_id,
        )
        for asset_id in _ids(reader.ids.read(event))
    )
    return Heard(changes=changes, kind=_text(reader.kind, event), event_id=event_id)


def _ids(found: Any) -> list[str]:
    if found is None:
        return []
    values = found if isinstance(found, list) else [found]
    if len(values) > MOST_IDS:
        raise RejectedError(f"an event about {len(values)} assets; {MOST_IDS} are the most")
    ids: dict[str, None] = {}
    for value in values:
        if value is None or value == "":
            continue
        if not isinstance(value, str | int) or isinstance(value, bool):
            raise RejectedError(f"`ids` gives {type(value).__name__} instead of text or a number")
        text = as_text(value)
        if len(text) > LONGEST_ID:
            raise RejectedError(f"`ids` gives a text of {len(text)} characters")
        ids[text] = None
    return list(ids)


def _text(expression: Expression | None, event: Any) -> str | None:
    found = expression.read(event) if expression else None
    return as_text(found)[:200] if isinstance(found, str | int | float) else None
