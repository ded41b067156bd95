"""Picks the verifier that a source file names, and the secrets that it counts with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pim_connector.dam.event_kinds import (
    AdobeVerification,
    BasicVerification,
    ConcatHashVerification,
    ContentfulVerification,
    HmacVerification,
    NoVerification,
    SharedHeaderVerification,
    SharedQueryVerification,
    SnsVerification,
    Verification,
)
from pim_connector.errors import ConfigurationError, RejectedError
from pim_connector.webhooks.adobe import challenge, verify_adobe
from pim_connector.webhooks.certificates import Fetch, PublicKeys
from pim_connector.webhooks.request import Handshake, Refused, Request, Verified
from pim_connector.webhooks.signatures import (
    verify_basic,
    verify_concat_hash,
    verify_contentful,
    verify_hmac,
    verify_shared_header,
    verify_shared_query,
)
from pim_connector.webhooks.sns import verify_sns

_SECRET = re.compile(r"\{\{\s*secret\.([A-Za-z0-9_.-]+)\s*\}\}")


class Trust(Struct, frozen=True, kw_only=True):
    """What a verifier may rely on: the DAM's secret as JSON, public keys, and a way to visit."""

    secret: Mapping[str, Any]
    keys: PublicKeys
    visit: Fetch


def verify(
    scheme: Verification, request: Request, trust: Trust, now: float
) -> Verified | Refused | Handshake:
    """Verify one call by the scheme of its source. Nothing of the body is believed before this.

    Raises ConfigurationError where the secret lacks the entry that the source file names, or the
    source says that nothing is to be verified; TransientError where a key host does not answer.
    """
    if isinstance(scheme, AdobeVerification):
        greeting = challenge(request)
        if greeting:
            return greeting
    if request.method != "POST":
        return Refused(reason="malformed", detail=f"{request.method} instead of POST")
    try:
        return _verify(scheme, request, trust, now)
    except RejectedError as error:
        return Refused(reason="forged", detail=str(error))


def _verify(
    scheme: Verification, request: Request, trust: Trust, now: float
) -> Verified | Refused | Handshake:
    match scheme:
        case HmacVerification():
            return verify_hmac(scheme, request, secrets(scheme.secret, trust.secret), now)
        case ConcatHashVerification():
            return verify_concat_hash(scheme, request, secrets(scheme.secret, trust.secret), now)
        case ContentfulVerification():
            return verify_contentful(scheme, request, secrets(scheme.secret, trust.secret), now)
        case SharedHeaderVerification():
            return verify_shared_header(scheme, request, secrets(scheme.secret, trust.secret), now)
        case SharedQueryVerification():
            return verify_shared_query(scheme, request, secrets(scheme.secret, trust.secret), now)
        case BasicVerification():
            return verify_basic(scheme, request, secrets(scheme.password, trust.secret), now)
        case SnsVerification():
            return verify_sns(scheme, request, trust.keys, trust.visit, now)
        case AdobeVerification():
            return verify_adobe(scheme, request, trust.keys, now)
        case NoVerification():
            raise ConfigurationError(
                "the source verifies nothing (`verify: {kind: none}`): that is for a queue that"
                " only the DAM may write to, not for the webhook; choose another kind"
            )


def secrets(written: str, secret: Mapping[str, Any]) -> tuple[str, ...]:
    """Look up `{{secret.NAME}}`; a list in the secret means that any of it counts (rotation).

    Raises ConfigurationError that names the entry, never its value.
    """
    named = _SECRET.fullmatch(written.strip())
    if not named:
        raise ConfigurationError(
            "a webhook's secret must be written as {{secret.NAME}}, the name of an entry of the"
            " source's secret in AWS Secrets Manager"
        )
    found = secret.get(named[1])
    values = tuple(found) if isinstance(found, list) else (found,)
    if not all(isinstance(value, str) and value for value in values) or not values:
        raise ConfigurationError(
            f"the source's secret has no text under {named[1]!r}; add it in AWS Secrets Manager"
        )
    return values
