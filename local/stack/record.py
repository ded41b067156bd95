"""Which local stack runs now, written down so that other commands and shells find it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from local.stack.places import RUN
from local.stack.servers import Server, is_running

RECORD = RUN / "stack.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """The servers of one local stack, by name (`aws`, `akeneo`, `dam`), and its stack's name.

    `build` is the folder with the template and the artifacts it was deployed from.
    """

    stack_name: str
    build: str
    servers: dict[str, Server]

    @property
    def endpoint(self) -> str:
        """Address of the emulated AWS, for AWS_ENDPOINT_URL."""
        return self.servers["aws"].url


def write(stack: RunningStack, path: Path = RECORD) -> None:
    """Replace the record in one step, so that nobody reads half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(stack), indent=2))
    os.replace(draft, path)


def read(path: Path = RECORD) -> RunningStack | None:
    """The recorded stack as far as its servers still run; None if the emulated AWS does not."""
    try:
        written = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    servers = {name: Server(**fields) for name, fields in written["servers"].items()}
    running = {name: server for name, server in servers.items() if is_running(server)}
    if "aws" not in running:
        return None
    return RunningStack(stack_name=written["stack_name"], build=written["build"], servers=running)
