"""What the emulator leaves out or gets wrong, put right through the ordinary AWS APIs.

Nothing here runs against AWS, and nothing here is needed there:

- MiniStack's CloudFormation drops a table's TimeToLiveSpecification without a word.
- Function URLs that it gives name hosts of AWS; it answers to the same names below localhost.
- Its IAM wants rights named after SQS's batch calls; AWS knows no such rights, a batch needs those
  of the single call
  (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import boto3

from local.stack.emulator import REGION, credentials
from local.stack.existence import listed

TIME_TO_LIVE_ATTRIBUTE = "expires_at"
BATCHES = {
    "sqs:SendMessage": "sqs:SendMessageBatch",
    "sqs:DeleteMessage": "sqs:DeleteMessageBatch",
    "sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch",
}


def session() -> boto3.Session:
    """A session as the emulator's root user, whatever profile the shell has."""
    keys = credentials()
    return boto3.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


def apply(stack_name: str, endpoint: str) -> None:
    """Put all of it right in a stack that was just deployed; doing it again changes nothing."""
    cloudformation = session().client("cloudformation", endpoint_url=endpoint)
    resources = [(one.kind, one.physical) for one in listed(cloudformation, stack_name)]
    _turn_on_time_to_live(_names(resources, "AWS::DynamoDB::Table"), endpoint)
    _allow_batches(_names(resources, "AWS::IAM::Role"), endpoint)


def on_this_machine(outputs: Mapping[str, str], endpoint: str) -> dict[str, str]:
    """Return a stack's outputs with the addresses of functions as a browser here reaches them."""
    port = endpoint.rpartition(":")[2]
    there, here = r"https://([^/.]+\.lambda-url\.[^/.]+)\.on\.aws", rf"http://\1.localhost:{port}"
    return {name: re.sub(there, here, text) for name, text in outputs.items()}


def with_batches(document: dict[str, Any]) -> dict[str, Any]:
    """Add the batch calls to a policy that allows the single ones."""
    statements = []
    for statement in document["Statement"]:
        actions = statement["Action"]
        actions = [actions] if isinstance(actions, str) else actions
        batches = [BATCHES[action] for action in actions if action in BATCHES]
        statements.append({**statement, "Action": list(dict.fromkeys([*actions, *batches]))})
    return {**document, "Statement": statements}


def _turn_on_time_to_live(tables: list[str], endpoint: str) -> None:
    dynamodb = session().client("dynamodb", endpoint_url=endpoint)
    for table in tables:
        described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if described.get("TimeToLiveStatus", "DISABLED") == "DISABLED":
            dynamodb.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={
                    "AttributeName": TIME_TO_LIVE_ATTRIBUTE,
                    "Enabled": True,
                },
            )


def _allow_batches(roles: list[str], endpoint: str) -> None:
    iam = session().client("iam", endpoint_url=endpoint)
    for role in roles:
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            wider = with_batches(document)
            if wider != document:
                iam.put_role_policy(
                    RoleName=role, PolicyName=name, PolicyDocument=json.dumps(wider)
                )


def _names(resources: list[tuple[str, str]], kind: str) -> list[str]:
    return [name for found, name in resources if found == kind]
