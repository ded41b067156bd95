"""What the PIM last accepted of every asset, which codes are taken, and which files it has.

Items of the sync state table: `<source>|asset|<DAM id>`, `asset-code|<code>`, `asset-media|<mark>`.
Written only after the PIM accepted; a code is taken before it is used. Assets in use are also in
the table's index `assets-in-use`, so that those of one source are read without all the products.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pim_connector.aws.errors import backoff, translated
from pim_connector.aws.table import ItemChange, Table
from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

INDEX = "assets-in-use"
"""Sparse: its key is `in_use`, the source; sorted by `waits`, `no` or `yes`. Keys only."""
KEYS_PER_READ = 100
"""BatchGetItem's limit, and that of actions in one transaction."""
ATTEMPTS = 8

READING = "the sync state of assets could not be read"


class AssetEntry(Struct, frozen=True, kw_only=True):
    """One asset as the PIM last accepted it.

    `stamp` is the DAM's own time stamp of that version, None where it has none. `hashes` are those
    of `MappedAsset.hashes`. `links` are the products it was appended to by the connector,
    `waiting` those the PIM did not have yet. `present` is False once it was taken out of use
    because the DAM has it no more.
    """

    source: str
    dam_id: str
    family: str
    code: str
    hashes: bytes
    stamp: int | None = None
    links: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    present: bool = True

    @property
    def key(self) -> str:
        return _entry_key(self.source, self.dam_id)


def _entry_key(source: str, dam_id: str) -> str:
    """Name one asset of one source as the table's key; a DAM's id may hold any character."""
    return f"{source}|asset|{dam_id}"


