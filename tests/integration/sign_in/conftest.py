"""A stack's tables and secret in emulated AWS, a clock that tests move, and the door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.integration.sign_in.house import KEY, START, Clock, House


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def house(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        table(dynamodb, "StateTable", "pk")
        table(dynamodb, "RunTable", "pk", "sk")
        secrets = boto3.client("secretsmanager")
        secrets.create_secret(Name="akeneo", SecretString=json.dumps({"username": "erp"}))
        yield House(clock=clock, key=KEY)


def table(dynamodb: Any, name: str, *keys: str) -> None:
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": key, "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
        ],
    )
