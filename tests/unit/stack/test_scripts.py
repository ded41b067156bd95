"""The two shell scripts that a fresh machine runs first."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FIND = ROOT / "local" / "find-python"


def executable(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def find(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    tools = "/usr/bin:/bin"
    return subprocess.run(  # noqa: S603
        ["/bin/sh", str(FIND)],
        env={"PATH": f"{tmp_path}:{tools}", "HOME": str(tmp_path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_shim_that_fails_is_passed_over(tmp_path: Path) -> None:
    minor = sys.version_info.minor
    executable(tmp_path / "python3.13", "echo 'command not found' >&2; exit 127")
    executable(
        tmp_path / f"python3.{minor}" if minor != 13 else tmp_path / "python3",
        f'exec "{sys.executable}" "$@"',
    )

    found = find(tmp_path)

    assert found.returncode == 0
    version = subprocess.run(  # noqa: S603
        [found.stdout.strip(), "-c", "import sys; print(sys.version_info.minor)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(version.stdout) >= 11


def test_a_python_that_is_named_but_does_not_run_is_an_error_that_says_so(tmp_path: Path) -> None:
    found = find(tmp_path, PYTHON=os.fspath(tmp_path / "nothing"))

    assert found.returncode == 1
    assert "does not run" in found.stderr


def test_a_version_manager_is_searched(tmp_path: Path) -> None:
    folder = tmp_path / ".pyenv" / "versions" / f"3.{sys.version_info.minor}.0" / "bin"
    folder.mkdir(parents=True)
    name = f"python3.{sys.version_info.minor}"
    executable(folder / name, f'exec "{sys.executable}" "$@"')
    for newer in range(sys.version_info.minor, 14):
        executable(tmp_path / f"python3.{newer}", "exit 127")
    executable(tmp_path / "python3", "exit 127")

    found = find(tmp_path)

    assert found.returncode == 0
    assert Path(found.stdout.strip()).exists()
