"""A DynamoDB table as the run table need it: plain values, conditions as answers, our errors.

Keys are `{"pk": …, "sk": …}`, or `{"pk": …}` for a table without a sort key.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from msgspec import Struct, field

from pim_connector.aws.errors import CancelledError, ConditionFailedError, backoff, translated
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

Key = dict[str, str]
Item = dict[str, Any]

ATTEMPTS: Final = 10
NEWEST: Final = 100
_CONDITION_FAILED = "ConditionalCheckFailed"


class ItemChange(Struct, frozen=True, kw_only=True):
    """What is to become of one item: values set, numbers added, if `condition` holds.

    The condition names attributes as `#name` and values as `:name`: those in `put`, `add`, `given`.
    """

    put: Mapping[str, Any] = field(default_factory=dict)
    add: Mapping[str, int] = field(default_factory=dict)
    condition: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)

    def expressions(self) -> Item:
        clauses = []
        if self.put:
            clauses.append("SET " + ", ".join(f"#{name} = :{name}" for name in self.put))
        if self.add:
            clauses.append("ADD " + ", ".join(f"#{name} :{name}" for name in self.add))
        changed = {**self.put, **self.add}
        conditional = re.findall(r"#(\w+)", self.condition)
        given = {f":{name}": value for name, value in (changed | dict(self.given)).items()}
        return {
            "UpdateExpression": " ".join(clauses),
            "ExpressionAttributeNames": {f"#{name}": name for name in {*changed, *conditional}},
            "ExpressionAttributeValues": _pack(given),
        } | ({"ConditionExpression": self.condition} if self.condition else {})


class Table:
    """One table. Reads are consistent: what one function wrote the next one sees.

    `sleep` takes seconds, `jitter` gives 0 … 1; both serve only the wait between attempts of a
    transaction that met another one on the same item.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        name: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep
        self._jitter = jitter

    def get(self, key: Key) -> Item | None:
        with self._consequences("read"):
            answer = self._client.get_item(
                TableName=self._name, Key=_pack(key), ConsistentRead=True
            )
        item = answer.get("Item")
        return _unpack(item) if item else None

    def query(
        self, pk: str, *, prefix: str = "", after: str = "", newest_first: bool = False
    ) -> Iterator[Item]:
        """Return the items of one partition in the order of their sort keys, page by page.

        Only those whose sort key begins with `prefix`, or else comes after `after`. Whoever asks
        for the newest first wants few: they are read a hundred at a time, not a megabyte.
        """
        condition, values = "pk = :pk", {":pk": pk}
        if prefix:
            condition, values = "pk = :pk AND begins_with(sk, :sk)", {":pk": pk, ":sk": prefix}
        elif after:
            condition, values = "pk = :pk AND sk > :sk", {":pk": pk, ":sk": after}
        start: Any = {}
        few: Any = {"Limit": NEWEST} if newest_first else {}
        while True:
            with self._consequences("read"):
                page = self._client.query(
                    TableName=self._name,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=_pack(values),
                    ConsistentRead=True,
                    ScanIndexForward=not newest_first,
                    **few,
                    **start,
                )
            yield from map(_unpack, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def put(self, item: Item) -> None:
        with self._consequences("written"):
            self._client.put_item(TableName=self._name, Item=_pack(item))

    def delete(self, key: Key) -> None:
        with self._consequences("written"):
            self._client.delete_item(TableName=self._name, Key=_pack(key))

    def update(self, key: Key, change: ItemChange) -> Item | None:
        """Change one item and give it as it is then, or None where the condition did not hold."""
        try:
            with self._consequences("written"):
                answer = self._client.update_item(
                    **self.updating(key, change)["Update"], ReturnValues="ALL_NEW"
                )
        except ConditionFailedError:
            return None
        return _unpack(answer["Attributes"])

    def transact(self, *actions: Item) -> tuple[int, ...]:
        """Do all of the actions or none; give the places of those whose condition did not hold.

        An empty answer means: done. Make the actions with `putting`, `updating`,
        `checking` and `deleting`.
        """
        request: Any = list(actions)
        for attempt in range(ATTEMPTS):
            try:
                with self._consequences("written"):
                    self._client.transact_write_items(TransactItems=request)
            except CancelledError as cancelled:
                failed = cancelled.places(_CONDITION_FAILED)
                if failed:
                    return failed
                self._sleep(backoff(attempt, self._jitter()))
            else:
                return ()
        raise TransientError(f"table {self._name}: others kept writing the same items; try again")

    def putting(self, item: Item, *, if_absent: bool = False) -> Item:
        condition = {"ConditionExpression": "attribute_not_exists(pk)"} if if_absent else {}
        return {"Put": {"TableName": self._name, "Item": _pack(item)} | condition}

    def updating(self, key: Key, change: ItemChange) -> Item:
        return {"Update": {"TableName": self._name, "Key": _pack(key)} | change.expressions()}

    def checking(self, key: Key, change: ItemChange) -> Item:
        """Make an action that changes nothing, and fails where the condition does not hold."""
        condition = change.expressions()
        del condition["UpdateExpression"]
        return {"ConditionCheck": {"TableName": self._name, "Key": _pack(key)} | condition}

    def deleting(self, key: Key) -> Item:
        return {"Delete": {"TableName": self._name, "Key": _pack(key)}}

    def _consequences(self, verb: str) -> AbstractContextManager[None]:
        return translated(f"table {self._name} could not be {verb}")


def _pack(item: Mapping[str, Any]) -> dict[str, Any]:
    serialize = TypeSerializer().serialize
    return {name: serialize(value) for name, value in item.items()}


def _unpack(item: Mapping[str, Any]) -> Item:
    deserialize = TypeDeserializer().deserialize
    plain = {name: deserialize(value) for name, value in item.items()}
    return {n: _bytes(v) if isinstance(v, Binary) else v for n, v in plain.items()}


def _bytes(value: Binary) -> bytes:
    return bytes(value)  # type: ignore[call-overload, no-any-return]  # the stubs lack __bytes__


# One worker at a time, for a while: a lease on the state table.


LEASE_SECONDS: Final = 180
"""Long enough for a slow window of 1,000 records, short enough not to keep others waiting."""
RENEW_SECONDS: Final = 60


class Leases:
    """All leases. Who still works after its lease ran out is stopped by the run's fence."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def acquire(self, name: str, owner: str, now: float) -> bool:
        """Take the lease of `name`, or take it again; False while somebody else holds it."""
        until = int(now) + LEASE_SECONDS
        change = ItemChange(
            put={"owner": owner, "until": until, "expires_at": until + 86_400},
            condition="attribute_not_exists(pk) OR #until < :now OR #owner = :owner",
            given={"now": int(now)},
        )
        return self._table.update({"pk": f"lease#{name}"}, change) is not None

    def release(self, name: str, owner: str) -> None:
        """Return the lease back, if it is still held."""
        change = ItemChange(put={"until": 0, "owner": owner}, condition="#owner = :owner")
        self._table.update({"pk": f"lease#{name}"}, change)

    def renewal(self, name: str, owner: str, now: Callable[[], float]) -> Callable[[], bool]:
        """Make what long work calls often: it renews the lease now and then.

        It answers False once somebody else has the lease, and then the work must stop.
        """
        renewed = now()

        def still_held() -> bool:
            nonlocal renewed
            if now() - renewed < RENEW_SECONDS:
                return True
            renewed = now()
            return self.acquire(name, owner, renewed)

        return still_held

    def held(self, name: str, now: float) -> bool:
        """Say whether somebody works on `name` now."""
        item = self._table.get({"pk": f"lease#{name}"})
        return item is not None and int(item["until"]) >= now
