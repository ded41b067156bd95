"""`pim-connector assets reconcile`, `assets approve`: what an operator says to reconciliations."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from cli.target import ProfileOption, RegionOption, StackOption
from cli.target import connect as connect_stack
from pim_connector.errors import ConfigurationError

SourceArgument = Annotated[
    str, typer.Argument(help="The DAM source, as in config/dam/<source>.yaml.")
]
NO_SOURCE = (
    "there is no config/dam/{source}.yaml in the bucket: "
    "pim-connector config push --dam {source} FILE"
)
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


def reconcile(
    source: SourceArgument,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Have the DAM's full list compared with the PIM, from the next poll on.

    All assets of the list are queued again, and so are those that were rejected; what has not
    changed is not sent. What is gone from the list is dealt with as the source's `on_delete` says.
    Exit status: 0 asked for · 2 there is no such source.

    Example: pim-connector assets reconcile bynder
    """
    from pim_connector.assets.reconcile import Walks

    target = connect_stack(stack, profile, region)
    if target.bucket().describe(f"config/dam/{source}.yaml") is None:
        raise ConfigurationError(NO_SOURCE.format(source=source))
    Walks(target.bucket()).begin(source)
    said = f"{source}: the next poll begins a reconciliation"
    typer.echo(json.dumps({"source": source}) if as_json else said)


def approve(
    source: SourceArgument,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Have a reconciliation take out as many assets as the last one found missing.

    A reconciliation that finds more than the source's `max_share` missing from the DAM takes out
    nothing and waits for this. Look at the DAM first. The next poll begins another one, which is
    refused again if even more is missing by then. Exit status: 0 approved · 2 nothing waits.

    Example: pim-connector assets approve bynder
    """
    from pim_connector.assets.reconcile import Walks
    from pim_connector.assets.reconcile import approve as note
    from pim_connector.aws.table import Table

    target = connect_stack(stack, profile, region)
    state = Table(target.client("dynamodb"), target.output("StateTable"))
    missing = note(state, source)
    if not missing:
        raise ConfigurationError(f"no reconciliation of {source} waits for an approval")
    Walks(target.bucket()).begin(source)
    said = f"{source}: the next poll may take out up to {missing} assets"
    typer.echo(json.dumps({"source": source, "missing": missing}) if as_json else said)
