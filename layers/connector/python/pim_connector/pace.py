"""Keeps all workers together within the PIM's limit of option writes.

Akeneo allows three creations or updates of attribute options a second per PIM, whoever makes them
(https://api.akeneo.com/documentation/good-practices.html). The next free slot is one item of the
state table; a worker takes it by a conditional write and then waits for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

SLOT_MILLISECONDS = 350
"""A little more than a third of a second, for the clocks of different machines."""
ATTEMPTS = 50


class OptionPace:
    """One slot after another for writes of attribute options, shared through DynamoDB."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        slot_milliseconds: int = SLOT_MILLISECONDS,
    ) -> None:
        self._client = client
        self._table = table
        self._now = now
        self._sleep = sleep
        self._slot = slot_milliseconds

    def wait(self) -> None:
        """Take the next slot and wait until it has come; call it before each option write.

        Raises TransientError where DynamoDB does not answer or too many workers want slots.
        """
        for _ in range(ATTEMPTS):
            now = int(self._now() * 1000)
            try:
                seen = self._next_free()
                start = max(now, seen or 0)
                self._take(seen, start + self._slot)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ConditionalCheckFailedException":
                    continue
                raise TransientError(f"no slot for an option write: {error}") from error
            except BotoCoreError as error:
                raise TransientError(f"no slot for an option write: {error}") from error
            if start > now:
                self._sleep((start - now) / 1000)
            return
        raise TransientError("no slot for an option write: too many workers want one")

    def _next_free(self) -> int | None:
        answer = self._client.get_item(
            TableName=self._table, Key={"pk": {"S": "options-slot"}}, ConsistentRead=True
        )
        item = answer.get("Item")
        return int(item["next"]["N"]) if item else None

    def _take(self, seen: int | None, then: int) -> None:
        values: dict[str, AttributeValueTypeDef] = {":then": {"N": str(then)}}
        if seen is not None:
            values[":seen"] = {"N": str(seen)}
        self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": "options-slot"}},
            UpdateExpression="SET #n = :then",
            ConditionExpression="attribute_not_exists(pk)" if seen is None else "#n = :seen",
            ExpressionAttributeNames={"#n": "next"},
            ExpressionAttributeValues=values,
        )
