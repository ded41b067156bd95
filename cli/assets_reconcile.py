"""`pim-connector assets approve`: an operator's word on a reconciliation that waits for it."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.target import ProfileOption, RegionOption, StackOption
from cli.target import connect as connect_stack


def approve(
    source: Annotated[str, typer.Argument(help="The DAM source, as in config/dam/<source>.yaml.")],
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Let the next reconciliation take out as many assets as the last one found missing.

    A reconciliation that finds more than the source's `max_share` missing from the DAM takes out
    nothing and waits for this. Look at the DAM first. Exit status: 0 approved · 1 nothing waits.

    Example: pim-connector assets approve bynder
    """
    from pim_connector.assets.reconcile import approve as note
    from pim_connector.runs.table import RunTable

    target = connect_stack(stack, profile, region)
    state = RunTable(target.client("dynamodb"), target.outputs["StateTable"])
    missing = note(state, source)
    if not missing:
        typer.echo(f"{source}: no reconciliation waits for an approval", err=True)
        raise typer.Exit(1)
    typer.echo(f"{source}: the next reconciliation may take out up to {missing} assets")
