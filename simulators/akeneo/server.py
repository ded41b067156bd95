"""The simulator in a server of its own, which can break a connection like a network."""

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class ConnectionBroken(ConnectionResetError):  # noqa: N818  # what happened, not a mistake
    """The call ends without (the rest of) an answer."""


_open: dict[tuple[str, int], asyncio.BaseTransport] = {}


class BreakableProtocol(H11Protocol):
    """uvicorn's HTTP/1.1 protocol, whose connections can be found by the client's address."""

    def connection_made(self, transport: Any) -> None:
        """Remember the connection."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        if peer:
            _open[(peer[0], peer[1])] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self.client is not None:
            _open.pop(self.client, None)
        super().connection_lost(exc)


def break_connection(client: tuple[str, int] | None) -> NoReturn:
    """Reset the client's connection and end the call.

    Always raises `ConnectionBroken`: behind a real connection nobody sees it, and a client that
    calls the application in-process gets it as its error.
    """
    transport = _open.get(client) if client is not None else None
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    raise ConnectionBroken("the simulated PIM broke the connection")


HOST = "127.0.0.1"
START_SECONDS = 10


def listening_socket(port: int) -> socket.socket:
    """A socket on the loopback interface; port 0 takes a free one. Raises `OSError`."""
    # Named as TCP, or asyncio leaves Nagle's algorithm on: 40 ms for each answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError:
        listener.close()
        raise
    return listener


def base_url(listener: socket.socket) -> str:
    """The URL at which the socket's server answers."""
    return f"http://{HOST}:{listener.getsockname()[1]}"


def uvicorn_server(app: ASGIApp) -> uvicorn.Server:
    """A server for the application, quiet, that does not wait for clients when it stops."""
    config = uvicorn.Config(
        app,
        http=BreakableProtocol,
        lifespan="off",
        log_level="error",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    logging.getLogger("uvicorn.error").addFilter(_unmeant)
    return uvicorn.Server(config)


def _unmeant(record: logging.LogRecord) -> bool:
    """Leave connections that were broken on purpose out of the log."""
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    return not isinstance(error, ConnectionBroken)


@contextmanager
def serve(app: ASGIApp, *, port: int = 0) -> Iterator[str]:
    """Serve the application from a thread while the context lasts; yields its base URL."""
    listener = listening_socket(port)
    server = uvicorn_server(app)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the simulated PIM did not start")
        time.sleep(0.005)
    try:
        yield base_url(listener)
    finally:
        server.should_exit = True
        server.force_exit = True
        thread.join(timeout=START_SECONDS)
        listener.close()
