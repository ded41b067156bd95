"""Schemes with a shared secret: what is taken, and every way in which a call is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest

from pim_connector.dam.event_types import (
    BasicVerification,
    ConcatHashVerification,
    ContentfulVerification,
    HmacVerification,
    NoVerification,
    SharedHeaderVerification,
    SharedQueryVerification,
)
from pim_connector.errors import ConfigurationError
from tests.unit.webhooks.senders import NOW, World, hmac_of

BODY = b'{"id": "A-1",  "n": 1}'
SECRET = "{{secret.webhook}}"


def ids(world: World) -> list[str]:
    return [change.id for change in world.queue.changes]


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256="])
def test_an_hmac_over_the_raw_body_is_taken(
    world: World, algorithm: Any, encoding: Any, prefix: str
) -> None:
    digest = hmac_of("s3cret", BODY, algorithm)
    signature = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    scheme = HmacVerification(
        header="X-Signature", secret=SECRET, algorithm=algorithm, encoding=encoding, prefix=prefix
    )

    answer = world.call(scheme, BODY, {"X-Signature": prefix + signature})

    assert (answer.status, answer.outcome) == (200, "accepted")
    assert ids(world) == ["A-1"]


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        (BODY.replace(b"  ", b" "), hmac_of("s3cret", BODY).hex()),  # same JSON, other bytes
        (BODY.replace(b"A-1", b"A-2"), hmac_of("s3cret", BODY).hex()),
        (BODY, hmac_of("wrong", BODY).hex()),
        (BODY, hmac_of("", BODY).hex()),
        (BODY, "sha256=" + hmac_of("s3cret", BODY).hex()),
        (BODY, hmac_of("s3cret", BODY).hex()[:-2]),
        (BODY, "ü" * 64),
        (BODY, ""),
    ],
)
def test_a_forged_hmac_is_refused_and_never_queued(
    world: World, body: bytes, signature: str
) -> None:
    scheme = HmacVerification(header="X-Signature", secret=SECRET)

    answer = world.call(scheme, body, {"X-Signature": signature})

    assert (answer.status, answer.outcome) == (401, "forged")
    assert not world.queue.changes


def test_a_header_with_time_stamp_and_several_signatures_is_read_by_a_pattern(world: World) -> None:
    scheme = HmacVerification(
        header="X-Signature",
        secret=SECRET,
        pattern="t=(?P<timestamp>[0-9]+)|v1=(?P<signature>[0-9a-f]+)",
        message="{{timestamp}}.{{body}}",
    )
    signature = hmac_of("s3cret", f"{NOW:.0f}.".encode() + BODY).hex()
    header = f"t={NOW:.0f},v1={'0' * 64},v1={signature},v0=ff"

    assert world.call(scheme, BODY, {"X-Signature": header}).status == 200
    assert world.call(scheme, BODY, {"X-Signature": header}).outcome == "replayed"
    other = header.replace(f"{NOW:.0f}", f"{NOW - 10:.0f}")
    assert world.call(scheme, BODY, {"X-Signature": other}).outcome == "forged"
    old = f"t=17,v1={hmac_of('s3cret', b'17.' + BODY).hex()}"
    assert world.call(scheme, BODY, {"X-Signature": old}).outcome == "stale"
    assert ids(world) == ["A-1"]


def test_a_standard_webhook_is_taken(world: World) -> None:
    """https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md"""
    world.secret = {"webhook": "whsec_" + base64.b64encode(b"key of bytes").decode()}
    scheme = HmacVerification(
        header="webhook-signature",
        secret=SECRET,
        secret_encoding="base64",
        encoding="base64",
        pattern="v1,(?P<signature>[^ ]+)",
        timestamp_header="webhook-timestamp",
        message="{{header.webhook-id}}.{{timestamp}}.{{body}}",
    )
    signed = hmac_of("key of bytes", f"msg_1.{NOW:.0f}.".encode() + BODY)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": f"{NOW:.0f}",
        "webhook-signature": "v1,AAAA v1," + base64.b64encode(signed).decode(),
    }

    assert world.call(scheme, BODY, headers).outcome == "accepted"
    assert world.call(scheme, BODY, headers | {"webhook-id": "msg_2"}).outcome == "forged"
    del headers["webhook-timestamp"]
    assert world.call(scheme, BODY, headers).outcome == "forged"


def test_a_secret_that_is_not_written_as_the_source_says_is_the_operators_matter(
    world: World,
) -> None:
    scheme = HmacVerification(header="X-Signature", secret=SECRET, secret_encoding="hex")

    with pytest.raises(ConfigurationError, match=r"secret_encoding"):
        world.call(scheme, BODY, {"X-Signature": "00"})


def test_a_secret_in_the_address_is_taken(world: World) -> None:
    scheme = SharedQueryVerification(parameter="key", secret=SECRET)

    assert world.call(scheme, BODY, {}, query={"key": "s3cret"}).outcome == "accepted"
    assert world.call(scheme, BODY, {}, query={"key": "wrong"}).outcome == "forged"
    assert world.call(scheme, BODY, {}).outcome == "forged"


def test_while_a_secret_is_rotated_both_count(world: World) -> None:
    world.secret = {"webhook": ["new", "old"]}
    scheme = HmacVerification(header="X-Signature", secret=SECRET)

    for secret in ("old", "new"):
        signature = hmac_of(secret, BODY).hex()
        assert world.call(scheme, BODY, {"X-Signature": signature}).status == 200
    assert world.call(scheme, BODY, {"X-Signature": hmac_of("older", BODY).hex()}).status == 401


@pytest.mark.parametrize("secret", [{}, {"webhook": ""}, {"webhook": []}, {"webhook": None}])
def test_a_secret_that_is_not_there_is_the_operators_matter(
    world: World, secret: dict[str, Any]
) -> None:
    world.secret = secret
    scheme = HmacVerification(header="X-Signature", secret=SECRET)

    with pytest.raises(ConfigurationError, match="webhook"):
        world.call(scheme, BODY, {"X-Signature": hmac_of("", BODY).hex()})


def test_a_secret_written_into_the_source_file_is_refused_without_repeating_it(
    world: World,
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        world.call(HmacVerification(header="X", secret="hunter2"), BODY, {"X": "y"})
    assert "hunter2" not in str(caught.value)


STAMPED = HmacVerification(
    header="X-Signature",
    secret=SECRET,
    prefix="v1=",
    message="{{timestamp}}.{{body}}",
    timestamp_header="X-Time",
    window_s=300,
)


def stamped(stamp: str, body: bytes = BODY) -> dict[str, str]:
    signature = hmac_of("s3cret", stamp.encode() + b"." + body).hex()
    return {"X-Signature": "v1=" + signature, "X-Time": stamp}


@pytest.mark.parametrize(
    "stamp", ["1790000000", "1790000000000", "2026-09-21T14:13:20Z", "1789999701"]
)
def test_a_signed_time_is_read_in_any_of_its_usual_forms(world: World, stamp: str) -> None:
    assert world.call(STAMPED, BODY, stamped(stamp)).status == 200


@pytest.mark.parametrize("stamp", ["1789999699", "1790000301", "soon", "", "9" * 15, "-1"])
def test_a_call_that_is_too_old_or_from_the_future_is_refused(world: World, stamp: str) -> None:
    answer = world.call(STAMPED, BODY, stamped(stamp))

    assert (answer.status, answer.outcome) == (401, "stale")
    assert not world.queue.changes


def test_another_time_under_an_old_signature_is_a_forgery(world: World) -> None:
    headers = stamped("1780000000") | {"X-Time": "1790000000"}
    assert world.call(STAMPED, BODY, headers).outcome == "forged"


def test_a_body_that_looks_like_a_placeholder_is_only_a_body(world: World) -> None:
    body = b'{"id": "{{timestamp}}{{secret}}"}'
    assert world.call(STAMPED, body, stamped("1790000000", body)).status == 200


def test_a_recorded_call_cannot_be_played_back(world: World) -> None:
    headers = stamped("1790000000")
    assert world.call(STAMPED, BODY, headers).status == 200

    again = world.call(STAMPED, BODY, headers, now=NOW + 100)
    shouted = headers | {"X-Signature": "v1=" + headers["X-Signature"][3:].upper()}
    third = world.call(STAMPED, BODY, shouted, now=NOW + 101)

    assert (again.status, again.outcome) == (409, "replayed")
    assert third.outcome == "replayed"
    assert ids(world) == ["A-1"]
    assert world.call(STAMPED, BODY, headers, now=NOW + 5000).outcome == "stale"


def test_a_repeated_announcement_is_known_by_its_own_id(world: World) -> None:
    scheme = HmacVerification(header="X-Signature", secret=SECRET)
    body = b'{"webhook_delivery_id": 7, "asset_id": "A-1"}'
    headers = {"X-Signature": hmac_of("s3cret", body).hex()}

    def call(now: float) -> str:
        event_id = "webhook_delivery_id"
        return world.call(scheme, body, headers, now=now, ids="asset_id", event_id=event_id).outcome

    assert [call(NOW), call(NOW + 5), call(NOW + 86_400)] == ["accepted", "replayed", "replayed"]


def test_two_equal_changes_without_an_id_are_two_changes(world: World) -> None:
    scheme = SharedHeaderVerification(header="X-Token", secret=SECRET)
    for _ in range(2):
        assert world.call(scheme, BODY, {"X-Token": "s3cret"}).outcome == "accepted"
    assert ids(world) == ["A-1", "A-1"]


def test_what_the_queue_did_not_take_may_come_again(world: World) -> None:
    headers = stamped("1790000000")
    world.queue.broken = True
    with pytest.raises(ConnectionError):
        world.call(STAMPED, BODY, headers)
    world.queue.broken = False

    assert world.call(STAMPED, BODY, headers).outcome == "accepted"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_cloudinarys_hash_is_body_time_and_secret_in_a_row(world: World, algorithm: Any) -> None:
    stamp = str(int(NOW) - 7000)
    joined = BODY + stamp.encode() + b"s3cret"
    signature = getattr(hashlib, algorithm)(joined).hexdigest()
    scheme = ConcatHashVerification(secret=SECRET, algorithm=algorithm)
    headers = {"X-Cld-Signature": signature, "X-Cld-Timestamp": stamp}

    assert world.call(scheme, BODY, headers).outcome == "accepted"
    assert world.call(scheme, BODY + b" ", headers).outcome == "forged"
    assert world.call(scheme, BODY, headers, now=NOW + 10).outcome == "replayed"
    assert world.call(scheme, BODY, headers, now=NOW + 201).outcome == "stale"
    assert world.call(scheme, BODY, {"X-Cld-Signature": signature}).outcome == "forged"


def contentful(
    body: bytes, *, stamp: int = int(NOW) * 1000, path: str = "/dam", key: str = "s3cret"
) -> dict[str, str]:
    signed = {
        "x-contentful-topic": "ContentManagement.Asset.publish",
        "x-contentful-timestamp": str(stamp),
    }
    signed["x-contentful-signed-headers"] = ",".join(
        sorted([*signed, "x-contentful-signed-headers"])
    )
    headers = ";".join(f"{name}:{signed[name]}" for name in sorted(signed))
    message = "\n".join(["POST", quote(path), headers, body.decode()])
    return signed | {"X-Contentful-Signature": hmac_of(key, message.encode()).hex()}


def test_contentfuls_canonical_request_is_taken(world: World) -> None:
    body = json.dumps({"sys": {"id": "A-1", "type": "Asset"}, "t": "ü"}).encode()
    scheme = ContentfulVerification(secret=SECRET)

    def call(headers: dict[str, str], now: float = NOW, path: str = "/dam") -> str:
        return world.call(scheme, body, headers, ids="sys.id", now=now, path=path).outcome

    assert call(contentful(body)) == "accepted"
    assert call(contentful(body)) == "replayed"
    assert call(contentful(body), now=NOW + 31) == "stale"
    assert call(contentful(body, key="x")) == "forged"
    assert call(contentful(body), path="/other") == "forged"
    assert call(contentful(body) | {"X-Contentful-Topic": "Other"}) == "forged"
    unsigned_time = contentful(body) | {"x-contentful-timestamp": str(int(NOW + 5) * 1000)}
    assert call(unsigned_time) == "forged"
    assert ids(world) == ["A-1"]


def test_contentfuls_time_must_be_among_the_signed_headers(world: World) -> None:
    message = (
        f"POST\n/dam\nx-contentful-signed-headers:x-contentful-signed-headers\n{BODY.decode()}"
    )
    headers = {
        "x-contentful-signed-headers": "x-contentful-signed-headers",
        "x-contentful-timestamp": str(int(NOW) * 1000),
        "x-contentful-signature": hmac_of("s3cret", message.encode()).hex(),
    }
    scheme = ContentfulVerification(secret=SECRET)
    assert world.call(scheme, BODY, headers).outcome == "forged"


@pytest.mark.parametrize(("given", "status"), [("s3cret", 200), ("S3CRET", 401), ("", 401)])
def test_a_shared_header_is_compared_to_the_letter(world: World, given: str, status: int) -> None:
    scheme = SharedHeaderVerification(header="X-Token", secret=SECRET)
    assert world.call(scheme, BODY, {"x-token": given}).status == status


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("Basic " + base64.b64encode(b"dam:s3cret").decode(), 200),
        ("basic " + base64.b64encode(b"dam:s3cret").decode(), 200),
        ("Basic " + base64.b64encode(b"dam:other").decode(), 401),
        ("Basic " + base64.b64encode(b"other:s3cret").decode(), 401),
        ("Bearer " + base64.b64encode(b"dam:s3cret").decode(), 401),
        ("Basic ä", 401),
        ("Basic", 401),
        ("", 401),
    ],
)
def test_basic_authentication_takes_the_right_pair_only(
    world: World, given: str, status: int
) -> None:
    scheme = BasicVerification(username="dam", password=SECRET)
    assert world.call(scheme, BODY, {"Authorization": given}).status == status


def test_a_source_that_verifies_nothing_has_no_webhook(world: World) -> None:
    with pytest.raises(ConfigurationError, match="verifies nothing"):
        world.call(NoVerification(), BODY)
    assert not world.queue.changes


def test_a_large_body_is_refused_before_anything_is_read_of_it(world: World) -> None:
    scheme = SharedHeaderVerification(header="X-Token", secret=SECRET)
    body = b'{"id": "' + b"x" * 2000 + b'"}'

    answer = world.call(scheme, body, {"X-Token": "s3cret"}, max_bytes=2000)

    assert (answer.status, answer.outcome) == (413, "oversized")
    assert not world.queue.changes


@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_only_post_carries_events(world: World, method: str) -> None:
    scheme = SharedHeaderVerification(header="X-Token", secret=SECRET)
    assert world.call(scheme, BODY, {"X-Token": "s3cret"}, method=method).status == 400
