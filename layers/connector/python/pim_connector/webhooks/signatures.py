"""Proofs that need a shared secret: one function per scheme, over the raw bytes, constant time.

Each takes its part of the source file, the request, the secrets that count now (several while one
is being rotated) and the time in epoch seconds, and gives Verified or Refused.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from pim_connector.dam.event_types import (
    BasicVerification,
    ConcatHashVerification,
    ContentfulVerification,
    HmacVerification,
    SharedHeaderVerification,
    SharedQueryVerification,
)
from pim_connector.errors import ConfigurationError
from pim_connector.webhooks.requests import Refused, Request, Verified

CLOCK_SKEW_SECONDS = 300
"""How far the sender's clock may be ahead of ours."""

Secrets = Sequence[str]
_PLACEHOLDER = re.compile(
    r"\{\{\s*(body|timestamp|secret|method|path|query|header\.[A-Za-z0-9_-]+)\s*\}\}"
)


def verify_hmac(
    scheme: HmacVerification, request: Request, secrets: Secrets, now: float
) -> Verified | Refused:
    """HMAC of the body, or of a message in which body and time stamp stand."""
    whole = request.header(scheme.header)
    given, stamp = _read_signatures(scheme, whole)
    if scheme.timestamp_header:
        stamp = request.header(scheme.timestamp_header)
    message = _message(scheme.message, request, stamp)

    def sign(secret: str) -> str:
        key = _key(secret, scheme.secret_encoding)
        digest = hmac.new(key, message(secret), scheme.algorithm).digest()
        return scheme.prefix + _written(digest, scheme.encoding)

    expected = [sign(secret) for secret in secrets]
    right = [_matches(one, expected, fold=scheme.encoding == "hex") for one in given]
    if not any(right):
        return _forged(scheme.header, whole)
    signed = "timestamp" in _PLACEHOLDER.findall(scheme.message)
    return _fresh(stamp, scheme.window_s, given[right.index(True)], now) if signed else Verified()


def verify_concat_hash(
    scheme: ConcatHashVerification, request: Request, secrets: Secrets, now: float
) -> Verified | Refused:
    """Cloudinary's plain hash (https://cloudinary.com/documentation/notification_signatures)."""
    given = request.header(scheme.header)
    stamp = request.header(scheme.timestamp_header)
    message = _message(scheme.message, request, stamp)
    signatures = (hashlib.new(scheme.algorithm, message(s)).hexdigest() for s in secrets)
    if not _matches(given, signatures, fold=True):
        return _forged(scheme.header, given)
    return _fresh(stamp, scheme.window_s, given, now)


def verify_contentful(
    scheme: ContentfulVerification, request: Request, secrets: Secrets, now: float
) -> Verified | Refused:
    """HMAC-SHA256 over method, path, the headers it names, and body.

    https://www.contentful.com/developers/docs/extensibility/webhooks/request-verification/
    """
    given = request.header("x-contentful-signature")
    named = sorted(
        name.strip().lower() for name in request.header("x-contentful-signed-headers").split(",")
    )
    stamp = request.header("x-contentful-timestamp")
    headers = ";".join(f"{name}:{request.header(name)}" for name in named)
    start = f"{request.method}\n{_encoded_path(request)}\n{headers}\n".encode("utf-8", "replace")
    signatures = (
        hmac.new(secret.encode(), start + request.body, "sha256").hexdigest() for secret in secrets
    )
    if "x-contentful-timestamp" not in named or not _matches(given, signatures, fold=True):
        return _forged("x-contentful-signature", given)
    return _fresh(stamp, scheme.window_s, given, now)


def verify_shared_header(
    scheme: SharedHeaderVerification, request: Request, secrets: Secrets, _: float
) -> Verified | Refused:
    """A secret in a header: proves who calls, not that the call is new."""
    given = request.header(scheme.header)
    return Verified() if _matches(given, secrets) else _forged(scheme.header, given)


def verify_shared_query(
    scheme: SharedQueryVerification, request: Request, secrets: Secrets, _: float
) -> Verified | Refused:
    """A secret in the address: proves who was told it, not that the call is new."""
    given = request.query.get(scheme.parameter, "")
    matches = _matches(given, secrets)
    return Verified() if matches else _forged(f"(parameter) {scheme.parameter}", given)


