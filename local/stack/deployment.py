"""`sam build` and `sam deploy` of template.yaml into the emulator, with the stock command."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from local.stack import builds, record
from local.stack.builds import Build
from local.stack.emulator import client_environment
from local.stack.places import BUILD, ROOT, SAM_VENV

POLL_SECONDS = "0.1"
"""How often sam asks how far the stack is: 5 s are meant for AWS, the emulator is done at once."""


class DeploymentError(Exception):
    """SAM failed; the message has what it printed."""


def planned_build() -> Build:
    """Where the build of the checkout as it is now lies, or will lie."""
    return builds.find(BUILD / "kept", ROOT, machine_parameters())


def build(wanted: Build) -> None:
    """Build the layers and functions, unless they are built.

    The emulator runs functions under its own interpreter, so wheels have to fit this machine and
    not the template's defaults. Packages that did not change are not fetched again: sam keeps its
    notes about that beside its build folder, so all stacks of a checkout share one, one after
    another.
    """
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        up = record.read()
        spared = Path(up.build) if up else None
        builds.complete(wanted, lambda: _sam_build(wanted), spared=spared)


def _sam_build(wanted: Build) -> Path:
    _sam(
        "build",
        *("--cached", "--parallel"),
        *("--build-dir", str(BUILD / "built"), "--cache-dir", str(BUILD / "cache")),
        *("--parameter-overrides", *_pairs(machine_parameters())),
        environment={},
    )
    if planned_build() != wanted:
        raise DeploymentError("files changed while sam build was reading them: start it again")
    return BUILD / "built"


def deploy(build: Build, *, stack_name: str, endpoint: str, parameters: Mapping[str, str]) -> None:
    """Deploy a build that is there as `stack_name`; parameters not named keep their defaults."""
    _sam(
        "deploy",
        *("--template-file", str(build.artifacts / "template.yaml"), "--stack-name", stack_name),
        *("--resolve-s3", "--no-confirm-changeset"),
        *("--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"),
        *("--no-fail-on-empty-changeset", "--no-progressbar"),
        *("--parameter-overrides", *_pairs({**machine_parameters(), **parameters})),
        environment=client_environment(endpoint),
    )


def machine_parameters() -> dict[str, str]:
    """Template parameters that fit this machine: the emulator, with its Python and processor."""
    arm = platform.machine().lower() in ("arm64", "aarch64")
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return {"Emulated": f"{python}-{'arm64' if arm else 'x86-64'}"}


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
            "SAM_CLI_POLL_DELAY": POLL_SECONDS,
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
