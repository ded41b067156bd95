"""What the PIM last accepted of every product, so that nothing is sent twice and nothing goes back.

One DynamoDB item per (source, resource, identifier). It is written only after the PIM accepted,
by the one worker that holds the product's message group; the splitter only reads.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.aws.threads import Begin, Threads, ended
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.mapping.identity import folded

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

P = TypeVar("P")
R = TypeVar("R")

KEYS_PER_READ = 100
"""BatchGetItem's limit
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html)."""
ITEMS_PER_WRITE = 25
"""BatchWriteItem's limit
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html)."""
ENTRY: Final = "pk,i,o,f,m,h,r,n,s"
VERSION: Final = "pk,o,f,m"
ATTEMPTS = 8
LONGEST_WAIT_SECONDS = 3.0
NEVER_TAKEN: Final = ""
"""`StateEntry.mapping` of a product that the PIM has not accepted as far as is known: only a
withdrawal has named it, or the PIM never answered for it."""

_CONFIGURATION = frozenset(
    {"AccessDeniedException", "ResourceNotFoundException", "ValidationException"}
)


class StateEntry(Struct, frozen=True, kw_only=True):
    """One product or product model as the PIM last accepted it from one source.

    `order` is the order of the file version it came from, compared as text; or of a newer one that
    the PIM may have written without an answer. `fingerprint` is the source record's (12 bytes), or
    empty where the PIM did not take all of it: no record equals the empty one, so what is missing
    is tried again. `slots` holds the compact hashes of
    `delta.slot_hashes`. `outcome` is the state that the record of that run ended in: a message
    delivered twice counts as it did the first time.
    """

    source: str
    resource: str
    identifier: str
    order: str
    fingerprint: bytes
    mapping: str
    slots: bytes
    run: str
    record: int
    outcome: str = "updated"

    @property
    def key(self) -> str:
        return state_key(self.source, self.resource, self.identifier)


class Version(Struct, frozen=True, kw_only=True):
    """The part of an entry that tells whether a record is what the PIM last accepted."""

    order: str
    fingerprint: bytes
    mapping: str


def state_key(source: str, resource: str, identifier: str) -> str:
    """Name one product of one source as the table's key: all its spellings share one."""
    return f"{source}|{resource}|{folded(identifier)}"


class SyncState:
    """The sync state table: reads 100 keys a request and writes 25, requests side by side.

    Raises TransientError when DynamoDB keeps refusing, ConfigurationError when table or rights
    are missing, and either only when none of its requests is under way any more. `sleep` and
    `jitter` (0 … 1) are what waiting between attempts is made of, `begin` is how requests go
    side by side.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        begin: Begin | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._table = table
        self._begin = begin or Threads()
        self._sleep = sleep
        self._jitter = jitter

    def entries(self, keys: Iterable[str]) -> dict[str, StateEntry]:
        """Read the entries of the keys that have one, consistently, and give them by key."""
        return {item["pk"]["S"]: _from_item(item) for item in self._items(keys, ENTRY)}

    def versions(self, keys: Iterable[str]) -> dict[str, Version]:
        """Read as `entries` does, but only what the splitter compares: a third of the answer."""
        return {item["pk"]["S"]: _version(item) for item in self._items(keys, VERSION)}

    def accept(self, entries: Sequence[StateEntry]) -> None:
        """Write what the PIM accepted; of several entries of one key the last counts."""
        items = [_to_item(entry) for entry in {entry.key: entry for entry in entries}.values()]
        self._side_by_side(self._write, items, ITEMS_PER_WRITE)

    def _items(
        self, keys: Iterable[str], attributes: str
    ) -> Iterator[dict[str, AttributeValueTypeDef]]:
        wanted = list(dict.fromkeys(keys))
        read = partial(self._read, attributes)
        return chain.from_iterable(self._side_by_side(read, wanted, KEYS_PER_READ))

    def _side_by_side(self, call: Callable[[list[P]], R], parts: list[P], most: int) -> list[R]:
        """Make a call for each `most` parts; a single one without a thread."""
        chunks = [parts[start : start + most] for start in range(0, len(parts), most)]
        if len(chunks) <= 1:
            return [call(chunk) for chunk in chunks]
        return ended([self._begin(partial(call, chunk)) for chunk in chunks])

    def _read(self, attributes: str, keys: list[str]) -> list[dict[str, AttributeValueTypeDef]]:
        found: list[dict[str, AttributeValueTypeDef]] = []
        names = {f"#{name}": name for name in attributes.split(",")}
        wanted = {"ProjectionExpression": ",".join(names), "ExpressionAttributeNames": names}
        pending: list[dict[str, AttributeValueTypeDef]] = [{"pk": {"S": key}} for key in keys]
        for attempt in range(ATTEMPTS):
            with _consequences("read"):
                request: Any = {"Keys": pending, "ConsistentRead": True} | wanted
                answer = self._client.batch_get_item(RequestItems={self._table: request})
            found += answer["Responses"].get(self._table, [])
            left = answer["UnprocessedKeys"].get(self._table)
            pending = list(left["Keys"]) if left else []
            if not pending:
                return found
            self._wait(attempt)
        raise TransientError(
            f"DynamoDB left {len(pending)} sync state keys unread; try again later"
        )

    def _write(self, items: list[dict[str, AttributeValueTypeDef]]) -> None:
        pending = items
        for attempt in range(ATTEMPTS):
            with _consequences("written"):
                answer = self._client.batch_write_item(
                    RequestItems={self._table: [{"PutRequest": {"Item": i}} for i in pending]}
                )
            refused = answer["UnprocessedItems"].get(self._table, [])
            pending = [entry["PutRequest"]["Item"] for entry in refused]
            if not pending:
                return
            self._wait(attempt)
        raise TransientError(
            f"DynamoDB left {len(pending)} sync state entries unwritten; try again"
        )

    def _wait(self, attempt: int) -> None:
        longest = min(LONGEST_WAIT_SECONDS, 0.05 * 2**attempt)
        self._sleep(longest * (0.5 + self._jitter() / 2))


@contextmanager
def _consequences(verb: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        text = f"the sync state table could not be {verb}: {code}"
        if code in _CONFIGURATION:
            raise ConfigurationError(f"{text}; check the table's name and the rights") from error
        raise TransientError(text) from error
    except BotoCoreError as error:
        raise TransientError(f"the sync state table could not be {verb}: {error}") from error


def _to_item(entry: StateEntry) -> dict[str, AttributeValueTypeDef]:
    return {
        "pk": {"S": entry.key},
        "i": {"S": entry.identifier},
        "o": {"S": entry.order},
        "f": {"B": entry.fingerprint},
        "m": {"S": entry.mapping},
        "h": {"B": entry.slots},
        "r": {"S": entry.run},
        "n": {"N": str(entry.record)},
        "s": {"S": entry.outcome},
    }


def _version(item: dict[str, AttributeValueTypeDef]) -> Version:
    return Version(order=item["o"]["S"], fingerprint=bytes(item["f"]["B"]), mapping=item["m"]["S"])


def _from_item(item: dict[str, AttributeValueTypeDef]) -> StateEntry:
    source, resource, identifier = item["pk"]["S"].split("|", 2)
    return StateEntry(
        source=source,
        resource=resource,
        identifier=item["i"]["S"] if "i" in item else identifier,
        order=item["o"]["S"],
        fingerprint=bytes(item["f"]["B"]),
        mapping=item["m"]["S"],
        slots=bytes(item["h"]["B"]),
        run=item["r"]["S"],
        record=int(item["n"]["N"]),
        outcome=item["s"]["S"],
    )
