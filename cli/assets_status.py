"""`pim-connector assets status`: how far each DAM source was read and sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.target import ProfileOption, RegionOption, StackOption
from cli.target import connect as connect_stack

if TYPE_CHECKING:
    from pim_connector.aws.table import Table

FOLDER = "config/dam/"


def status(
    source: Annotated[str | None, typer.Argument(help="One DAM source; without it, all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show when each DAM source was last read to its end, and assets of each family last sent.

    Times are UTC. Exit status: 0 · 1 there is no such source.

    Example: pim-connector assets status bynder
    """
    from pim_connector.aws.table import Table

    target = connect_stack(stack, profile, region)
    keys = target.bucket().keys(FOLDER)
    names = [key.removeprefix(FOLDER)[:-5] for key in keys if key.endswith(".yaml")]
    if source is not None and source not in names:
        typer.echo(f"{source}: there is no {FOLDER}{source}.yaml in the bucket", err=True)
        raise typer.Exit(1)
    state = Table(target.client("dynamodb"), target.output("StateTable"))
    for name in [source] if source else names:
        found = status_of(state, name)
        typer.echo(json.dumps(found) if as_json else _words(found))


def status_of(state: Table, source: str) -> dict[str, Any]:
    """Read what the poller and the asset mapper have written down of a source."""
    from pim_connector.assets.state import FamilyTimes
    from pim_connector.dam.polling import CursorTable

    waiting = state.get({"pk": f"reconcile#{source}"})
    return {
        "source": source,
        "read_to_the_end": _time(CursorTable(state).finished_at(source)),
        "families": {f: _time(at) for f, at in sorted(FamilyTimes(state).of(source).items())},
        "waits_for_approval": int(waiting["missing"]) if waiting else None,
    }


def _time(at: int | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _words(found: dict[str, Any]) -> str:
    lines = [f"{found['source']}: read to the end {found['read_to_the_end'] or 'never yet'}"]
    lines += [f"  {family}: last sent {at}" for family, at in found["families"].items()]
    if found["waits_for_approval"]:
        lines.append(f"  {found['waits_for_approval']} missing assets wait for `assets approve`")
    return "\n".join(lines)
