"""`doctor`: what is not as it should be, and what to do about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from cli.statuses import FAILED
from cli.target import ProfileOption, RegionOption, StackOption, connect

app = typer.Typer()
MARKS = {"ok": "ok     ", "note": "note   ", "warning": "warning", "problem": "PROBLEM"}


@app.command()
def doctor(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object per finding on standard output.")
    ] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Look at credentials, rights, bucket, queues, tables, schedules, clock, mappings and runs.

    Changes nothing. Exit status 1 if there is a problem.

    Example: pim-connector doctor --json
    """
    import msgspec

    from cli.findings import examine

    target = connect(stack, profile, region)
    troubled = False
    for finding in examine(target, lambda: datetime.now(UTC)):
        troubled = troubled or finding.level == "problem"
        if as_json:
            typer.echo(msgspec.json.encode(finding).decode())
            continue
        typer.echo(f"{MARKS[finding.level]}  {finding.about:10} {finding.found}")
        if finding.advice:
            typer.echo(f"{'':20} → {finding.advice}")
    raise typer.Exit(FAILED if troubled else 0)
