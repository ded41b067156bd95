"""A token shared by all workers through one item of a DynamoDB table.

The item: `pk` = `token#<name>`, `access` and `refresh` (S), `issued` and `expires` (N, seconds
since the epoch). The table must be encrypted and readable by the connector only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.akeneo.tokens import Token
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

NO_TOKEN = "-"  # noqa: S105 - what is written where there is no refresh token


class DynamoDbTokenStore:
    """`name` tells connections apart, `product` and `assets` for example: one token each."""

    def __init__(self, client: DynamoDBClient, table: str, name: str) -> None:
        self._client = client
        self._table = table
        self._key = f"token#{name}"

    def load(self) -> Token | None:
        """Raises TransientError where DynamoDB does not answer."""
        try:
            answer = self._client.get_item(
                TableName=self._table, Key={"pk": {"S": self._key}}, ConsistentRead=True
            )
        except (ClientError, BotoCoreError) as error:
            raise TransientError(f"the PIM's token cannot be read from {self._table}") from error
        item = answer.get("Item")
        return _token(item) if item else None

    def save(self, token: Token, *, replaces: Token | None) -> Token:
        """Write it if the item is still the one that was read; else give the other worker's.

        Raises TransientError where DynamoDB does not answer.
        """
        try:
            self._put(token, replaces)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise TransientError(f"the PIM's token cannot be kept in {self._table}") from error
            return self.load() or token
        except BotoCoreError as error:
            raise TransientError(f"the PIM's token cannot be kept in {self._table}") from error
        return token

    def _put(self, token: Token, replaces: Token | None) -> None:
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": self._key},
            "access": {"S": token.access_token},
            "refresh": {"S": token.refresh_token or NO_TOKEN},
            "issued": {"N": repr(token.issued_at)},
            "expires": {"N": repr(token.expires_at)},
        }
        if replaces is None:
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
            return
        self._client.put_item(
            TableName=self._table,
            Item=item,
            ConditionExpression="attribute_not_exists(pk) OR access = :seen",
            ExpressionAttributeValues={":seen": {"S": replaces.access_token}},
        )


def _token(item: dict[str, AttributeValueTypeDef]) -> Token:
    refresh = item["refresh"]["S"]
    return Token(
        access_token=item["access"]["S"],
        refresh_token=None if refresh == NO_TOKEN else refresh,
        issued_at=float(item["issued"]["N"]),
        expires_at=float(item["expires"]["N"]),
    )
