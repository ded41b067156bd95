"""Envelopes come off, ids come out, and nothing a sender can think of breaks the webhook."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pim_connector.dam.event_types import (
    AdobeVerification,
    BasicVerification,
    ConcatHashVerification,
    ContentfulVerification,
    Events,
    HmacVerification,
    SharedHeaderVerification,
    SnsVerification,
)
from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.webhooks.certificates import PublicKeys
from pim_connector.webhooks.endpoint import Endpoint, Trust, take_in
from pim_connector.webhooks.requests import EventReader, events_in, hear, read_request, source_name
from tests.unit.webhooks.senders import (
    CERTIFICATE_URL,
    NOW,
    TOPIC,
    Memory,
    Queue,
    World,
    stored_source,
)
from tests.unit.webhooks.test_public_keys import GOOD_URL, subscription

EVENT = {"event": "asset.updated", "key": "A-1"}
SNS = {"Type": "Notification", "TopicArn": TOPIC, "MessageId": "1", "Message": json.dumps(EVENT)}
BRIDGE = {"version": "0", "id": "1", "source": "aws.partner/x", "detail-type": "t", "detail": EVENT}
S3 = {"eventSource": "aws:s3", "s3": {"object": {"key": "a.jpg"}}}


def sqs(*bodies: Any) -> dict[str, Any]:
    records = [
        {"messageId": str(n), "eventSource": "aws:sqs", "body": json.dumps(body)}
        for n, body in enumerate(bodies)
    ]
    return {"Records": records}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (EVENT, [EVENT]),
        ([EVENT, EVENT], [[EVENT, EVENT]]),
        (SNS, [EVENT]),
        (BRIDGE, [EVENT]),
        (sqs(EVENT, SNS, BRIDGE), [EVENT, EVENT, EVENT]),
        ({"Records": [S3, S3]}, [S3, S3]),
        (SNS | {"Message": json.dumps({"Records": [S3]})}, [S3]),
        ({"Records": [{"Sns": SNS}]}, [EVENT]),
        (SNS | {"Message": "plain text"}, ["plain text"]),
        ({"Records": "not a list"}, [{"Records": "not a list"}]),
    ],
)
def test_envelopes_come_off(body: Any, expected: list[Any]) -> None:
    assert events_in(json.dumps(body)) == expected


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"\xff\xfe", b'{"a":', b"[" * 100_000])
def test_what_is_no_json_is_refused_in_words(body: bytes) -> None:
    with pytest.raises(RejectedError):
        events_in(body)


def test_envelopes_within_envelopes_end_somewhere() -> None:
    body: Any = EVENT
    for _ in range(20):
        body = SNS | {"Message": json.dumps(body)}
    assert len(events_in(json.dumps(body))) == 1


def reader(**events: Any) -> EventReader:
    verify = SharedHeaderVerification(header="X", secret="{{secret.x}}")
    return EventReader.compile(Events(verify=verify, **{"ids": "key || keys"} | events), name="x")


def test_one_event_may_name_many_assets_each_once() -> None:
    heard = hear(reader(settle_s=7), {"keys": ["a", 5, "a", None, ""]}, NOW)
    assert [(change.id, change.not_before) for change in heard.changes] == [
        ("a", NOW + 7),
        ("5", NOW + 7),
    ]


def test_a_deletion_is_announced_as_one() -> None:
    events = reader(deleted_when="event == 'asset.deleted'", kind="event", event_id="n")
    heard = hear(events, {"event": "asset.deleted", "key": "a", "n": 3}, NOW)
    assert (heard.changes[0].kind, heard.kind, heard.event_id) == ("deleted", "asset.deleted", "3")
    assert hear(events, EVENT, NOW).changes[0].kind == "changed"


def test_what_the_source_ignores_changes_nothing() -> None:
    events = reader(ignored_when="event == 'ping'", kind="event")
    heard = hear(events, {"event": "ping", "key": "a"}, NOW)
    assert (heard.changes, heard.kind) == ((), "ping")


@pytest.mark.parametrize(
    "ids", [{"key": {"a": 1}}, {"key": True}, {"key": 1.5}, {"key": "x" * 2000}]
)
def test_an_id_that_is_none_is_refused(ids: dict[str, Any]) -> None:
    with pytest.raises(RejectedError):
        hear(reader(), ids, NOW)


def test_an_expression_that_is_none_names_file_and_key() -> None:
    with pytest.raises(ConfigurationError, match=r"x, events\.ids"):
        reader(ids="key ||")


def test_what_happened_may_stand_in_a_header_and_to_which_asset_in_the_address(
    world: World,
) -> None:
    scheme = SharedHeaderVerification(header="X-Key", secret="{{secret.webhook}}")
    answer = world.call(
        scheme,
        b"",
        {"X-Key": "s3cret", "X-Event": "asset.delete"},
        query={"asset": "A-9"},
        ids="query.asset",
        reads="request",
        deleted_when="headers.\"x-event\" == 'asset.delete'",
        kind='headers."x-event"',
    )
    assert (answer.outcome, answer.kind) == ("accepted", "asset.delete")
    assert [(one.id, one.kind) for one in world.queue.changes] == [("A-9", "deleted")]


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({"event": "files.update", "payload": {"title": "B"}, "keys": ["k1"]}, [("k1", "changed")]),
        ({"event": "files.delete", "payload": ["k1"], "keys": ["k1"]}, [("k1", "deleted")]),
        ({"event": "files.upload", "payload": {"title": "C"}, "key": "k2"}, [("k2", "changed")]),
    ],
)
def test_what_a_flow_of_directus_sends_names_its_files(
    world: World, body: dict[str, Any], changes: list[tuple[str, str]]
) -> None:
    """The shapes are those of a live Directus 11."""
    scheme = SharedHeaderVerification(header="X-Connector-Key", secret="{{secret.webhook}}")
    answer = world.call(
        scheme,
        body | {"collection": "directus_files"},
        {"X-Connector-Key": "s3cret", "Content-Type": "application/json"},
        ids="keys || key",
        deleted_when="event == 'files.delete'",
    )
    assert answer.outcome == "accepted"
    assert [(one.id, one.kind) for one in world.queue.changes] == changes


def test_a_form_is_read_with_json_inside_it(world: World) -> None:
    scheme = SharedHeaderVerification(header="X-Key", secret="{{secret.webhook}}")
    headers = {"X-Key": "s3cret", "Content-Type": "application/x-www-form-urlencoded"}
    body = b"payload=%7B%22asset%22%3A%7B%22id%22%3A17%7D%7D&tag=a&tag=b"
    ids = "[to_string(from_json(payload).asset.id), tag[1]]"
    assert world.call(scheme, body, headers, ids=ids).outcome == "accepted"
    assert [one.id for one in world.queue.changes] == ["17", "b"]


def test_a_subscription_that_arrives_in_the_queue_is_confirmed_there(
    world: World, sns_message: Any, signer: Any
) -> None:
    message = json.dumps(subscription(sns_message, GOOD_URL))
    source = stored_source(Events(verify=SnsVerification(topics=(TOPIC,)), ids="media_id"))

    def take() -> Any:
        trust = Trust(secret={}, keys=PublicKeys(world.fetch), visit=world.fetch)
        return take_in(message, source, trust, world.queue.send, now=NOW)

    with pytest.raises(RejectedError):  # Amazon does not have the certificate
        take()
    world.pages = {CERTIFICATE_URL: signer.pem, GOOD_URL: b"<ok/>"}
    assert take().outcome == "greeted"
    assert world.visited[-1] == GOOD_URL
    assert not world.queue.changes


SCHEMES = [
    HmacVerification(header="X-Signature", secret="{{secret.webhook}}"),
    HmacVerification(
        header="X-Signature",
        secret="{{secret.webhook}}",
        encoding="base64",
        message="{{timestamp}}{{body}}",
        timestamp_header="X-Time",
    ),
    ConcatHashVerification(secret="{{secret.webhook}}"),
    ContentfulVerification(secret="{{secret.webhook}}"),
    SharedHeaderVerification(header="X-Token", secret="{{secret.webhook}}"),
    BasicVerification(username="dam", password="{{secret.webhook}}"),
    SnsVerification(topics=(TOPIC,)),
    AdobeVerification(client_id="ours"),
]
HEADERS = [
    "x-signature", "x-time", "x-cld-signature", "x-cld-timestamp", "x-contentful-signature",
    "x-contentful-signed-headers", "x-contentful-timestamp", "x-token", "authorization",
    "x-adobe-digital-signature-1", "x-adobe-public-key1-path", "x-adobe-digital-signature-2",
    "x-adobe-public-key2-path",
]  # fmt: skip
KEY_PATHS = st.sampled_from(["/prod/keys/k.pem", "/../k.pem", "//x/k.pem"])
json_values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
sns_like = st.fixed_dictionaries(
    {"Type": st.sampled_from(["Notification", "SubscriptionConfirmation", "x"])},
    optional={
        name: st.text(max_size=60) | json_values
        for name in (
            "Message", "MessageId", "Timestamp", "TopicArn", "Token", "SubscribeURL", "Signature",
            "SigningCertURL", "SignatureVersion",
        )
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    scheme=st.sampled_from(SCHEMES),
    body=st.binary(max_size=300)
    | json_values.map(lambda value: json.dumps(value).encode())
    | sns_like.map(lambda value: json.dumps(value).encode()),
    headers=st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=80) | KEY_PATHS),
    method=st.sampled_from(["POST", "GET", "DELETE"]),
    encoded=st.booleans(),
    query=st.dictionaries(st.sampled_from(["challenge", "x"]), st.text(max_size=20)),
)
def test_no_call_breaks_the_webhook_and_no_unproven_call_is_queued(
    scheme: Any,
    body: bytes,
    headers: dict[str, str],
    method: str,
    encoded: bool,
    query: dict[str, str],
) -> None:
    queue = Queue()
    source = stored_source(Events(verify=scheme, ids="id"))

    class Files:
        def get(self, _: str) -> Any:
            return source.__class__(
                source=source.source, secret={"webhook": "s3cret"}, key=source.key
            )

    world = World()
    desk = Endpoint(
        sources=Files(),  # type: ignore[arg-type]  # answers the one question that is asked
        seen=Memory(),
        send=queue.send,
        keys=PublicKeys(world.fetch),
        visit=world.fetch,
        now=lambda: NOW,
    )
    text = base64.b64encode(body).decode() if encoded else body.decode("utf-8", "replace")
    event = {
        "rawPath": "/dam",
        "headers": headers,
        "body": text,
        "isBase64Encoded": encoded,
        "queryStringParameters": query,
        "requestContext": {"http": {"method": method}},
    }

    answer = desk.called(event)

    assert 200 <= answer.status < 500
    assert answer.outcome != "accepted"
    assert not queue.changes
    assert all(url.startswith("https://static.adobeioevents.com/") for url in world.visited)


@pytest.mark.parametrize("event", [{}, {"headers": None}, {"body": None}, {"requestContext": {}}])
def test_an_event_with_next_to_nothing_in_it_is_a_request(event: dict[str, Any]) -> None:
    request = read_request(event)
    assert (request.body, request.method) == (b"", "POST")


def test_a_body_that_claims_to_be_base64_and_is_not_is_refused() -> None:
    with pytest.raises(RejectedError):
        read_request({"body": "not base64!", "isBase64Encoded": True})


@pytest.mark.parametrize("path", ["/bynder", "/hooks/bynder", "/bynder/"])
def test_the_path_names_the_source(path: str) -> None:
    assert source_name(path) == "bynder"
