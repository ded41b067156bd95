"""A call as it came over the wire, and what a verifier may say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

Reason = Literal["forged", "stale", "unexpected", "malformed", "replayed", "oversized"]
"""forged: the proof is missing or wrong. stale: right, but too old (or from the future).
unexpected: right, but meant for somebody else. The others need no explanation."""

STATUS: dict[Reason, int] = {
    "forged": 401,
    "stale": 401,
    "unexpected": 403,
    "malformed": 400,
    "replayed": 409,
    "oversized": 413,
}
"""The HTTP status that tells an honest sender what is wrong with its call."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request. Header names are lower case; `body` is exactly what was sent."""

    method: str
    path: str
    body: bytes
    query_string: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def header(self, name: str) -> str:
        """Give a header, or "" where it is missing; names have no case."""
        return self.headers.get(name.lower(), "").strip()


class Verified(Struct, frozen=True, kw_only=True):
    """The call is the DAM's. `delivery` is different in each call and cannot be forged.

    It is None where the scheme signs nothing that differs: then a recorded call cannot be told
    from a new one. `until` (epoch seconds) is when a repetition would be stale anyway.
    """

    delivery: str | None = None
    until: float | None = None


class Refused(Struct, frozen=True, kw_only=True):
    """The call is not taken. `detail` is for the log; it is never sent back and holds no secret."""

    reason: Reason
    detail: str


class Handshake(Struct, frozen=True, kw_only=True):
    """The DAM only wants to know who is there: answer with this text, queue nothing."""

    text: str
    detail: str
