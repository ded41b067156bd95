"""Which user of the PIM opened the app: the PIM's id token, verified.

OpenID Connect as Akeneo does it:
https://api.akeneo.com/apps/authentication-and-authorization.html#openid-connect. A user is known
by `sub` alone: mail addresses are never verified there, names are for display.
"""

from __future__ import annotations

import hmac
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate
from msgspec import Struct

from pim_connector.console.tokens import verified
from pim_connector.errors import RejectedError

REQUIRED: Final = ("iss", "aud", "exp", "sub")
LEAST_KEY_BITS: Final = 2048
LONGEST_NAME: Final = 100


class PimUser(Struct, frozen=True, kw_only=True):
    """A user of the PIM: `subject` is stable and the same for this app only."""

    subject: str
    name: str


def verify_id_token(
    token: str, certificate: str, *, issuer: str, client_id: str, nonce: str, now: float
) -> PimUser:
    """Return the user that the PIM vouches for. RejectedError says what is wrong with the token.

    `certificate` is the PIM's of this moment, in PEM: it changes now and then, so it is fetched for
    each sign-in. RS256 only, whatever the token says of itself.
    """
    claims = verified(
        token,
        public_key(certificate),
        algorithm="RS256",
        now=now,
        require=REQUIRED,
        issuer=issuer,
        audience=client_id,
    )
    if "nonce" in claims and not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise RejectedError("the id token belongs to another sign-in")
    subject = claims["sub"]
    if not isinstance(subject, str) or not subject.strip():
        raise RejectedError("the id token names no user")
    names = (claims.get("firstname"), claims.get("lastname"))
    name = " ".join(part for part in names if isinstance(part, str) and part.strip())
    return PimUser(subject=subject, name=name[:LONGEST_NAME] or "A user of the PIM")


def public_key(certificate: str) -> RSAPublicKey:
    """Return the key of a certificate. RejectedError for one that signs nothing we trust."""
    try:
        key = load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        raise RejectedError("the PIM's certificate cannot be read") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < LEAST_KEY_BITS:
        raise RejectedError(f"the PIM's certificate holds no RSA key of {LEAST_KEY_BITS} bits")
    return key
