"""`pim-connector`: everything an operator does, on the local stack or a deployed one.

Modules of `cli/` bring their commands; imports that cost time happen inside the commands.

Exit status: 0 all is well · 1 it failed, the last line says why · 2 wrong usage or configuration ·
3 done, but some records were rejected.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

import typer

from pim_connector.errors import ConfigurationError, ConnectorError

FAILED = 1
MISUSED = 2
REJECTED = 3
INTERRUPTED = 130

COMMANDS = ("stack", "imports", "runs", "errands", "preview", "plan", "cost", "doctor", "schedules")
GROUPS = ("config", "mapping", "structure", "assets")


def build() -> typer.Typer:
    """Put the command line together from its modules."""
    root = typer.Typer(
        help="Keep an Akeneo PIM up to date from an ERP's XML exports and a DAM's assets.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    for name in COMMANDS:
        if find_spec(f"cli.{name}"):
            root.add_typer(import_module(f"cli.{name}").app)
    for name in GROUPS:
        if find_spec(f"cli.{name}"):
            root.add_typer(import_module(f"cli.{name}").app, name=name)
    return root


def main() -> None:
    """Run the command; what goes wrong becomes one line for people and an exit status."""
    try:
        build()()
    except ConnectorError as error:
        print(f"pim-connector: {error}", file=sys.stderr)
        sys.exit(MISUSED if isinstance(error, ConfigurationError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
