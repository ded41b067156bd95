"""A Docker engine: the one that answers already, or one of our own for the time being.

Our own has its socket and data below `.local/docker`, writes no firewall rule and forwards
nothing: containers reach this machine and nothing else.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from local.stack.places import LOCAL

DIRECTORY = LOCAL / "docker"
SYSTEM_SOCKET = Path("/var/run/docker.sock")
START_SECONDS = 30.0
INSTALL = ["apt-get", "install", "-y", "--no-install-recommends", "docker.io"]


class NoEngineError(Exception):
    """There is no Docker engine and none can be started here; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """An engine that answers on a Unix socket."""

    socket: Path

    @property
    def host(self) -> str:
        """For DOCKER_HOST."""
        return f"unix://{self.socket}"

    def answers(self) -> bool:
        """Whether the engine is there."""
        try:
            return self.request("GET", "/_ping").status == http.client.OK
        except OSError:
            return False

    def request(
        self, method: str, path: str, body: BinaryIO | None = None
    ) -> http.client.HTTPResponse:
        """Ask the engine's API (https://docs.docker.com/reference/api/engine/)."""
        connection = _UnixConnection(self.socket)
        headers = {"Content-Type": "application/x-tar"} if body else {}
        connection.request(method, path, body=body, headers=headers, encode_chunked=bool(body))
        return connection.getresponse()


@contextlib.contextmanager
def engine() -> Iterator[Engine]:
    """Give an engine for the length of a `with` block; NoEngineError if that is impossible."""
    there = Engine(socket=SYSTEM_SOCKET)
    if there.answers():
        yield there
        return
    with _own_engine(_daemon()) as own:
        yield own


def _daemon() -> str:
    """Find `dockerd`, and install Debian's where that is allowed and wanted."""
    if os.geteuid() != 0:
        raise NoEngineError("no Docker engine answers, and starting one takes root")
    daemon = shutil.which("dockerd")
    if daemon:
        return daemon
    if not shutil.which("apt-get"):
        raise NoEngineError("no Docker engine is installed, and this is not Debian or Ubuntu")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], INSTALL):
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, check=False
        )
    daemon = shutil.which("dockerd")
    if daemon is None:
        raise NoEngineError(f"docker.io could not be installed: {done.stderr.strip()[-500:]}")
    return daemon


@contextlib.contextmanager
def _own_engine(daemon: str) -> Iterator[Engine]:
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    own = Engine(socket=DIRECTORY / "docker.sock")
    command = [
        *(daemon, "-H", own.host),
        *("--data-root", str(DIRECTORY / "data"), "--exec-root", str(DIRECTORY / "exec")),
        *("-p", str(DIRECTORY / "docker.pid")),
        *("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false"),
    ]
    log = DIRECTORY / "dockerd.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            _wait(own, process, log)
            yield own
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
            subprocess.run(["ip", "link", "del", "docker0"], capture_output=True, check=False)  # noqa: S607


def _wait(own: Engine, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not own.answers():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = " | ".join(log.read_text(errors="replace").splitlines()[-3:])
            raise NoEngineError(f"dockerd did not start on this machine ({log}): {tail}")
        time.sleep(0.1)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("docker", timeout=300)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))
