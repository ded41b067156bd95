"""Servers of the local stack: they come up, are recognised, and leave nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.stack import record
from local.stack.record import RunningStack
from local.stack.servers import (
    HOST,
    Server,
    ServerError,
    free_port,
    is_running,
    launch,
    stop,
    wait_until_ready,
)

SLEEP = "import time; time.sleep(60)"
SERVE = [sys.executable, "-m", "http.server", "--bind", HOST]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    port = free_port(0)
    started = launch(
        "files",
        [*SERVE, str(port)],
        url=f"http://{HOST}:{port}",
        log=tmp_path / "files.log",
        environment=os.environ,
        tied=False,
    )
    yield started
    stop(started)


def alive(pid: int) -> bool:
    """Whether the process runs; its zombie does not count."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def eventually(holds: object, seconds: float = 10) -> bool:
    assert callable(holds)
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(holds())


def test_a_server_is_ready_when_it_answers_and_gone_when_it_is_stopped(server: Server) -> None:
    wait_until_ready(server, "/")
    assert is_running(server)

    stop(server)

    assert not is_running(server)
    with socket.socket() as probe:
        assert probe.connect_ex((HOST, int(server.url.rpartition(":")[2]))) != 0


def test_a_server_that_ends_at_once_is_an_error_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = launch(
        "broken",
        [sys.executable, "-c", "import sys; sys.exit('no such catalogue')"],
        url=f"http://{HOST}:9",
        log=tmp_path / "broken.log",
        environment=os.environ,
        tied=False,
    )

    with pytest.raises(ServerError, match=r"broken did not come up(?s:.)*no such catalogue"):
        wait_until_ready(broken, "/")
    stop(broken)


def test_what_a_server_started_is_stopped_with_it(tmp_path: Path) -> None:
    script = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
print(child.pid, flush=True)
child.wait()
"""
    log = tmp_path / "parent.log"
    parent = launch(
        "parent",
        [sys.executable, "-c", script],
        url=f"http://{HOST}:9",
        log=log,
        environment=os.environ,
        tied=False,
    )
    assert eventually(lambda: log.read_text().strip())
    child = int(log.read_text())

    stop(parent)

    assert eventually(lambda: not alive(child))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
def test_a_tied_server_ends_with_its_owner_even_when_that_is_killed(tmp_path: Path) -> None:
    owner = f"""
import os, sys, time
from pathlib import Path
from local.stack.servers import launch
log = Path({str(tmp_path / "tied.log")!r})
command = [sys.executable, "-c", {SLEEP!r}]
server = launch("tied", command, url="", log=log, environment=os.environ, tied=True)
print(server.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", owner], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        assert alive(server)
        process.send_signal(signal.SIGKILL)

    assert eventually(lambda: not alive(server))


def test_a_process_that_got_the_id_of_a_server_later_is_left_alone(server: Server) -> None:
    stranger = replace(server, born="1")

    stop(stranger)

    assert is_running(server)


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]

        assert free_port(port) != port


def test_a_record_is_read_as_far_as_its_servers_run(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    gone = replace(server, name="akeneo", born="1")
    written = RunningStack(stack_name="s", build="b", servers={"aws": server, "akeneo": gone})
    record.write(written, path)

    assert record.read(path) == RunningStack(stack_name="s", build="b", servers={"aws": server})

    stop(server)

    assert record.read(path) is None


def test_without_a_record_no_stack_runs(tmp_path: Path) -> None:
    assert record.read(tmp_path / "stack.json") is None
