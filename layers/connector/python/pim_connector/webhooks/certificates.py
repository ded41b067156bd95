"""Fetches a certificate or confirms a subscription: one small GET over https, no redirects."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec

from pim_connector.dam.event_types import AdobeVerification, SnsVerification
from pim_connector.errors import RejectedError, TransientError
from pim_connector.webhooks.requests import Handshake, Refused, Request, Verified
from pim_connector.webhooks.signatures import CLOCK_SKEW_SECONDS, freshness

TIMEOUT_SECONDS = 5.0
LONGEST_BYTES = 200_000


def get(url: str) -> bytes:
    """Read `url`, whose host the caller has checked.

    RejectedError where the host says no, TransientError where it does not answer. urllib3 comes
    with boto3 and is imported here, so that a webhook which needs no certificate never loads it.
    """
    import urllib3

    try:
        with urllib3.PoolManager(timeout=TIMEOUT_SECONDS, retries=1) as pool:
            answer = pool.request("GET", url, redirect=False, preload_content=False)
            body = answer.read(LONGEST_BYTES)
            status = answer.status
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise TransientError(f"{url.partition('?')[0]} does not answer: {error}") from error
    if status >= 500 or status == 429:
        raise TransientError(f"{url.partition('?')[0]} answers {status}")
    if status >= 300:
        raise RejectedError(f"{url.partition('?')[0]} answers {status}")
    return body


# Proofs by a public key: RSA over the message, with keys and certificates from pinned hosts.
#
# `cryptography` is imported when the first signature is checked, so that DAMs that sign otherwise
# do not pay for it at a cold start.


Fetch = Callable[[str], bytes]
"""GET an https URL without following redirects: the body. RejectedError where the host says no
(4xx), TransientError where it does not answer."""


class PublicKeys:
    """Keys by URL, fetched once per process. Nobody but the caller decides which URLs are right.

    What `fetch` raises is passed on: an authentic call must not be taken for a forged one while a
    host is down.
    """

    LONGEST = 100_000

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._pem: dict[str, bytes] = {}

    def get(self, url: str) -> bytes:
        """Return the PEM text under `url`."""
        if url not in self._pem:
            if len(self._pem) > 50:
                self._pem.clear()
            self._pem[url] = self._fetch(url)[: self.LONGEST]
        return self._pem[url]


def _rsa_signed(
    pem: bytes,
    signature: bytes,
    message: bytes,
    algorithm: Literal["sha1", "sha256"],
    *,
    now: float,
) -> bool:
    """Say whether `signature` is PKCS #1 v1.5 over `message` by the key or certificate in `pem`.

    False for whatever is no RSA key, and for a certificate that is not valid at `now` (epoch
    seconds).
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from cryptography.x509 import load_pem_x509_certificate

    try:
        if b"BEGIN CERTIFICATE" in pem:
            certificate = load_pem_x509_certificate(pem)
            moment = datetime.fromtimestamp(now, UTC)
            if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
                return False
            key: object = certificate.public_key()
        else:
            key = load_pem_public_key(pem)
        if not isinstance(key, RSAPublicKey):
            return False
        # SHA-1 is what SNS signs with in signature version 1; the sender chooses, not we.
        digest = hashes.SHA1() if algorithm == "sha1" else hashes.SHA256()  # noqa: S303
        key.verify(signature, message, PKCS1v15(), digest)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


# Adobe I/O Events (AEM): two RSA signatures, keys from one host, one recipient.
#
# https://developer.adobe.com/events/docs/guides/sdk/sdk_signature_verification


KEY_HOST = "https://static.adobeioevents.com"
KEY_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_.-]+\.pem")
REMEMBER_SECONDS = 26 * 3600
"""Adobe repeats a delivery for 24 hours."""


def challenge(request: Request) -> Handshake | None:
    """Answer the GET by which Adobe finds out whether the address is ours."""
    asked = request.query.get("challenge", "")
    if request.method != "GET" or not asked:
        return None
    if not re.fullmatch(r"[A-Za-z0-9._~+/=-]{1,256}", asked):
        return None
    return Handshake(text=asked, detail="Adobe's challenge answered")


def verify_adobe(
    scheme: AdobeVerification, request: Request, keys: PublicKeys, now: float
) -> Verified | Refused:
    """Take a call that carries at least one right signature and our own client id.

    The event's id is in the signed body, so a repetition is found although no time is signed.
    Raises TransientError where Adobe does not hand out its keys.
    """
    signed = [_is_signed(request, number, keys, now) for number in (1, 2)]
    if not any(signed):
        return Refused(reason="forged", detail="neither of Adobe's signatures matches")
    try:
        body: Any = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refused(reason="malformed", detail="signed, but not JSON")
    events = body if isinstance(body, list) else [body]
    recipients = [event.get("recipient_client_id") for event in events if isinstance(event, dict)]
    if not recipients or any(not _is(scheme.client_id, recipient) for recipient in recipients):
        return Refused(reason="unexpected", detail="recipient_client_id is not ours")
    ids = [event.get("event_id") or event.get("id") for event in events]
    delivery = "|".join(str(found) for found in ids) if all(ids) else None
    return Verified(delivery=delivery and f"adobe|{delivery}", until=now + REMEMBER_SECONDS)


