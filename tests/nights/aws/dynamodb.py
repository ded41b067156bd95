"""A DynamoDB client over dictionaries: conditions, updates, queries, batches, transactions.

Limits that callers must keep (keys a read, items a write, actions a transaction, item size) are
enforced, as code that passes them works here and fails on AWS.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from botocore.exceptions import ClientError

from tests.nights.aws.client_meta import ClientMeta
from tests.nights.aws.expressions import Item, parse_condition, parse_update
from tests.nights.aws.faults import Faults, refusal

MAX_ITEM_BYTES = 400 * 1024
Key = tuple[str, ...]


class _Exceptions:
    ClientError = ClientError
    ConditionalCheckFailedException = ClientError
    TransactionCanceledException = ClientError


class DynamoDB:
    """The part of boto3's DynamoDB client that the connector uses."""

    exceptions = _Exceptions
    meta = ClientMeta()

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.tables: dict[str, dict[Key, Item]] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._partitions: dict[tuple[str, str], set[Key]] = defaultdict(set)
        self.unprocessed = 0

    def add_table(self, name: str, *keys: str) -> None:
        self.tables[name], self._keys[name] = {}, keys

    def get_item(self, *, TableName: str, Key: Item, **_: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.get_item")
        item = self._table(TableName).get(self._key(TableName, Key))
        return {"Item": _copied(item)} if item is not None else {}

    def put_item(self, *, TableName: str, Item: Item, **options: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.put_item")
        self._do("Put", {"TableName": TableName, "Item": Item, **options}, "PutItem")
        self._faults.after("dynamodb.put_item")
        return {}

    def delete_item(self, *, TableName: str, Key: Item, **options: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.delete_item")
        self._do("Delete", {"TableName": TableName, "Key": Key, **options}, "DeleteItem")
        self._faults.after("dynamodb.delete_item")
        return {}

    def update_item(self, *, TableName: str, Key: Item, **options: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.update_item")
        old = _copied(self._table(TableName).get(self._key(TableName, Key), {}))
        self._do("Update", {"TableName": TableName, "Key": Key, **options}, "UpdateItem")
        self._faults.after("dynamodb.update_item")
        wanted = options.get("ReturnValues", "NONE")
        if wanted == "ALL_NEW":
            return {"Attributes": _copied(self._table(TableName)[self._key(TableName, Key)])}
        return {"Attributes": old} if wanted == "ALL_OLD" else {}

    def query(
        self, *, TableName: str, KeyConditionExpression: str, **options: Any
    ) -> dict[str, Any]:
        self._faults.before("dynamodb.query")
        condition = parse_condition(KeyConditionExpression)
        names, values = _given(options)
        partition = values[":pk"]["S"]
        table = self._table(TableName)
        items = (table[place] for place in sorted(self._partitions[TableName, partition]))
        found = [item for item in items if condition(item, names, values)]
        if not options.get("ScanIndexForward", True):
            found.reverse()
        start = options.get("ExclusiveStartKey")
        if start:
            places = [self._key(TableName, item) for item in found]
            found = found[places.index(self._key(TableName, start)) + 1 :]
        page = found[: options.get("Limit", 50)]
        answer: dict[str, Any] = {"Items": [_copied(item) for item in page], "Count": len(page)}
        if len(page) < len(found):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in self._keys[TableName]}
        return answer

    def batch_get_item(self, *, RequestItems: dict[str, Any], **_: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.batch_get_item")
        responses: dict[str, list[Item]] = {}
        for table, request in RequestItems.items():
            _limit(len(request["Keys"]), 100, "BatchGetItem")
            places = [self._key(table, key) for key in request["Keys"]]
            _limit(len(places) - len(set(places)), 0, "BatchGetItem", "duplicate keys")
            found = [self._table(table).get(place) for place in places]
            responses[table] = [_copied(item) for item in found if item is not None]
        return {"Responses": responses, "UnprocessedKeys": {}}

    def batch_write_item(self, *, RequestItems: dict[str, Any], **_: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.batch_write_item")
        left: dict[str, list[Any]] = {}
        for table, requests in RequestItems.items():
            _limit(len(requests), 25, "BatchWriteItem")
            for request in requests:
                if self.unprocessed:
                    self.unprocessed -= 1
                    left.setdefault(table, []).append(request)
                elif "PutRequest" in request:
                    self._put(table, request["PutRequest"]["Item"])
                else:
                    self._drop(table, request["DeleteRequest"]["Key"])
        self._faults.after("dynamodb.batch_write_item")
        return {"UnprocessedItems": left}

    def transact_write_items(self, *, TransactItems: list[Any], **_: Any) -> dict[str, Any]:
        self._faults.before("dynamodb.transact_write_items")
        _limit(len(TransactItems), 100, "TransactWriteItems")
        actions = [next(iter(action.items())) for action in TransactItems]
        places = [
            (
                request["TableName"],
                self._key(request["TableName"], request.get("Key") or request["Item"]),
            )
            for _, request in actions
        ]
        _limit(len(places) - len(set(places)), 0, "TransactWriteItems", "two actions on one item")
        holds = [self._holds(request) for _, request in actions]
        if not all(holds):
            error = refusal("TransactionCanceledException", "TransactWriteItems")
            error.response["CancellationReasons"] = [
                {"Code": "None" if held else "ConditionalCheckFailed"} for held in holds
            ]
            raise error
        for kind, request in actions:
            if kind != "ConditionCheck":
                self._do(kind, request, "TransactWriteItems")
        self._faults.after("dynamodb.transact_write_items")
        return {}

    def _do(self, kind: str, request: dict[str, Any], operation: str) -> None:
        if not self._holds(request):
            raise refusal("ConditionalCheckFailedException", operation)
        table = request["TableName"]
        if kind == "Put":
            self._put(table, request["Item"])
        elif kind == "Delete":
            self._drop(table, request["Key"])
        else:
            old = self._table(table).get(self._key(table, request["Key"]), dict(request["Key"]))
            new = _copied(old)
            for action in parse_update(request["UpdateExpression"]):
                action(old, new, *_given(request))
            self._put(table, new)

    def _holds(self, request: dict[str, Any]) -> bool:
        text = request.get("ConditionExpression")
        if not text:
            return True
        table = request["TableName"]
        item = self._table(table).get(self._key(table, request.get("Key") or request["Item"]), {})
        return parse_condition(text)(item, *_given(request))

    def _put(self, table: str, item: Item) -> None:
        _limit(_weight(item), MAX_ITEM_BYTES, "PutItem", "item size in bytes")
        place = self._key(table, item)
        self._table(table)[place] = _copied(item)
        self._partitions[table, place[0]].add(place)

    def _drop(self, table: str, key: Item) -> None:
        place = self._key(table, key)
        self._table(table).pop(place, None)
        self._partitions[table, place[0]].discard(place)

    def _table(self, name: str) -> dict[Key, Item]:
        if name not in self.tables:
            raise refusal("ResourceNotFoundException", "Query", f"no table {name}")
        return self.tables[name]

    def _key(self, table: str, item: Item) -> Key:
        return tuple(str(item[name]["S"]) for name in self._keys[table])


def _given(options: dict[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    return (
        options.get("ExpressionAttributeNames") or {},
        options.get("ExpressionAttributeValues") or {},
    )


def _limit(count: int, most: int, operation: str, what: str = "entries") -> None:
    if count > most:
        raise refusal("ValidationException", operation, f"{count} {what}; the limit is {most}")


def _copied(item: Item) -> Item:
    """Copy an item so that neither side changes the other's; its values are never changed."""
    return dict(item)


def _weight(item: Item) -> int:
    total = 0
    for name, value in item.items():
        content = next(iter(value.values()))
        size = len(content) if isinstance(content, bytes | str) else len(str(content))
        total += len(name) + size
    return total
