"""Two stacks side by side in one account and region: each has all that is its own, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.imports import ended, put_mapping, upload
from cli.target import Target, connect_local
from local.demo.assortment import assortment
from local.demo.export import export
from local.stack import deployment, existence, fixups, lifecycle
from local.stack.builds import Build
from local.stack.existence import listed
from local.stack.record import RunningStack

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("default::ResourceWarning")]

OTHER = "pim-connector-development-of-the-north-1"
MAPPING = Path(lifecycle.CATALOG).with_name("mapping.yaml")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack with a DAM, and beside it another one without, for the same PIM."""
    directory = tmp_path_factory.mktemp("stack")
    with lifecycle.temporary(directory=directory, tell=lambda _: None) as running:
        secrets = fixups.session().client("secretsmanager", endpoint_url=running.endpoint)
        deployment.deploy(
            Build(artifacts=Path(running.build), layers=directory),
            stack_name=OTHER,
            endpoint=running.endpoint,
            parameters={
                "AkeneoUrl": running.servers["akeneo"].url,
                "AkeneoSecretArn": secrets.describe_secret(SecretId=lifecycle.SECRET_NAME)["ARN"],
                "Dam": "DISABLED",
                "RunEmail": "runs@example.com",
                "Dashboard": "ENABLED",
            },
        )
        fixups.apply(OTHER, running.endpoint)
        yield running


@pytest.fixture(scope="module")
def first(running: RunningStack) -> Target:
    return connect_local(running)


@pytest.fixture(scope="module")
def second(first: Target, running: RunningStack) -> Target:
    client = first.client("cloudformation")
    [described] = client.describe_stacks(StackName=OTHER)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}
    return Target(name=OTHER, session=first.session, endpoint=running.endpoint, outputs=outputs)


def resources(target: Target) -> list[existence.Listed]:
    return list(listed(target.client("cloudformation"), target.name))


def test_each_stack_has_every_resource_that_cloudformation_lists(
    first: Target, second: Target
) -> None:
    for target in (first, second):
        assert target.endpoint
        assert existence.missing(target.name, target.session, target.endpoint) == []
    schedules = [
        {one.physical for one in resources(target) if one.kind == "AWS::Scheduler::Schedule"}
        for target in (first, second)
    ]
    assert (len(schedules[0]), len(schedules[1])) == (4, 2)
    assert not schedules[0] & schedules[1]


def test_what_is_gone_is_said_to_be_missing(second: Target) -> None:
    scheduler = second.client("scheduler")
    [sweep] = [one for one in resources(second) if one.logical == "SplitterFunctionNightlySweep"]
    schedule: dict[str, Any] = scheduler.get_schedule(Name=sweep.physical)
    scheduler.delete_schedule(Name=sweep.physical)
    assert second.endpoint

    [said] = existence.missing(OTHER, second.session, second.endpoint)

    assert said.startswith("SplitterFunctionNightlySweep (AWS::Scheduler::Schedule")
    kept = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
    foreign = {**{key: schedule[key] for key in kept}}
    foreign["Target"] = {**foreign["Target"], "Arn": foreign["Target"]["Arn"] + "-other"}
    scheduler.create_schedule(**foreign)
    [said] = existence.missing(OTHER, second.session, second.endpoint)
    assert said.endswith("is not there, or is another stack's")
    scheduler.update_schedule(**{key: schedule[key] for key in kept})
    assert existence.missing(OTHER, second.session, second.endpoint) == []


def test_a_stack_without_a_dam_has_no_part_of_one_and_no_address_for_it(second: Target) -> None:
    names = {one.logical for one in resources(second)}
    assert not [name for name in names if "Dam" in name or "Asset" in name]
    assert not [name for name in second.outputs if "Dam" in name or "Asset" in name]


def test_names_that_cloudformation_makes_fit(second: Target) -> None:
    for one in resources(second):
        if one.kind in ("AWS::Lambda::Function", "AWS::IAM::Role", "AWS::Events::Rule"):
            assert len(one.physical.rpartition("|")[2]) <= 64, one


def test_a_run_of_one_stack_is_none_of_the_others_business(
    first: Target, second: Target, tmp_path: Path
) -> None:
    heard = hear(first)
    put_mapping(first, "shop", MAPPING)
    file = tmp_path / "monday.xml"
    file.write_bytes(export(assortment(1)))

    run = ended(first, upload(first, "shop", file), quiet=True)

    assert run.phase == "finished"
    told = messages(first, heard)
    assert {one["detail"]["stack"] for one in told} == {first.name}
    assert {one["detail-type"] for one in told} >= {"RunSettled", "RunFinished"}
    table = second.client("dynamodb").scan(TableName=second.outputs["RunTable"])
    assert table["Items"] == []
    for function in ("SplitterFunction", "HousekeepingFunction"):
        assert any(run.id in line for line in log(first, function)), "it is logged who did it"
        assert not any(run.id in line for line in log(second, function)), function


def hear(target: Target) -> str:
    """Have a queue hear all of our events on the bus that both stacks share."""
    sqs, events = target.client("sqs"), target.client("events")
    url: str = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(Name="hear", EventPattern=json.dumps({"source": ["pim-connector"]}))
    events.put_targets(Rule="hear", Targets=[{"Id": "queue", "Arn": arn["QueueArn"]}])
    return url


def messages(target: Target, url: str) -> list[dict[str, Any]]:
    sqs, found = target.client("sqs"), []
    while taken := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get(
        "Messages"
    ):
        for message in taken:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def log(target: Target, function: str) -> list[str]:
    group = next(
        one.physical
        for one in resources(target)
        if one.logical == function.replace("Function", "LogGroup")
    )
    events = target.client("logs").filter_log_events(logGroupName=group)["events"]
    return [event["message"] for event in events]
