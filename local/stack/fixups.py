"""What CloudFormation in the emulator leaves out, set through the ordinary AWS APIs.

MiniStack drops a table's TimeToLiveSpecification without a word. Nothing here runs against AWS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from local.stack.emulator import REGION, credentials

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

TIME_TO_LIVE_ATTRIBUTE = "expires_at"


def session() -> boto3.Session:
    """A session as the emulator's root user, whatever profile the shell has."""
    keys = credentials()
    return boto3.Session(
        aws_access_key_id=keys["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=keys["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )


def apply(stack_name: str, endpoint: str) -> None:
    """Turn on what the template asks for and the emulator's CloudFormation ignored."""
    cloudformation = session().client("cloudformation", endpoint_url=endpoint)
    dynamodb = session().client("dynamodb", endpoint_url=endpoint)
    for table in _tables(cloudformation, stack_name):
        described = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        if described.get("TimeToLiveStatus", "DISABLED") == "DISABLED":
            dynamodb.update_time_to_live(
                TableName=table,
                TimeToLiveSpecification={
                    "AttributeName": TIME_TO_LIVE_ATTRIBUTE,
                    "Enabled": True,
                },
            )


def _tables(cloudformation: CloudFormationClient, stack_name: str) -> list[str]:
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack_name)
    return [
        resource["PhysicalResourceId"]
        for page in pages
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::DynamoDB::Table"
    ]
