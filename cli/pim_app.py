"""`pim-connector app`: the connector as an App of the PIM, and its tabs in the PIM's pages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.target import ProfileOption, RegionOption, StackOption, connect

if TYPE_CHECKING:
    from cli.target import Target

app = typer.Typer(help="The connector as an App of the PIM, and its tabs in the PIM's pages.")
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@app.command("connect")
def connect_app(
    client_id: Annotated[
        str | None, typer.Option(help="Client id, as the PIM showed it. Asked for if missing.")
    ] = None,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Enter the client id and secret of the app that was created in the PIM.

    Create it there first (Connect › App Store › Create an App) with the two addresses that this
    command shows. The secret is asked for, goes to AWS Secrets Manager, and is never an argument.
    Then press Connect in the PIM.

    Example: pim-connector app connect
    """
    from pim_connector.console.app_connection import AppSecret, checked_app

    target = connect(stack, profile, region)
    address = target.output("ConsoleUrl").rstrip("/")
    if not as_json:
        typer.echo(f"Activate URL  {address}/app/activate")
        typer.echo(f"Callback URL  {address}/app/callback")
    shown = client_id or typer.prompt("Client id", err=True)
    hidden = typer.prompt("Client secret", hide_input=True, err=True)
    app = checked_app(shown, hidden)
    secret = AppSecret(target.client("secretsmanager"), target.output("AkeneoSecret"))
    secret.keep_app(app)
    told = {"client_id": app.client_id, "activate_url": f"{address}/app/activate"}
    done = "Kept. Now press Connect in the PIM: Connect › App Store."
    typer.echo(json.dumps(told) if as_json else done)


@app.command()
def extend(
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the tabs and actions out of the PIM again.")
    ] = False,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Put the console's tabs and actions into the PIM's pages, where its edition has extensions.

    A tab on products and models says where their values come from; a tab in Activity shows the
    imports; an action sends products again from the last export. Saying it again changes nothing.

    Example: pim-connector app extend
    """
    from pim_connector.console import extensions
    from pim_connector.console.app_connection import AppSecret

    target = connect(stack, profile, region)
    kept = AppSecret(target.client("secretsmanager"), target.output("AkeneoSecret"))
    kept.update(app_extensions="" if remove else "wanted")
    with target.pim() as pim:
        if remove:
            gone = extensions.unregister(pim)
            typer.echo(json.dumps({"removed": gone}) if as_json else f"{len(gone)} taken out")
            return
        secret = extensions.extension_secret(_key(target))
        done = extensions.register(pim, target.output("ConsoleUrl"), secret)
    counts = {
        "created": done.created,
        "updated": done.updated,
        "removed": done.removed,
    }
    words = ", ".join(f"{len(names)} {what}" for what, names in counts.items())
    typer.echo(json.dumps(counts) if as_json else f"Tabs and actions in the PIM: {words}")


def _key(target: Target) -> bytes:
    from pim_connector.console.sessions import read_key

    return read_key(target.client("secretsmanager"), target.output("ConsoleKey"))
