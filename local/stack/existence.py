"""What CloudFormation says a stack has, held against what is there.

An emulator may say "Successfully created" and have nothing, or hand one stack what belongs to
another. A stack that is not whole is no stack to test with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import boto3
from botocore.exceptions import ClientError


class Listed(NamedTuple):
    """A resource as CloudFormation lists it."""

    logical: str
    kind: str
    physical: str
    status: str


Client = Callable[[str], Any]
Look = Callable[[Client, Listed, Mapping[str, str]], object]
"""Returns what was found; something false, or a ClientError, where nothing is there. The last
argument has the physical id of every resource of the stack."""


def missing(stack_name: str, session: boto3.Session, endpoint: str) -> list[str]:
    """Return a sentence for each resource of the stack, nested ones included, that is not there."""

    def client(service: str) -> Any:
        return session.client(service, endpoint_url=endpoint)  # type: ignore[call-overload]  # any service

    found = list(listed(client("cloudformation"), stack_name))
    physical = {one.logical: one.physical for one in found}
    return [said for one in found if (said := _problem(client, one, physical))]


def listed(cloudformation: Any, stack_name: str) -> Iterator[Listed]:
    """Return the resources of the stack and of the stacks nested in it."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    for page in pages:
        for one in page["StackResourceSummaries"]:
            resource = Listed(
                one["LogicalResourceId"],
                one["ResourceType"],
                one.get("PhysicalResourceId", ""),
                one["ResourceStatus"],
            )
            yield resource
            if resource.kind == "AWS::CloudFormation::Stack":
                yield from listed(cloudformation, resource.physical)


def _problem(client: Client, one: Listed, physical: Mapping[str, str]) -> str:
    name = f"{one.logical} ({one.kind}, {one.physical})"
    if not one.status.endswith("_COMPLETE"):
        return f"{name} is {one.status}"
    if one.kind not in _LOOKS:
        return f"{name}: nobody knows how to look for a {one.kind}: add it to {__name__}"
    try:
        there = _LOOKS[one.kind](client, one, physical)
    except ClientError as error:
        return f"{name} is not there: {error}"
    return "" if there else f"{name} is not there, or is another stack's"


def _schedule(client: Client, one: Listed, physical: Mapping[str, str]) -> bool:
    """One of that name may be another stack's: it has to start a function of this one."""
    name = one.physical.rpartition("|")[2].rpartition("/")[2]
    target = client("scheduler").get_schedule(Name=name)["Target"]["Arn"]
    return target.rpartition(":")[2] in physical.values()


def _rule(client: Client, one: Listed, _: Mapping[str, str]) -> object:
    name = one.physical.rpartition("|")[2].rpartition("/")[2]
    return client("events").list_targets_by_rule(Rule=name)["Targets"]


def _role(client: Client, one: Listed, _: Mapping[str, str]) -> object:
    return client("iam").get_role(RoleName=one.physical)


def _permission(client: Client, one: Listed, physical: Mapping[str, str]) -> object:
    """CloudFormation names a permission by its statement, of which function it does not say."""
    del one
    functions = [name for logical, name in physical.items() if logical.endswith("Function")]
    return any(_has_policy(client, name) for name in functions)


def _has_policy(client: Client, function: str) -> bool:
    try:
        return bool(client("lambda").get_policy(FunctionName=function)["Policy"])
    except ClientError:
        return False


def _layer(client: Client, one: Listed, _: Mapping[str, str]) -> object:
    return client("lambda").get_layer_version_by_arn(Arn=one.physical)


def _alarm(client: Client, one: Listed, _: Mapping[str, str]) -> object:
    return client("cloudwatch").describe_alarms(AlarmNames=[one.physical])["MetricAlarms"]


def _queue(client: Client, one: Listed, _: Mapping[str, str]) -> object:
    return client("sqs").get_queue_attributes(QueueUrl=one.physical, AttributeNames=["All"])


def _log_group(client: Client, one: Listed, _: Mapping[str, str]) -> object:
    return client("logs").describe_log_groups(logGroupNamePrefix=one.physical)["logGroups"]


def _taken_as_said(client: Client, one: Listed, _: Mapping[str, str]) -> bool:
    """A part of another resource, which is looked for, or which its own stack's list speaks for."""
    del client
    return bool(one.physical)


_LOOKS: Final[Mapping[str, Look]] = {
    "AWS::CloudFormation::Stack": _taken_as_said,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": lambda client, one, _: client("cloudwatch").get_dashboard(
        DashboardName=one.physical
    ),
    "AWS::DynamoDB::Table": lambda client, one, _: client("dynamodb").describe_table(
        TableName=one.physical
    ),
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Policy": _taken_as_said,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::EventInvokeConfig": _taken_as_said,
    "AWS::Lambda::EventSourceMapping": lambda client, one, _: client(
        "lambda"
    ).get_event_source_mapping(UUID=one.physical),
    "AWS::Lambda::Function": lambda client, one, _: client("lambda").get_function_configuration(
        FunctionName=one.physical
    ),
    "AWS::Lambda::LayerVersion": _layer,
    "AWS::Lambda::Permission": _permission,
    "AWS::Lambda::Url": _taken_as_said,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": lambda client, one, _: client("s3").head_bucket(Bucket=one.physical),
    "AWS::S3::BucketPolicy": _taken_as_said,
    "AWS::SNS::Topic": lambda client, one, _: client("sns").get_topic_attributes(
        TopicArn=one.physical
    ),
    "AWS::SNS::TopicPolicy": _taken_as_said,
    "AWS::SQS::Queue": _queue,
    "AWS::SQS::QueuePolicy": _taken_as_said,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SecretsManager::Secret": lambda client, one, _: client("secretsmanager").describe_secret(
        SecretId=one.physical
    ),
}
