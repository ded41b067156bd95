"""`replay`, `revert`, `approve`, `discard`, `redrive`: what operators do about what went wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.imports import FamilyOption, conclude, force_asked
from cli.runs import JsonOption, RunArgument, find
from cli.target import ProfileOption, RegionOption, StackOption, connect
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.products.reverting import RevertPlan

app = typer.Typer()
WaitOption = Annotated[bool, typer.Option(help="Stay until the new run has ended.")]
QUEUES = {
    "product": ("ProductDeadLetterQueue", "ProductQueue"),
    "asset": ("AssetDeadLetterQueue", "AssetQueue"),
}


@app.command()
def replay(
    run: RunArgument,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Only the records that were rejected.")
    ] = False,
    record: Annotated[
        list[int] | None,
        typer.Option(help="Only the record of this number; may be given several times."),
    ] = None,
    identifier: Annotated[
        list[str] | None,
        typer.Option(help="Only records of this product; may be given several times."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Send everything, changed or not.")] = False,
    family: FamilyOption = None,
    wait: WaitOption = True,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Send records of a run again, with the mapping of today, as a new run.

    Without a choice it is the whole file. Nothing that is newer in the PIM is overwritten: such
    records are `superseded`. Exit status 3 if records were rejected again.

    Example: pim-connector replay 20261120T220000Z-erp-1a2b3c4d5e --rejected
    """
    from pim_connector.products.replaying import Selection
    from pim_connector.products.replaying import replay as send_again

    target = connect(stack, profile, region)
    selection = Selection(
        rejected=rejected,
        numbers=frozenset(record or ()),
        identifiers=frozenset(identifier or ()),
    )
    force = force_asked(full, family, None)
    found = find(target, run)
    job = send_again(found, selection, target.replays(), force=force)
    target.note_run(found.id, "sent records again", led_to=job.id)
    conclude(target, job.id, wait=wait, as_json=as_json)


@app.command()
def revert(
    run: RunArgument,
    yes: Annotated[
        bool, typer.Option("--yes/--dry-run", help="Do it. Default: only say what would be done.")
    ] = False,
    wait: WaitOption = True,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Undo what a run changed, from the values the PIM had before (sources with `reversible`).

    Says what it would do, and does it with --yes. What a newer file says, and what somebody edited
    in the PIM since, stays.

    Example: pim-connector revert 20261120T220000Z-erp-1a2b3c4d5e --dry-run
    """
    from pim_connector.products.reverting import plan_revert
    from pim_connector.products.reverting import revert as undo

    target = connect(stack, profile, region)
    found, parts = find(target, run), target.jobs()
    plan = plan_revert(found, parts)
    if not yes:
        _show_plan(plan, as_json=as_json)
        return
    job = undo(found, plan, parts)
    target.note_run(found.id, "reverted this run", led_to=job.id)
    conclude(target, job.id, wait=wait, as_json=as_json)


@app.command()
def approve(
    run: RunArgument,
    wait: WaitOption = True,
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Do what a run on hold waits for: disable products that a full export no longer holds.

    `show RUN` says what waits for your word, reports/RUN/missing.csv in the bucket which products.
    Who decided, and when, is kept with the run.

    Example: pim-connector approve 20261120T220000Z-erp-1a2b3c4d5e
    """
    from pim_connector.products.missing import approve as disable

    target = connect(stack, profile, region)
    found = find(target, run)
    job = disable(found, target.jobs(), target.actor())
    target.note_decision(found, "approved", led_to=job.id)
    conclude(target, job.id, wait=wait, as_json=as_json)


@app.command()
def discard(
    run: RunArgument,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Leave the PIM as it is instead of doing what a run on hold waits for.

    The products stay enabled, and the next full export is compared with the same earlier one. Who
    decided, and when, is kept with the run.

    Example: pim-connector discard 20261120T220000Z-erp-1a2b3c4d5e
    """
    from pim_connector.products.missing import discard as leave

    target = connect(stack, profile, region)
    found = find(target, run)
    leave(found, target.jobs(), target.actor())
    target.note_decision(found, "discarded")
    typer.echo(f"Discarded: the products that {found.id} lacks stay enabled.")


@app.command()
def redrive(
    queue: Annotated[
        str, typer.Argument(metavar="product|asset|all", help="Whose dead letters.")
    ] = "all",
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Put dead letters back into their queues, after their cause is fixed.

    Example: pim-connector redrive product
    """
    from pim_connector.aws.queue import redrive as put_back

    names = list(QUEUES) if queue == "all" else [queue]
    if not QUEUES.keys() >= set(names):
        raise ConfigurationError(f"{queue}: expected product, asset or all")
    target = connect(stack, profile, region)
    sqs = target.client("sqs")
    moved = {}
    for name in names:
        dead_letters, live = (target.output(output) for output in QUEUES[name])
        moved[name] = put_back(sqs, dead_letters, live).messages
    if as_json:
        typer.echo(json.dumps(moved))
    else:
        for name, messages in moved.items():
            typer.echo(f"{name}: {messages} messages put back")


def _show_plan(plan: RevertPlan, *, as_json: bool) -> None:
    told = {
        "products": len(plan.products),
        "disabled": plan.disabled,
        "superseded": plan.superseded,
        "models_created": plan.models_created,
        "values": dict(plan.values.most_common()),
    }
    if as_json:
        typer.echo(json.dumps(told))
        return
    typer.echo(f"{told['products']:>8,} products would be set back")
    typer.echo(f"{told['disabled']:>8,} of them were created by the run: they would be disabled")
    typer.echo(f"{told['superseded']:>8,} stay: a newer file has something to say about them")
    typer.echo(f"{told['models_created']:>8,} product models were created by the run and stay")
    for name, number in plan.values.most_common(20):
        typer.echo(f"         {name}: {number:,}")
    typer.echo("Nothing was sent. Do it with --yes.")
