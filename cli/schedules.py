"""`pause` and `resume`: the stack's schedules off and on, without deploying."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli.target import ProfileOption, RegionOption, StackOption, connect

if TYPE_CHECKING:
    from cli.target import Target

app = typer.Typer()
JsonOption = Annotated[
    bool, typer.Option("--json", help="One JSON object per schedule on standard output.")
]
State = Literal["ENABLED", "DISABLED"]
HOUSEKEEPING = "HousekeepingFunctionSweep"
"""Housekeeping's sweeps are never paused: runs under way have to end."""
KEPT = (
    *("Name", "GroupName", "ScheduleExpression", "ScheduleExpressionTimezone", "Target"),
    *("FlexibleTimeWindow", "Description", "StartDate", "EndDate", "KmsKeyArn"),
    "ActionAfterCompletion",
)
"""What has to be said again, because an update replaces the whole schedule.
https://docs.aws.amazon.com/scheduler/latest/APIReference/API_UpdateSchedule.html"""


@app.command()
def pause(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Switch the nightly sweep, DAM polls and reconciliations off, until `resume`.

    Uploads still start runs, unless ErpTrigger is `nightly`; runs under way go on to their end.

    Example: pim-connector pause
    """
    _switch("DISABLED", connect(stack, profile, region), as_json)


@app.command()
def resume(
    as_json: JsonOption = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Switch the stack's schedules on again. What was missed is done at their next time.

    Example: pim-connector resume
    """
    _switch("ENABLED", connect(stack, profile, region), as_json)


def schedules_of(target: Target) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the stack's schedules by logical id, as EventBridge Scheduler has them."""
    pages = target.client("cloudformation").get_paginator("list_stack_resources")
    scheduler = target.client("scheduler")
    for page in pages.paginate(StackName=target.name):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Scheduler::Schedule":
                name = resource["PhysicalResourceId"].rpartition("|")[2]
                yield resource["LogicalResourceId"], scheduler.get_schedule(Name=name)


def _switch(state: State, target: Target, as_json: bool) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    from pim_connector.errors import ConfigurationError

    scheduler = target.client("scheduler")
    try:
        for logical, schedule in schedules_of(target):
            if logical == HOUSEKEEPING:
                continue
            same = {name: schedule[name] for name in KEPT if name in schedule}
            scheduler.update_schedule(**same, State=state)
            _tell(logical, schedule, state, as_json)
    except (ClientError, BotoCoreError) as error:
        raise ConfigurationError(
            f"the schedules of {target.name} could not be switched: {error}. See whether your AWS "
            "profile may list the stack's resources and scheduler:UpdateSchedule (iam:PassRole too)"
        ) from error


def _tell(logical: str, schedule: dict[str, Any], state: State, as_json: bool) -> None:
    when = schedule["ScheduleExpression"]
    zone = schedule.get("ScheduleExpressionTimezone", "UTC")
    if as_json:
        found = {"schedule": logical, "expression": when, "time_zone": zone, "state": state}
        typer.echo(json.dumps(found))
    else:
        typer.echo(f"{'on' if state == 'ENABLED' else 'off':4} {logical}: {when}, {zone}")
