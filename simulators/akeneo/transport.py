"""Breaking a connection on purpose, which ASGI itself has no word for."""

import asyncio
from typing import Any

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


def break_connection(client: tuple[str, int] | None) -> None:
    """Reset the client's connection and end the call.

    Always raises `ConnectionBroken`: behind a real connection nobody sees it, and a client that
    calls the application in-process gets it as its error.
    """
    transport = _open.get(client) if client is not None else None
    if isinstance(transport, asyncio.Transport):
        transport.abort()
    raise ConnectionBroken("the simulated PIM broke the connection")
