"""Keeps other web pages from using this one through the browser of whoever runs it.

A page anywhere on the web can make a browser send requests to 127.0.0.1. It cannot choose the
`Origin` header, which browsers send with every POST
(https://fetch.spec.whatwg.org/#origin-header), nor `Host`, which is the name it was resolved by:
so a request counts only if both name this server.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES: Final = frozenset({"127.0.0.1", "localhost"})
READING: Final = frozenset({"GET", "HEAD"})
MOST_BYTES: Final = 3 * 1024**2
MOST_UPLOAD_BYTES: Final = {"/inbox": 1024**3, "/studio/samples": 65 * 1024**2}
HEADERS: Final = {
    b"content-security-policy": b"default-src 'none'; style-src 'self'; script-src 'self'; "
    b"img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    b"frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cache-control": b"no-store",
}
"""Sent with every answer that does not say otherwise. Without `same-origin` a browser would send
`Origin: null` with our own forms."""


class Guard:
    """An ASGI application before another one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refused = refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refused:
            status, reason = refused
            await PlainTextResponse(f"{reason}\n", status)(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                said = {name for name, _ in message["headers"]}
                message["headers"] += [pair for pair in HEADERS.items() if pair[0] not in said]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def refusal(method: str, path: str, headers: Headers) -> tuple[int, str] | None:
    """Say with which status and why a request is refused; None lets it pass."""
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in NAMES and host not in NAMES:
        return 421, "This server answers to 127.0.0.1 and localhost only."
    if method in READING:
        return None
    if headers.get("origin") != f"http://{host}":
        return 403, "Only a page of this server may send this; open the page and use its form."
    length = headers.get("content-length", "")
    if not length.isdecimal():
        return 411, "Say how long the body is (Content-Length)."
    most = MOST_UPLOAD_BYTES.get(path, MOST_BYTES)
    if len(length) > 18 or int(length) > most:
        return (
            413,
            f"At most {most:,} bytes; the command line (`pim-connector`) takes larger files.",
        )
    return None
