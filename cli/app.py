"""`pim-connector`: everything an operator does, on the local stack or a deployed one.

Modules of `cli/` bring their commands; imports that cost time happen inside the commands.

How commands end is in `cli/statuses.py`.
"""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from typing import Annotated

import typer

from cli.statuses import FAILED, INTERRUPTED, MEANINGS, MISUSED
from pim_connector.errors import ConfigurationError, ConnectorError

COMMANDS = {
    "On this machine": ("stack",),
    "Files": ("imports", "plan", "preview"),
    "Runs": ("runs", "jobs"),
    "The stack": ("console", "doctor", "cost", "schedules"),
}
GROUPS = {
    "app": "The stack",
    "config": "The stack",
    "mapping": "Mappings and sources",
    "structure": "Mappings and sources",
    "assets": "Mappings and sources",
}

MODULES = {"app": "pim_app"}
"""Groups whose module has another name."""


def build() -> typer.Typer:
    """Put the command line together from its modules."""
    root = typer.Typer(
        help="Keep an Akeneo PIM up to date from an ERP's XML exports and a DAM's assets.",
        no_args_is_help=True,
        epilog="Exit status: "
        + " · ".join(f"{status} {meaning}" for status, meaning in MEANINGS.items()),
        pretty_exceptions_enable=False,
    )
    root.callback()(_options)
    for panel, modules in COMMANDS.items():
        for name in modules:
            app = import_module(f"cli.{name}").app
            for command in app.registered_commands:
                command.rich_help_panel = panel
            root.add_typer(_flowing(app))
    for name, panel in GROUPS.items():
        app = _flowing(import_module(f"cli.{MODULES.get(name, name)}").app)
        root.add_typer(app, name=name, rich_help_panel=panel)
    return root


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"pim-connector {version('pim-connector')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """What may stand before the command."""


def _flowing(app: typer.Typer) -> typer.Typer:
    """Have help texts flow into any terminal: a line of a docstring ends nothing but itself."""
    for command in app.registered_commands:
        paragraphs = (inspect.getdoc(command.callback) or "").split("\n\n")
        command.help = "\n\n".join(" ".join(each.split()) for each in paragraphs)
    return app


def main() -> None:
    """Run the command; what goes wrong becomes one line for people and an exit status."""
    try:
        build()()
    except ConnectorError as error:
        print(f"pim-connector: {error}", file=sys.stderr)
        sys.exit(MISUSED if isinstance(error, ConfigurationError) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is None:
            raise
        print(f"pim-connector: {error.filename}: {error.strerror}", file=sys.stderr)
        sys.exit(FAILED)
    except Exception as error:
        if not _is_from_aws(error):
            raise
        print(
            f"pim-connector: AWS: {error} Is it the right --profile, --region and --stack, and may "
            "this profile do it? `pim-connector doctor` looks at what the stack has.",
            file=sys.stderr,
        )
        sys.exit(FAILED)


def _is_from_aws(error: Exception) -> bool:
    """Say whether boto3 raised it; where it was not even imported it did not."""
    if "boto3" not in sys.modules:
        return False
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, (Boto3Error, BotoCoreError, ClientError))


if __name__ == "__main__":
    main()