def _is(client_id: str, recipient: object) -> bool:
    return isinstance(recipient, str) and hmac.compare_digest(
        recipient.encode("utf-8", "replace"), client_id.encode()
    )


def _is_signed(request: Request, number: int, keys: PublicKeys, now: float) -> bool:
    path = request.header(f"x-adobe-public-key{number}-path")
    given = request.header(f"x-adobe-digital-signature-{number}")
    if not given or not KEY_PATH.fullmatch(path) or ".." in path:
        return False
    try:
        signature = base64.b64decode(given, validate=True)
    except ValueError:
        return False
    return _rsa_signed(keys.get(KEY_HOST + path), signature, request.body, "sha256", now=now)


# Amazon SNS over HTTPS: signature, pinned certificate host, topic, subscription.
#
# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html


HOST = re.compile(r"sns\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.amazonaws\.com(?:\.cn)?")
CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService-[0-9a-f]{16,64}\.pem")
NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED: dict[str, tuple[str, ...]] = {
    "Notification": NOTIFICATION,
    "SubscriptionConfirmation": CONFIRMATION,
    "UnsubscribeConfirmation": CONFIRMATION,
}


def verify_sns(
    scheme: SnsVerification, request: Request, keys: PublicKeys, visit: Fetch, now: float
) -> Verified | Refused | Handshake:
    """Check one call of SNS; a SubscriptionConfirmation of a configured topic is confirmed.

    Raises TransientError where Amazon does not hand out its certificate or take a confirmation.
    """
    message = read_message(request.body)
    if message is None:
        return Refused(reason="forged", detail="not a message of SNS")
    refused = _check(scheme, message, keys, now)
    if refused:
        return refused
    if message["Type"] == "SubscriptionConfirmation":
        return confirm(scheme, message, visit)
    if message["Type"] == "UnsubscribeConfirmation":
        return Handshake(text="", detail=f"subscription to {message['TopicArn']} was ended")
    until = now + scheme.window_s + 2 * CLOCK_SKEW_SECONDS
    return Verified(delivery=f"sns|{message['MessageId']}", until=until)


def read_message(body: bytes | str) -> dict[str, str] | None:
    """Read SNS's own JSON; None for anything else."""
    try:
        found: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not isinstance(found, dict) or found.get("Type") not in SIGNED:
        return None
    required = [name for name in SIGNED[found["Type"]] if name != "Subject"]
    if not all(isinstance(found.get(name), str) for name in required):
        return None
    return {name: value for name, value in found.items() if isinstance(value, str)}


def confirm(scheme: SnsVerification, message: dict[str, str], visit: Fetch) -> Handshake | Refused:
    """Visit the SubscribeURL of a message that was found authentic, on Amazon's own host only."""
    parts = urlsplit(message["SubscribeURL"])
    query = parse_qs(parts.query)
    expected = query.get("Action") == ["ConfirmSubscription"] and query.get("TopicArn") == [
        message["TopicArn"]
    ]
    pinned = _is_pinned(message["SubscribeURL"], message["TopicArn"])
    if not pinned or not expected or message["TopicArn"] not in scheme.topics:
        return Refused(reason="forged", detail="SubscribeURL is not SNS's own for this topic")
    visit(message["SubscribeURL"])
    return Handshake(text="", detail=f"subscription to {message['TopicArn']} confirmed")


def canonical(message: dict[str, str]) -> bytes:
    """Return the bytes that SNS signs: names and values of the fields that are there, in order."""
    return "".join(
        f"{name}\n{message[name]}\n" for name in SIGNED[message["Type"]] if name in message
    ).encode("utf-8", "replace")


def _check(
    scheme: SnsVerification, message: dict[str, str], keys: PublicKeys, now: float
) -> Refused | None:
    topic, url = message["TopicArn"], message.get("SigningCertURL", "")
    if not _is_pinned(url, topic) or not CERTIFICATE_PATH.fullmatch(urlsplit(url).path):
        return Refused(reason="forged", detail="SigningCertURL is not on Amazon's host for SNS")
    version = message.get("SignatureVersion")
    if version not in ("1", "2"):
        return Refused(reason="forged", detail=f"signature version {version!r} is not known")
    try:
        signature = base64.b64decode(message.get("Signature", ""), validate=True)
    except ValueError:
        return Refused(reason="forged", detail="the signature is not base64")
    algorithm: Any = "sha1" if version == "1" else "sha256"
    if not _rsa_signed(keys.get(url), signature, canonical(message), algorithm, now=now):
        return Refused(reason="forged", detail="the signature does not match")
    if topic not in scheme.topics:
        return Refused(reason="unexpected", detail=f"topic {topic[:120]} is not one of ours")
    return freshness(message["Timestamp"], scheme.window_s, now)


def _is_pinned(url: str, topic: str) -> bool:
    """Say whether a URL is https on SNS's own host in the topic's region, and nothing else."""
    try:
        parts = urlsplit(url)
        host = HOST.fullmatch(parts.netloc)
    except ValueError:
        return False
    region = topic.split(":")[3] if topic.count(":") >= 5 else ""
    return parts.scheme == "https" and host is not None and host["region"] == region