class AssetSyncState:
    """The asset side of the sync state table. TransientError where DynamoDB does not answer."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._name = table
        self._table = Table(client, table, sleep=sleep, jitter=jitter)
        self._sleep = sleep
        self._jitter = jitter

    def entries(self, source: str, dam_ids: Sequence[str]) -> dict[str, AssetEntry]:
        """Read the entries of the assets that have one, by DAM id: one request per 100."""
        wanted = [_entry_key(source, dam_id) for dam_id in dict.fromkeys(dam_ids)]
        found: dict[str, AssetEntry] = {}
        for start in range(0, len(wanted), KEYS_PER_READ):
            for item in self._read(wanted[start : start + KEYS_PER_READ]):
                entry = _entry(item)
                found[entry.dam_id] = entry
        return found

    def accept(self, entries: Sequence[AssetEntry]) -> None:
        """Write what the PIM accepted."""
        for start in range(0, len(entries), KEYS_PER_READ):
            chunk = entries[start : start + KEYS_PER_READ]
            self._table.transact(*(self._table.putting(_item(entry)) for entry in chunk))

    def take_codes(self, source: str, wanted: Mapping[str, str]) -> dict[str, str]:
        """Take asset codes (DAM id: code) for good; give the owner of each that is another's.

        The answer is by DAM id. Codes that differ only in upper and lower case are one.
        """
        taken: dict[str, str] = {}
        owners: dict[str, str] = {}
        free: dict[str, str] = {}
        for dam_id, code in wanted.items():
            first = free.setdefault(code.casefold(), dam_id)
            if first != dam_id:
                taken[dam_id] = f"{source}|{first}"
        ids = [dam_id for dam_id in wanted if dam_id not in taken]
        for start in range(0, len(ids), KEYS_PER_READ):
            owners |= self._take(source, ids[start : start + KEYS_PER_READ], wanted)
        return taken | owners

    def _take(self, source: str, ids: list[str], wanted: Mapping[str, str]) -> dict[str, str]:
        keys = {_code_key(wanted[dam_id]): dam_id for dam_id in ids}
        known = {str(item["pk"]): str(item["owner"]) for item in self._read(list(keys))}
        others: dict[str, str] = {}
        for key, owner in known.items():
            if owner != f"{source}|{keys[key]}":
                others[keys[key]] = owner
        new = [key for key in keys if key not in known]
        if not new:
            return others
        items = [{"pk": key, "owner": f"{source}|{keys[key]}"} for key in new]
        lost = self._table.transact(*(self._table.putting(i, if_absent=True) for i in items))
        if lost:
            raise TransientError("another worker took an asset code at this moment; try again")
        return others

    def media_code(self, mark: str) -> str | None:
        """Return the PIM's code of a file by its mark: what it is, or where it came from."""
        item = self._table.get({"pk": f"asset-media|{mark}"})
        return str(item["code"]) if item else None

    def note_media(self, marks: Sequence[str], code: str) -> None:
        """Note that the PIM has a file under `code`, by several marks."""
        items = [{"pk": f"asset-media|{mark}", "code": code} for mark in marks]
        self._table.transact(*(self._table.putting(item) for item in items))

    def in_use(self, source: str) -> Iterator[str]:
        """Return the DAM ids of a source's assets that are in use in the PIM.

        An asset written a moment ago may not be among them yet, and one taken out of use still be.
        """
        return self._indexed("in_use = :source", {":source": {"S": source}})

    def waiting(self, source: str) -> Iterator[str]:
        """Return the DAM ids of those whose links wait for a product; late as `in_use` is."""
        values: Any = {":source": {"S": source}, ":yes": {"S": "yes"}}
        return self._indexed("in_use = :source AND waits = :yes", values)

    def _indexed(self, condition: str, values: Any) -> Iterator[str]:
        start: Any = {}
        while True:
            with translated(READING):
                page = self._client.query(
                    TableName=self._name,
                    IndexName=INDEX,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=values,
                    **start,
                )
            for item in page["Items"]:
                yield str(item["pk"]["S"]).split("|", 2)[2]
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _read(self, keys: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        pending: Any = [{"pk": {"S": key}} for key in keys]
        for attempt in range(ATTEMPTS):
            if not pending:
                break
            with translated(READING):
                answer = self._client.batch_get_item(
                    RequestItems={self._name: {"Keys": pending, "ConsistentRead": True}}
                )
            found += [_plain(item) for item in answer["Responses"].get(self._name, [])]
            left = answer["UnprocessedKeys"].get(self._name)
            pending = left["Keys"] if left else []
            if pending:
                self._sleep(backoff(attempt, self._jitter()))
        if pending:
            raise TransientError(f"DynamoDB left {len(pending)} assets unread; try again later")
        return found


def _code_key(code: str) -> str:
    return f"asset-code|{code.casefold()}"


def _item(entry: AssetEntry) -> dict[str, Any]:
    waits = "yes" if entry.waiting else "no"
    indexed = {"in_use": entry.source, "waits": waits} if entry.present else {}
    return indexed | {
        "pk": entry.key,
        "family": entry.family,
        "code": entry.code,
        "h": entry.hashes,
        "o": entry.stamp,
        "links": list(entry.links),
        "waiting": list(entry.waiting),
        "present": entry.present,
    }


def _entry(item: Mapping[str, Any]) -> AssetEntry:
    source, _, dam_id = str(item["pk"]).split("|", 2)
    stamp = item.get("o")
    return AssetEntry(
        source=source,
        dam_id=dam_id,
        family=str(item["family"]),
        code=str(item["code"]),
        hashes=bytes(item["h"]),
        stamp=None if stamp is None else int(stamp),
        links=tuple(item.get("links", ())),
        waiting=tuple(item.get("waiting", ())),
        present=bool(item["present"]),
    )


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    return {name: read(value) for name, value in item.items()}


# When assets of each family were last sent: one item of the state table per source.


PREFIX = "at_"


class FamilyTimes:
    """Times are in epoch seconds. Raises what `RunTable` raises."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, source: str, family: str, now: float) -> None:
        """Write down that the PIM has just accepted assets of a family."""
        self._table.update(_key(source), ItemChange(put={f"{PREFIX}{family}": int(now)}))

    def of(self, source: str) -> dict[str, int]:
        """Give when the PIM last accepted assets of each family; none of what was never sent."""
        item = self._table.get(_key(source)) or {}
        return {
            name.removeprefix(PREFIX): int(at)
            for name, at in item.items()
            if name.startswith(PREFIX)
        }


def _key(source: str) -> dict[str, str]:
    return {"pk": f"families#{source}"}
