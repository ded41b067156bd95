"""Adobe I/O Events (AEM): two RSA signatures, keys from one host, one recipient.

https://developer.adobe.com/events/docs/guides/sdk/sdk_signature_verification
"""

from __future__ import annotations

import base64
import hmac
import re
from typing import Any

import msgspec

from pim_connector.dam.event_kinds import AdobeVerification
from pim_connector.webhooks.certificates import PublicKeys, rsa_signed
from pim_connector.webhooks.request import Handshake, Refused, Request, Verified

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
    return rsa_signed(keys.get(KEY_HOST + path), signature, request.body, "sha256", now=now)
