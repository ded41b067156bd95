"""How DAMs sign what they announce: headers for a body, in every scheme the connector verifies."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """A scheme and what it needs; `key` signs for SNS and Adobe, as their own keys would."""

    scheme: str = "none"
    secret: str = ""
    header: str = ""
    prefix: str = ""
    algorithm: str = "sha256"
    encoding: str = "hex"
    topic: str = "arn:aws:sns:eu-west-1:123456789012:dam"
    client_id: str = ""
    certificate_url: str = (
        "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a0a0a0a0a0a0a0a.pem"
    )
    key: rsa.RSAPrivateKey | None = None


Signed = tuple[bytes, dict[str, str]]


def sign(signing: Signing, body: bytes, *, url: str, now: float, kind: str) -> Signed:
    """Give the body as it is sent, and its headers. KeyError for a scheme nobody knows."""
    return _SCHEMES[signing.scheme](signing, body, url, now, kind)


def _none(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:  # noqa: ARG001
    return body, {}


def _hmac(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:  # noqa: ARG001
    digest = hmac.new(signing.secret.encode(), body, signing.algorithm).digest()
    text = digest.hex() if signing.encoding == "hex" else base64.b64encode(digest).decode()
    return body, {signing.header or "X-Hook-Signature": signing.prefix + text}


def _concat(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:  # noqa: ARG001
    stamp = str(int(now))
    algorithm = signing.algorithm if signing.algorithm in ("sha1", "sha256") else "sha1"
    digest = hashlib.new(algorithm, body + stamp.encode() + signing.secret.encode()).hexdigest()
    return body, {"X-Cld-Timestamp": stamp, "X-Cld-Signature": digest}


def _shared(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:  # noqa: ARG001
    return body, {signing.header or "X-Webhook-Secret": signing.prefix + signing.secret}


def _basic(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:  # noqa: ARG001
    pair = base64.b64encode(signing.secret.encode()).decode()  # user:password
    return body, {"Authorization": f"Basic {pair}"}


def _contentful(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:
    """https://www.contentful.com/developers/docs/extensibility/webhooks/request-verification/"""
    stamp = str(int(now * 1000))
    signed_headers = {
        "x-contentful-timestamp": stamp,
        "x-contentful-topic": f"ContentManagement.Asset.{kind}",
    }
    signed_headers["x-contentful-signed-headers"] = ",".join(
        [*signed_headers, "x-contentful-signed-headers"]
    )
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    lines = ";".join(f"{name}:{value}" for name, value in sorted(signed_headers.items()))
    canonical = "\n".join(("POST", path, lines, body.decode()))
    digest = hmac.new(signing.secret.encode(), canonical.encode(), "sha256").hexdigest()
    return body, {**signed_headers, "x-contentful-signature": digest}


def _sns(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:  # noqa: ARG001
    """https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html"""
    moment = datetime.fromtimestamp(now, UTC)
    message: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": signing.topic,
        "Subject": f"asset_bank.media.{kind}",
        "Message": body.decode(),
        "Timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z",
        "SignatureVersion": "2",
        "SigningCertURL": signing.certificate_url,
    }
    names = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
    canonical = "".join(f"{name}\n{message[name]}\n" for name in names)
    message["Signature"] = _rsa(signing, canonical.encode())
    headers = {"x-amz-sns-message-type": "Notification", "Content-Type": "text/plain"}
    return json.dumps(message).encode(), headers


def _adobe(signing: Signing, body: bytes, url: str, now: float, kind: str) -> Signed:
    """https://developer.adobe.com/events/docs/guides/sdk/sdk_signature_verification"""
    moment = datetime.fromtimestamp(now, UTC)
    event: Mapping[str, Any] = {
        "specversion": "1.0",
        "type": f"aem.assets.asset.{kind}",
        "source": url,
        "id": str(uuid.uuid4()),
        "time": moment.isoformat(),
        "recipient_client_id": signing.client_id,
        "data": json.loads(body),
    }
    sent = json.dumps(event).encode()
    return sent, {
        "x-adobe-digital-signature-1": _rsa(signing, sent),
        "x-adobe-public-key1-path": "/prod/keys/pub-key-sim.pem",
    }


def _rsa(signing: Signing, message: bytes) -> str:
    key = signing.key or rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signature = key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return base64.b64encode(signature).decode()


_SCHEMES: dict[str, Callable[[Signing, bytes, str, float, str], Signed]] = {
    "none": _none,
    "hmac": _hmac,
    "concat_hash": _concat,
    "shared_header": _shared,
    "basic": _basic,
    "contentful": _contentful,
    "sns": _sns,
    "adobe_rsa": _adobe,
}
SCHEMES = tuple(_SCHEMES)
