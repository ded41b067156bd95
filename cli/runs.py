"""`runs`, `show RUN`, `rejects RUN`: what came in, and what became of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import files
from cli.statuses import REJECTED
from cli.target import ProfileOption, RegionOption, StackOption, connect
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.outcomes import RecordOutcome
    from pim_connector.sync.runs import Run

app = typer.Typer()
RunArgument = Annotated[str, typer.Argument(help="Id of the run, as `runs` lists it.")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
HtmlOption = Annotated[
    Path | None, typer.Option("--html", help="Write the run's report page to this file.")
]


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the newest first.")] = 20,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List the runs, the newest first. With --json one object per line.

    Example: pim-connector runs --limit 5
    """
    from itertools import islice

    from cli import summary
    from pim_connector.sync.runs import Registry

    registry = Registry(connect(stack, profile, region).run_table())
    names = islice(registry.all_runs(), limit)
    found = [run for name in names if (run := registry.get(name.run))]
    if as_json:
        for run in found:
            typer.echo(json.dumps(summary.as_json(run)))
    elif found:
        _print(summary.runs_table(found))
    else:
        typer.echo("No run yet. The first: pim-connector import FILE --source NAME --mapping FILE")


@app.command()
def show(
    run: RunArgument,
    as_json: JsonOption = False,
    html: HtmlOption = None,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Show one run: its file, its phase, how it ended, its counts by state.

    With --html its report page is written to a file instead; the run makes it when it ends.

    Example: pim-connector show 20261120T220000Z-erp-1a2b3c4d5e

    Example: pim-connector show 20261120T220000Z-erp-1a2b3c4d5e --html report.html
    """
    from cli import summary
    from cli.findings import outage, standstill
    from pim_connector.sync.runs import outcome, why

    target = connect(stack, profile, region)
    found = find(target, run)
    if html is not None:
        _save_page(target, found, html)
        return
    if as_json:
        waits = standstill(outage(target)) if found.finished_at is None else None
        typer.echo(json.dumps(summary.as_json(found) | {"waits": waits}))
        return
    size = f" ({found.size:,} bytes)" if found.size else ""
    typer.echo(f"file     {found.file or found.key}{size}")
    typer.echo(f"phase    {found.phase}")
    typer.echo(f"outcome  {outcome(found) or 'not ended yet'}")
    if reason := why(found):
        typer.echo(f"why      {reason}")
    if found.finished_at is None and (reason := standstill(outage(target))):
        typer.echo(f"waits    {reason}")
    typer.echo(f"noticed  {found.registered_at}")
    took = summary.seconds(found)
    after = "" if took is None else f", after {took:,.0f} seconds"
    typer.echo(f"ended    {found.finished_at or 'not yet'}{after}")
    typer.echo(f"report   {found.report or 'not yet'}")
    if found.of:
        typer.echo(f"what     {found.kind} of run {found.of}")
    if found.missing is not None:
        typer.echo(f"missing  {found.missing:,} products that the last full export held")
    if found.notes:
        typer.echo(f"notes    {found.notes}")
    _print(summary.counts_table(found))


@app.command()
def rejects(
    run: RunArgument,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """List the rejected records of a run with their reasons. With --json one object per line.

    Exit status 3 if there are any. Example: pim-connector rejects 20261120T220000Z-erp-1a2b3c4d5e
    """
    import msgspec

    from cli import summary

    target = connect(stack, profile, region)
    found = rejections(target, find(target, run).id)
    if as_json:
        for outcome in found:
            typer.echo(msgspec.json.encode(outcome))
    elif found:
        _print(summary.rejections_table(found))
    else:
        typer.echo("No record was rejected.")
    raise typer.Exit(REJECTED if found else 0)


def find(target: Target, run_id: str) -> Run:
    """Read one run; ConfigurationError if the stack does not know it."""
    from pim_connector.sync.runs import Registry

    run = Registry(target.run_table()).get(run_id)
    if run is None:
        raise ConfigurationError(f"stack {target.name} has no run {run_id}; see `runs`")
    return run


def rejections(target: Target, run_id: str) -> list[RecordOutcome]:
    """Give the rejected records in the order of the file, whoever rejected them.

    Assets are numbered within their message only, and may come several times a day: of each the
    last outcome counts.
    """
    from pim_connector.products.decisions import kept
    from pim_connector.sync.message_results import Deliveries

    booked = sorted(Deliveries(target.run_table()).messages(run_id), key=lambda one: one.at)
    outcomes: dict[int | str | None, RecordOutcome] = {}
    for outcome in (outcome for message in booked for outcome in message.outcomes):
        key = outcome.identifier if outcome.resource == "asset" else outcome.number
        outcomes[key] = outcome
    outcomes |= {one.outcome.number: one.outcome for one in kept(target.bucket(), run_id)}
    rejected = [outcome for outcome in outcomes.values() if outcome.state == "rejected"]
    return sorted(rejected, key=lambda outcome: outcome.number)


def _save_page(target: Target, run: Run, file: Path) -> None:
    try:
        page = target.bucket().get(f"reports/{run.id}/report.html")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"run {run.id} has no report page yet: it is written when the run ends"
        ) from error
    files.write(file, page)
    typer.echo(f"written to {file}")


def _print(table: object) -> None:
    from rich.console import Console

    Console(highlight=False).print(table)
