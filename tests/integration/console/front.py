"""The console over HTTP on this machine: what a function URL does, for real browsers."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from functions.console import handler
from tests.integration.console.visit import event_of
from tests.integration.stack import Context

ONE_AT_A_TIME = threading.Lock()
"""A worker of Lambda answers one call at a time."""


class Front(BaseHTTPRequestHandler):
    """Hands each request on as an event, and the answer back."""

    def do_GET(self) -> None:
        self._handed_on("")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        self._handed_on(body.decode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _handed_on(self, body: str) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        cookies = [each.strip() for each in headers.pop("cookie", "").split(";") if each.strip()]
        event = event_of(self.command, path, query, headers, cookies, body)
        context: Any = Context()
        with ONE_AT_A_TIME:
            answer = handler.lambda_handler(event, context)
        data = answer.get("body") or ""
        sent = base64.b64decode(data) if answer.get("isBase64Encoded") else data.encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        for cookie in answer.get("cookies", []):
            self.send_header("set-cookie", cookie)
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)


@contextmanager
def serving_console() -> Iterator[str]:
    """Serve for the length of a `with` block and give the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
