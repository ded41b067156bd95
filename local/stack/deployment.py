"""`sam build` and `sam deploy` of template.yaml into the emulator, with the stock command."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.stack.bytecode import add_bytecode
from local.stack.emulator import client_environment
from local.stack.places import BUILD, ROOT, SAM_VENV


class DeploymentError(Exception):
    """SAM failed; the message has what it printed."""


def build(target: Path) -> None:
    """Build the layers and functions into `target`, for this machine's Python and processor.

    The emulator runs functions under its own interpreter, so wheels have to fit this machine and
    not the template's defaults. What did not change since the last build is not built again: sam
    keeps its notes about that beside its build folder, so all stacks of a checkout share one, one
    after another, and take a copy.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sam(
            "build",
            *("--cached", "--parallel"),
            *("--build-dir", str(BUILD / "built"), "--cache-dir", str(BUILD / "cache")),
            *("--parameter-overrides", *_pairs(machine_parameters())),
            environment={},
        )
        shutil.copytree(BUILD / "built", target)
    add_bytecode(target)


def deploy(built: Path, *, stack_name: str, endpoint: str, parameters: Mapping[str, str]) -> None:
    """Deploy what `build` made as `stack_name`; parameters not named keep their defaults."""
    _sam(
        "deploy",
        *("--template-file", str(built / "template.yaml"), "--stack-name", stack_name),
        *("--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset"),
        *("--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *_pairs({**machine_parameters(), **parameters})),
        environment=client_environment(endpoint),
    )


def machine_parameters() -> dict[str, str]:
    """Template parameters that fit this machine: its Python, its processor, the emulator."""
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return {
        "PythonRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "Architecture": "arm64" if arm else "x86_64",
        "Emulated": "true",
    }


def _pairs(parameters: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in parameters.items()]


def _sam(*arguments: str, environment: Mapping[str, str]) -> None:
    python = Path(sys.executable).parent
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    result = subprocess.run(  # noqa: S603  our own command line
        [str(SAM_VENV / "bin" / "sam"), *arguments],
        cwd=ROOT,
        env={
            **inherited,
            "SAM_CLI_TELEMETRY": "0",
            "PATH": f"{python}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "AWS_DEFAULT_REGION": "us-east-1",
            **environment,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise DeploymentError(f"sam {arguments[0]} failed:\n{result.stdout}{result.stderr}")
