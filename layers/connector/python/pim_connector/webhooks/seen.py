"""Remembers deliveries, so that a call that was recorded cannot be played back.

A delivery is claimed before it is queued and settled after. A claim that was never settled (the
function died) runs out within a minute, so the DAM's own repetition is then taken.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

CLAIM_SECONDS = 60
REMEMBER_SECONDS = 7 * 24 * 3600
"""For deliveries whose scheme signs no time; no DAM repeats one after a week."""


class SeenDeliveries:
    """Markers in the state table, taken away by its time to live (`expires_at`)."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, source: str, delivery: str, *, now: float) -> bool:
        """Take a delivery; False where it was taken before. TransientError without an answer."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={**_key(source, delivery), "expires_at": {"N": str(int(now) + CLAIM_SECONDS)}},
                ConditionExpression="attribute_not_exists(pk) OR expires_at < :now",
                ExpressionAttributeValues={":now": {"N": str(int(now))}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                return False
            raise TransientError(f"the delivery could not be noted: {error}") from error
        except BotoCoreError as error:
            raise TransientError(f"the delivery could not be noted: {error}") from error
        return True

    def settle(self, source: str, delivery: str, *, until: float) -> None:
        """Note that a claimed delivery is in the queue; it is refused until `until`."""
        item = {**_key(source, delivery), "expires_at": {"N": str(int(until))}}
        try:
            self._client.put_item(TableName=self._table, Item=item)
        except (ClientError, BotoCoreError) as error:
            raise TransientError(f"the delivery could not be noted: {error}") from error

    def release(self, source: str, delivery: str) -> None:
        """Give a claim back, because the delivery did not get into the queue."""
        try:
            self._client.delete_item(TableName=self._table, Key=_key(source, delivery))
        except (ClientError, BotoCoreError) as error:
            raise TransientError(f"the claim could not be given back: {error}") from error


def _key(source: str, delivery: str) -> dict[str, AttributeValueTypeDef]:
    digest = blake2b(delivery.encode("utf-8", "replace"), digest_size=20).hexdigest()
    return {"pk": {"S": f"delivery#{source}#{digest}"}}
