"""Amazon SNS over HTTPS: signature, pinned certificate host, topic, subscription.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from pim_connector.dam.event_kinds import SnsVerification
from pim_connector.webhooks.certificates import Fetch, PublicKeys, rsa_signed
from pim_connector.webhooks.request import Handshake, Refused, Request, Verified
from pim_connector.webhooks.signatures import CLOCK_SKEW_SECONDS, freshness

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
    """Give the bytes that SNS signs: names and values of the fields that are there, in order."""
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
    if not rsa_signed(keys.get(url), signature, canonical(message), algorithm, now=now):
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
