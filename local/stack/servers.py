"""Processes that answer on a port: started, waited for, stopped.

Each runs in a process group of its own, so that stopping it also stops what it started (the
emulator starts a process per function). A server is recognised by its process id *and* start
time: an id that the system has given to another process since is left alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.stack.places import ROOT

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1
_started_here: dict[Server, subprocess.Popen[bytes]] = {}


class ServerError(Exception):
    """A server did not come up; the message has the end of its log and says where the rest is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server; `born` is its start time in the system's own unit, opaque to us."""

    name: str
    url: str
    pid: int
    born: str
    log: str


def free_port(preferred: int) -> int:
    """`preferred` if nothing listens there, otherwise any free port."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((HOST, port))
                return int(probe.getsockname()[1])
    raise ServerError(f"no free port on {HOST}")


def launch(
    name: str,
    command: Sequence[str],
    *,
    url: str,
    log: Path,
    environment: Mapping[str, str],
    tied: bool,
) -> Server:
    """Start `command` in the background; `tied` ends it with this process, however that ends."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  the commands are this package's own
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if tied and sys.platform == "linux" else None,  # noqa: PLW1509
        )
    server = Server(name=name, url=url, pid=process.pid, born=_born(process.pid), log=str(log))
    _started_here[server] = process
    return server


def wait_until_ready(server: Server, path: str) -> None:
    """Return when `path` answers with anything below 500; raise ServerError with the log if not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not is_running(server):
            break
        if answers(server.url + path):
            return
        time.sleep(0.05)
    tail = Path(server.log).read_text(errors="replace").splitlines()[-15:]
    raise ServerError(
        f"{server.name} did not come up at {server.url}. The end of its log ({server.log}):\n"
        + "\n".join(f"    {line}" for line in tail)
    )


def answers(url: str) -> bool:
    """Whether something answers there over HTTP, with anything but a server's own failure."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310  our own http://127.0.0.1
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


def is_running(server: Server) -> bool:
    """Whether this very process still runs (not one that got its id later, nor a zombie)."""
    return bool(server.born) and _born(server.pid) == server.born


def stop(server: Server) -> None:
    """End the server and all it started: ask, and after STOP_SECONDS insist."""
    if is_running(server):
        os.killpg(server.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while is_running(server) and time.monotonic() < deadline:
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
    if server in _started_here:
        _started_here.pop(server).wait()


def _born(pid: int) -> str:
    """When the process started; empty if there is none, or only its zombie."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if sys.platform == "linux" else _born_by_ps(pid)
    return "" if state == "Z" else rest[18]


def _born_by_ps(pid: int) -> str:
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    state, _, born = found.stdout.strip().partition(" ")
    return "" if state.startswith("Z") else born.strip()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
