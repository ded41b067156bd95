"""`up`, `down`, `status`: the whole stack on this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from local.stack.record import RunningStack

app = typer.Typer()
LABELS = {"akeneo": "PIM", "dam": "DAM", "aws": "AWS"}
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.command()
def up() -> None:
    """Start the local stack: emulated AWS, simulated PIM, the deployed functions.

    Example: pim-connector up
    """
    from local.stack import lifecycle, record
    from local.stack.deployment import DeploymentError
    from local.stack.servers import ServerError

    running = record.read()
    if running:
        typer.echo("It was up already.")
    else:
        try:
            running = lifecycle.up(tell=typer.echo)
        except (ServerError, DeploymentError) as error:
            raise ConnectorError(str(error)) from error
    typer.echo(_how_to_use(running))


@app.command()
def down() -> None:
    """Stop the local stack and forget what was in it.

    Example: pim-connector down
    """
    from local.stack import lifecycle

    typer.echo("Stopped." if lifecycle.down() else "The local stack is not up.")


@app.command()
def status(as_json: JsonOption = False) -> None:
    """Say which parts of the local stack run, and where. Exit status 1 if it is not up.

    Example: pim-connector status --json
    """
    from local.stack import record

    running = record.read()
    servers = running.servers if running else {}
    if as_json:
        typer.echo(json.dumps({name: server.url for name, server in servers.items()}))
    else:
        for name, server in servers.items():
            typer.echo(f"{LABELS.get(name, name):6} {server.url}   log {server.log}")
        if not running:
            typer.echo("The local stack is not up. Start it with `make up`.")
    raise typer.Exit(0 if running else 1)


def _how_to_use(running: RunningStack) -> str:
    from cli.console import sign_in_address
    from cli.target import connect_local

    target = connect_local(running)
    bucket = target.outputs["Bucket"]
    lines = [
        "The local stack is up.",
        *(
            f"  {label:13} {running.servers[name].url}"
            for name, label in LABELS.items()
            if name in running.servers
        ),
        f"  bucket        {bucket}",
        "",
        "The console, signed in; the code in the address is good for five minutes, once:",
        f"  {sign_in_address(target)}",
        "and again at any time:",
        "  .venv/bin/pim-connector console",
        "",
        "Import an export of your own:",
        "  .venv/bin/pim-connector import export.xml --source erp --mapping mapping.yaml",
        "Look at it:",
        "  .venv/bin/pim-connector runs",
        "Have pictures come from the DAM, linked to the sample's products:",
        "  make demo",
        "Use any AWS tool on it:",
        f"  export AWS_ENDPOINT_URL={running.endpoint} AWS_DEFAULT_REGION=us-east-1",
        "  export AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=test",
        f"  aws s3 cp export.xml s3://{bucket}/incoming/erp/",
        "Stop it:",
        "  make down",
    ]
    return "\n".join(lines)
