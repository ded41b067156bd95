import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.unit.simulated_akeneo.small_pim import RESOURCES

ROOT = Path(__file__).resolve().parents[3]


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    """The command, stopped by SIGTERM at the end."""
    process = subprocess.Popen(  # noqa: S603  # our own command
        [sys.executable, "-m", "simulators.akeneo", *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


def test_one_command_serves_a_catalog_on_the_loopback_until_it_is_told_to_stop(
    tmp_path: Path,
) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(RESOURCES | {"products": [{"identifier": "there"}]}))
    with started("--port", "0", "--catalog", str(file), "--app-token", "t") as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["url"].startswith("http://127.0.0.1:")
        path = f"{ready['url']}/api/rest/v1/products/there"
        answer = httpx.get(path, headers={"Authorization": "Bearer t"}, timeout=10)
        assert answer.json()["identifier"] == "there"
    assert process.returncode in (0, -signal.SIGTERM)


def test_a_file_that_is_no_catalog_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text("<xml/>")
    with started("--port", "0", "--catalog", str(file)) as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith(f"The catalog cannot be used: {file}: ")
    assert errors.count("\n") == 1


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with started("--port", port) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith(f"Port {port} cannot be used: ")
