"""`python -m local.demo`, which `make demo` calls."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from local.demo.run import job, run_demo
from local.stack.deployment import DeploymentError
from local.stack.servers import ServerError
from pim_connector.errors import ConnectorError


def demo(
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    mapping: Annotated[Path | None, typer.Option(exists=True, dir_okay=False)] = None,
    pim: Annotated[str | None, typer.Option(help="Address or profile of a real PIM.")] = None,
) -> None:
    """Run an export through the whole stack and check what arrived."""
    # Asked to end, the stack is stopped on the way out, as after any error.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        arrived = run_demo(job(file, mapping, pim), Console(highlight=False))
    except (ConnectorError, ServerError, DeploymentError) as error:
        print(f"make demo: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if arrived else 1)


if __name__ == "__main__":
    typer.run(demo)
