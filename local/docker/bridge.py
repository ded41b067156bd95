"""Lets containers reach servers of this machine that listen on the loopback address only.

A forwarder listens on the bridge's own address, which nothing outside this machine reaches, on the
same port, and passes bytes on.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator, Sequence

from local.stack.servers import HOST

BRIDGE = "172.17.0.1"
CONTAINERS_NAME = "host.docker.internal"
_CHUNK = 65_536


@contextlib.contextmanager
def bridged(ports: Sequence[int], address: str = BRIDGE) -> Iterator[None]:
    """Forward each port for the length of a `with` block."""
    listeners = [socket.create_server((address, port)) for port in ports]
    for listener in listeners:
        threading.Thread(target=_accept, args=(listener,), daemon=True).start()
    try:
        yield
    finally:
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def _accept(listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    while True:
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(caller, port), daemon=True).start()


def _serve(caller: socket.socket, port: int) -> None:
    with caller, contextlib.suppress(OSError), socket.create_connection((HOST, port)) as server:
        back = threading.Thread(target=_pass_on, args=(server, caller), daemon=True)
        back.start()
        _pass_on(caller, server)
        back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)
