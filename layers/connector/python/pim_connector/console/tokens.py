"""Signed tokens: the console's own, the PIM's id tokens, and those of UI extensions.

One place that signs and verifies. The algorithm is the caller's, never the token's; what a token
must hold is named; the time is passed in.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import jwt

from pim_connector.errors import RejectedError

LEEWAY_SECONDS: Final = 30
"""How far the clocks of PIM and AWS may be apart."""
LONGEST_TOKEN: Final = 8_192
Algorithm = Literal["HS256", "RS256"]


def derived_key(key: bytes, purpose: str) -> bytes:
    """Return a key for one purpose, so that what is signed for one is worth nothing for another."""
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


def sign(claims: Mapping[str, Any], key: bytes) -> str:
    """Return the claims as a token that `verified` takes with the same key."""
    return jwt.encode(dict(claims), key, algorithm="HS256")


def verified(
    token: str,
    key: bytes | Any,
    *,
    algorithm: Algorithm,
    now: float,
    require: Sequence[str],
    issuer: str | None = None,
    audience: str | None = None,
) -> dict[str, Any]:
    """Return the claims of a token that is genuine, meant for us and still good.

    `key` is a secret for HS256, a public key for RS256. RejectedError says what is wrong, without
    the token. `exp` and `iat` are epoch seconds, with fractions in the PIM's.
    """
    if len(token) > LONGEST_TOKEN:
        raise RejectedError("the token is longer than any real one")
    options: Any = {
        "require": [*require, "exp"],
        "verify_exp": False,  # below, against the clock that is passed in
        "verify_iat": False,
        "verify_aud": audience is not None,
        "verify_iss": issuer is not None,
    }
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[algorithm], issuer=issuer, audience=audience, options=options
        )
    except jwt.InvalidTokenError as error:
        raise RejectedError(f"the token is not valid: {error}") from None
    _check_times(claims, now)
    return claims


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    until = _seconds(claims["exp"])
    since = _seconds(claims.get("iat", claims.get("nbf", 0)))
    if until is None or since is None:
        raise RejectedError("the token's times are not numbers")
    if until <= now - LEEWAY_SECONDS:
        raise RejectedError("the token has expired")
    if since > now + LEEWAY_SECONDS:
        raise RejectedError("the token is from the future; is a clock wrong?")


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)
