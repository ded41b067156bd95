"""A browser's call and the answer to it, as the console sees them behind a function URL.

Payload format 2.0: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs

from msgspec import Struct, field

from pim_connector.errors import RejectedError

LONGEST_FORM: Final = 1_000_000
"""Bytes of a form that the console reads, a mapping among them; files go to the bucket."""


class Request(Struct, frozen=True, kw_only=True):
    """One HTTP request. Header names are lower case; of repeated query keys the first counts."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def form(self) -> dict[str, str]:
        """Return the fields of an URL-encoded form; RejectedError for one that is too large."""
        if len(self.body) > LONGEST_FORM:
            raise RejectedError(f"the form is larger than {LONGEST_FORM:,} bytes; send less")
        fields = parse_qs(
            self.body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=1_000
        )
        return {name: values[0] for name, values in fields.items()}


class Answer(Struct, frozen=True, kw_only=True):
    """What the browser gets: another address to go to, or a page with a title and a message.

    The console's pages render `title`, `message` and, if `form` names one, that form.
    """

    status: int = 200
    location: str = ""
    title: str = ""
    message: str = ""
    form: str = ""
    data: Mapping[str, Any] | None = None
    cookies: tuple[str, ...] = ()


def redirect(location: str, *cookies: str) -> Answer:
    """Return the answer that sends a browser elsewhere by GET, whatever it sent."""
    return Answer(status=303, location=location, cookies=cookies)


def read_request(event: Mapping[str, Any]) -> Request:
    """Read a function URL's event. RejectedError for a body that is marked as base64 and is not."""
    http = event.get("requestContext", {}).get("http", {})
    headers = {str(n).lower(): str(v) for n, v in (event.get("headers") or {}).items()}
    query = parse_qs(str(event.get("rawQueryString") or ""), keep_blank_values=True)
    return Request(
        method=str(http.get("method", "GET")).upper(),
        path=str(event.get("rawPath") or "/"),
        query={name: values[0] for name, values in query.items()},
        headers=headers,
        cookies=_cookies(event.get("cookies") or headers.get("cookie", "").split(";")),
        body=_body(event),
    )


def _body(event: Mapping[str, Any]) -> bytes:
    body = str(event.get("body") or "")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except ValueError as error:
        raise RejectedError("the body is marked as base64 and is not") from error


def _cookies(pairs: list[str]) -> dict[str, str]:
    """Read cookies; of two with one name the first counts, as in every browser's order."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, separator, value = pair.strip().partition("=")
        if separator:
            found.setdefault(name, value)
    return found


def set_cookie(name: str, value: str, *, seconds: int) -> str:
    """Return a Set-Cookie that scripts cannot read and other sites' forms do not send.

    `__Host-` binds it to this very host. `Lax`, because people come back from the PIM by a link.
    Browsers take `Secure` cookies from 127.0.0.1, too.
    """
    return f"{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"


def security_headers(*, frame_ancestors: str = "'none'") -> dict[str, str]:
    """Return what every page says. Only pages that the PIM shows name the PIM as an ancestor."""
    return {
        "content-security-policy": (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors {frame_ancestors}"
        ),
        "x-content-type-options": "nosniff",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
        "cache-control": "no-store",
    }