def verify_basic(
    scheme: BasicVerification, request: Request, secrets: Secrets, _: float
) -> Verified | Refused:
    """HTTP Basic (RFC 7617): proves who calls, not that the call is new."""
    given = request.header("authorization")
    kind, _space, encoded = given.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True) if kind.lower() == "basic" else b""
    except ValueError:
        pair = b""
    expected = (f"{scheme.username}:{secret}".encode() for secret in secrets)
    matches = [hmac.compare_digest(pair, one) for one in expected]
    return Verified() if any(matches) else _forged("Authorization", given)


def _read_timestamp(text: str) -> float | None:
    """Read epoch seconds, epoch milliseconds or ISO 8601 as epoch seconds; None for neither."""
    if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,9})?", text):
        number = float(text)
        return number / 1000 if number > 100_000_000_000 else number
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def freshness(stamp: str, window: float, now: float) -> Refused | None:
    """Refuse what is older than `window` seconds, too far in the future, or no time at all."""
    moment = _read_timestamp(stamp)
    if moment is None:
        return Refused(reason="stale", detail=f"no readable time stamp: {stamp[:40]!r}")
    if now - moment > window:
        return Refused(
            reason="stale", detail=f"signed {now - moment:.0f} s ago, {window} s allowed"
        )
    if moment - now > CLOCK_SKEW_SECONDS:
        return Refused(reason="stale", detail=f"signed {moment - now:.0f} s in the future")
    return None


def _fresh(stamp: str, window: float, signature: str, now: float) -> Verified | Refused:
    refused = freshness(stamp, window, now)
    if refused:
        return refused
    marker = hashlib.sha256(signature.lower().encode()).hexdigest()
    return Verified(delivery=marker, until=now + window + 2 * CLOCK_SKEW_SECONDS)


class _Message:
    """The signed bytes of one request, which may hold the secret itself."""

    __slots__ = ("_parts", "_values")

    def __init__(self, template: str, values: dict[str, bytes]) -> None:
        self._parts = _PLACEHOLDER.split(template)
        self._values = values

    def __call__(self, secret: str) -> bytes:
        values = self._values | {"secret": secret.encode()}
        return b"".join(
            values[part] if index % 2 else part.encode() for index, part in enumerate(self._parts)
        )


def _message(template: str, request: Request, stamp: str) -> _Message:
    values = {
        "body": request.body,
        "timestamp": stamp.encode("utf-8", "replace"),
        "method": request.method.encode(),
        "path": request.path.encode("utf-8", "replace"),
        "query": request.query_string.encode("utf-8", "replace"),
    }
    for name in _PLACEHOLDER.findall(template):
        if name.startswith("header."):
            values[name] = request.header(name.removeprefix("header.")).encode("utf-8", "replace")
    return _Message(template, values)


def _read_signatures(scheme: HmacVerification, header: str) -> tuple[list[str], str]:
    """Return the signatures in a header, and the time stamp that may stand beside them."""
    if scheme.pattern is None:
        return [header], ""
    found = [match.groupdict() for match in re.finditer(scheme.pattern, header)]
    stamps = [one["timestamp"] for one in found if one.get("timestamp")]
    return [one["signature"] for one in found if one.get("signature")], (stamps or [""])[0]


def _key(secret: str, encoding: str) -> bytes:
    try:
        if encoding == "hex":
            return bytes.fromhex(secret)
        if encoding == "base64":
            return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as error:
        raise ConfigurationError(
            f"the webhook's secret is not {encoding}: see events.verify.secret_encoding"
        ) from error
    return secret.encode()


def _written(digest: bytes, encoding: str) -> str:
    if encoding == "hex":
        return digest.hex()
    if encoding == "base64url":
        return base64.urlsafe_b64encode(digest).decode()
    return base64.b64encode(digest).decode()


def _matches(given: str, expected: Iterable[str], *, fold: bool = False) -> bool:
    """Compare in constant time with each of the expected values, never stopping at the first."""
    candidate = (given.lower() if fold else given).encode("utf-8", "replace")
    wanted = [(one.lower() if fold else one).encode() for one in expected]
    results = [hmac.compare_digest(candidate, one) for one in wanted if one]
    return any(results)


def _forged(header: str, given: str) -> Refused:
    detail = f"header {header} does not match" if given else f"header {header} is missing"
    return Refused(reason="forged", detail=detail)


def _encoded_path(request: Request) -> str:
    """Encode the path as Contentful's toolkit does before it signs."""
    search = quote(request.query_string, safe="!~*'()") if request.query_string else ""
    whole = f"{request.path}?{search}" if search else request.path
    return quote(whole, safe=";,/?:@&=+$!~*'()#")
