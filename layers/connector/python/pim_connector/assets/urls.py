"""Tells URLs that stop working from those that may be written into a PIM.

A PIM keeps a media link for years; a signed download URL of a DAM works for minutes or days
(Acquia's `_links.download`, Brandfolder's thumbnails, presigned S3). It is refused rather than
stored, because nobody notices until the pictures are gone.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

_EXPIRING = frozenset(
    {
        "expires",  # Amazon S3 (version 2), CloudFront, Google Cloud Storage, Acquia
        "expire",
        "expiration",
        "expires_at",
        "expires_in",
        "expiry",
        "exp",
        "signature",
        "sig",  # Azure shared access signatures
        "se",
        "key-pair-id",  # CloudFront
        "policy",
        "hdnea",  # Akamai
        "hdnts",
        "hdntl",
        "access_token",
        "auth_token",
        "token",
        "jwt",
        "oh",  # Facebook's CDN
        "oe",
        "verify",
    }
)
_EXPIRING_PREFIXES = ("x-amz-", "x-goog-", "x-oss-", "x-cos-")


def expiring_parameter(url: str) -> str | None:
    """Name the query parameter that shows that the URL expires or carries a secret; else None."""
    for name, _ in parse_qsl(urlsplit(url).query, keep_blank_values=True):
        lowered = name.lower()
        if lowered in _EXPIRING or lowered.startswith(_EXPIRING_PREFIXES):
            return name
    return None


def without_query(url: str) -> str:
    """Give the part of a signed URL that stays the same from one signature to the next."""
    return urlsplit(url)._replace(query="", fragment="").geturl()


def is_web_url(text: str) -> bool:
    """Say whether this is an absolute http(s) URL with a host."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
