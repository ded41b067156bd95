"""Proofs by a public key: RSA over the message, with keys and certificates from pinned hosts.

`cryptography` is imported when the first signature is checked, so that DAMs that sign otherwise
do not pay for it at a cold start.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal

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
        """Give the PEM text under `url`."""
        if url not in self._pem:
            if len(self._pem) > 50:
                self._pem.clear()
            self._pem[url] = self._fetch(url)[: self.LONGEST]
        return self._pem[url]


def rsa_signed(
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
