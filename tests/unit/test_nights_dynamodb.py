"""The simulation's DynamoDB answers as moto's does, which other people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.nights.aws.dynamodb import DynamoDB
from tests.nights.aws.faults import Faults


@pytest.fixture(scope="module")
def moto_client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName="t",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield client


CONDITIONS = [
    None,
    "attribute_not_exists(pk)",
    "attribute_exists(#a)",
    "#a = :x",
    "#a < :x OR attribute_not_exists(#a)",
    "attribute_exists(pk) AND NOT (#a >= :x)",
    "#a IN (:x, :y)",
    "#a BETWEEN :x AND :y",
]
UPDATES = ["SET #a = :x", "ADD #a :x", "SET #a = if_not_exists(#a, :y) + :x", "REMOVE #a"]
KEYS = st.sampled_from(["p", "q"])
CALLS = st.tuples(
    st.sampled_from(["put", "update", "delete", "transact"]),
    KEYS,
    KEYS,
    st.sampled_from(CONDITIONS),
    st.sampled_from(UPDATES),
    st.integers(-2, 5),
)


def call(client: Any, step: tuple[str, str, str, str | None, str, int]) -> str:
    kind, pk, sk, condition, update, x = step
    key = {"pk": {"S": pk}, "sk": {"S": sk}}
    used = (condition or "") + (update if kind in ("update", "transact") else "")
    options: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
    if "#a" in used:
        options["ExpressionAttributeNames"] = {"#a": "a"}
    values = {":x": {"N": str(x)}, ":y": {"N": str(x + 2)}}
    given_values = {name: value for name, value in values.items() if name in used}
    if given_values:
        options["ExpressionAttributeValues"] = given_values
    request = {"TableName": "t", **options}
    try:
        if kind == "put":
            client.put_item(Item=key | {"a": {"N": str(x)}}, **request)
        elif kind == "delete":
            client.delete_item(Key=key, **request)
        elif kind == "update":
            client.update_item(Key=key, UpdateExpression=update, **request)
        else:
            other = {"pk": {"S": pk}, "sk": {"S": "other"}}
            client.transact_write_items(
                TransactItems=[
                    {"Update": {"Key": key, "UpdateExpression": update, **request}},
                    {"Put": {"TableName": "t", "Item": other | {"a": {"N": "1"}}}},
                ]
            )
    except ClientError as error:
        reasons: Any = error.response.get("CancellationReasons", [])
        return error.response["Error"]["Code"] + str([r["Code"] for r in reasons])
    return "done"


def content(client: Any) -> list[Any]:
    found = []
    for pk in ("p", "q"):
        page = client.query(
            TableName="t",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": pk}},
        )
        found += page["Items"]
    return found


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(CALLS, max_size=8))
def test_any_series_of_writes_ends_as_it_does_with_moto(moto_client: Any, steps: list[Any]) -> None:
    ours = DynamoDB(Faults())
    ours.add_table("t", "pk", "sk")
    for item in content(moto_client):
        moto_client.delete_item(TableName="t", Key={"pk": item["pk"], "sk": item["sk"]})
    for step in steps:
        assert call(ours, step) == call(moto_client, step), step
    assert content(ours) == content(moto_client)
