"""The PIM's access token and where workers share it.

A password grant per process is wasteful (https://api.akeneo.com/php-client/authentication.html),
so a token is kept, renewed at 80 % of its life, and may be shared through a `TokenStore`.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

RENEW_AFTER = 0.8


class Token(Struct, frozen=True, kw_only=True):
    """Times are seconds since the epoch. A refresh token is used once: renewing gives both anew."""

    access_token: str
    refresh_token: str | None
    issued_at: float
    expires_at: float

    def __repr__(self) -> str:
        return f"Token(issued_at={self.issued_at}, expires_at={self.expires_at})"

    def is_due(self, now: float) -> bool:
        return now >= self.issued_at + RENEW_AFTER * (self.expires_at - self.issued_at)

    def is_expired(self, now: float) -> bool:
        return now >= self.expires_at


class TokenStore(Protocol):
    """Where a token is kept between calls, and between workers."""

    def load(self) -> Token | None:
        """Give the newest token that any worker has saved."""

    def save(self, token: Token, *, replaces: Token | None) -> Token:
        """Keep `token`, unless another worker was quicker; give the one that is to be used."""


class MemoryTokenStore:
    """Keeps the token for one process."""

    def __init__(self) -> None:
        self._token: Token | None = None

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token, *, replaces: Token | None) -> Token:  # noqa: ARG002 - protocol
        self._token = token
        return token
