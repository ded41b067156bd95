"""`console`: opens the console in a browser, signed in by a one-time code."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from cli.target import ProfileOption, RegionOption, StackOption, connect

if TYPE_CHECKING:
    from cli.target import Target

app = typer.Typer()


@app.command()
def console(
    show: Annotated[
        bool, typer.Option("--show", help="Only show the address and the code; open no browser.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Open the console in the browser, signed in with your AWS rights.

    The code is good for five minutes and for one use. Whoever may write the stack's state table may
    make one; users of the PIM open the console there instead, where the app is connected.

    Example: pim-connector console
    """
    target = connect(stack, profile, region)
    address = target.output("ConsoleUrl").rstrip("/")
    code = _code(target)
    here = f"{address}/sign-in?code={quote(code)}"
    if as_json:
        typer.echo(json.dumps({"url": address, "code": code, "sign_in": here}))
        return
    if show or not _opened(here):
        typer.echo(f"Open {address}/sign-in and enter the code {code}")
        typer.echo("It is good for five minutes, once.")
        return
    typer.echo(f"Opened {address}")


def sign_in_address(target: Target) -> str:
    """Return an address that signs whoever opens it in, once and within five minutes."""
    address = target.output("ConsoleUrl").rstrip("/")
    return f"{address}/sign-in?code={quote(_code(target))}"


def _code(target: Target) -> str:
    from pim_connector.aws.table import Table
    from pim_connector.console.sessions import OneTime, issue_code

    arn = target.identity()
    table = Table(target.client("dynamodb"), target.output("StateTable"))
    return issue_code(OneTime(table, now=time.time), subject=arn, name=arn.rpartition("/")[2])


def _opened(address: str) -> bool:
    import webbrowser

    try:
        return webbrowser.open(address)
    except webbrowser.Error:
        return False
