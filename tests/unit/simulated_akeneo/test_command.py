import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import httpx

from simulators.akeneo.admin import TABLE
from simulators.akeneo.editions import EDITIONS
from simulators.akeneo.faults import Faults
from simulators.akeneo.limits import Limits
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


def test_the_edition_the_zone_and_the_limits_are_options() -> None:
    options = ("--edition", "saas", "--time-zone", "Europe/Paris", "--calls-per-connection", "4")
    with started("--port", "0", "--app-token", "t", *options) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        settings = httpx.get(f"{ready['url']}/_simulator/settings", timeout=10).json()
    assert ready["edition"] == "saas"
    assert settings == {
        "edition": "saas",
        "time_zone": "Europe/Paris",
        "calls_per_connection": 4,
        "calls_per_pim": 0,
        "retry_after": 1,
    }


def test_a_catalog_with_what_the_edition_lacks_is_one_clear_line(tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(RESOURCES))
    with started("--port", "0", "--catalog", str(file), "--edition", "ce-7.0") as process:
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors.startswith("The catalog cannot be used: ce-7.0 has no attributes of these types:")
    assert errors.count("\n") == 1


def test_the_readme_names_every_option_fault_setting_and_call() -> None:
    readme = (ROOT / "simulators/akeneo/README.md").read_text("utf-8")
    usage = subprocess.run(  # our own command
        [sys.executable, "-m", "simulators.akeneo", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = {*re.findall(r"--[a-z-]+", usage)} - {"--help"}
    names |= {*Faults().settings()} - {"seed"}
    names |= {*asdict(Limits()), *EDITIONS}
    names |= {f"/_simulator{path}" for _, path, _ in TABLE}
    assert [name for name in sorted(names) if name not in readme] == []
