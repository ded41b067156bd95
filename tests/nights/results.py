"""The books of the stack as they stand in its tables, read without the connector."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from boto3.dynamodb.types import TypeDeserializer

from tests.nights.goods import Item
from tests.nights.oracle import FileRun, StoredResult
from tests.nights.plan import File

if TYPE_CHECKING:
    from tests.nights.account import Account

LETTERS = {"u": "unchanged", "s": "superseded", "f": "filtered", "r": "rejected"}

Entry = dict[str, Any]
"""An item of the run table."""


class MessageResults:
    """The run table as it stands, read without the connector."""

    def __init__(self, account: Account) -> None:
        self._account = account
        plain: Any = TypeDeserializer().deserialize
        self.items: dict[tuple[str, str], Entry] = {
            (key[0], key[1]): {name: plain(value) for name, value in item.items()}
            for key, item in account.world.dynamodb.tables["runs"].items()
        }
        self.headers: dict[tuple[str, str], Entry] = {
            (item["key"], item["version"]): item
            for (pk, sk), item in self.items.items()
            if sk == "run" and pk.startswith("run#") and item["kind"] == "file"
        }
        self.jobs: list[Entry] = [
            item
            for (pk, sk), item in self.items.items()
            if sk == "run" and pk.startswith("run#") and item["kind"] != "file"
        ]
        self._by_partition: dict[str, list[tuple[str, Entry]]] = defaultdict(list)
        for (pk, sk), item in sorted(self.items.items()):
            self._by_partition[pk].append((sk, item))
        self.mappings = self._mappings()

    def header(self, file: File) -> Entry | None:
        return self.headers.get((file.key, file.version))

    def of_run(self, run: str, prefix: str) -> Iterator[Entry]:
        for sk, item in self._by_partition[f"run#{run}"]:
            if sk.startswith(prefix):
                yield item

    def states(self, run: str) -> dict[int, StoredResult]:
        """Give the state of each record of a run, by its number."""
        stored: dict[int, StoredResult] = {}
        number = 0
        for chunk in self.of_run(run, "chunk#"):
            for letter in chunk["decisions"]:
                number += 1
                if letter in LETTERS:
                    stored[number] = StoredResult(state=LETTERS[letter], reasons="see its chunk")
        for message in self.of_run(run, "message#"):
            for each in json.loads(zlib.decompress(bytes(message["outcomes"].value))):
                reasons = "; ".join(p["reason"] for p in each.get("problems", ()))
                known = stored.get(each["number"])
                if known is None or known.state == "parked":
                    stored[each["number"]] = StoredResult(state=each["state"], reasons=reasons)
        return stored

    def order_of(self, file: File) -> tuple[str, str, str]:
        """Return the order of a file by the time it names or was uploaded at, then by the uploads.

        A file that a sweep found before its event came has no sequencer; S3 tells its second only,
        so it counts as the last of that second.
        """
        stored = f"{datetime.fromtimestamp(file.stored, UTC):%Y-%m-%dT%H:%M:%SZ}"
        stamp = file.stamp if self._account.plan.stamped else stored
        swept = "|~|" in (self.header(file) or {}).get("turn", "")
        return stamp, stored, "~" if swept else f"{file.number:06d}"

    def run_of(self, file: File) -> FileRun | None:
        header = self.header(file)
        return self._run(header, file, file.items[: file.whole]) if header else None

    def replays_of(self, file: File) -> list[FileRun]:
        """Give the replays of a file that were sent, the earliest first."""
        header = self.header(file) or {}
        mine = (e for e in self.jobs if e["of"] == header.get("id") and e["kind"] == "replay")
        sent = (job for job in mine if not job.get("problem"))
        runs = (self._run(job, file, file.items[: file.readable]) for job in sent)
        return sorted((run for run in runs if run), key=lambda run: run.repeats)

    def value_updates_of(self, file: File) -> list[FileRun]:
        """Give the withdrawals of products that a full export lacked, and what reverted the file.

        The records of a withdrawal are about products that no item of the file names.
        """
        header = self.header(file) or {}
        found = []
        kinds = {item.no: item.kind for item in file.items}
        for job in self.jobs:
            if job["of"] == header.get("id") and job["kind"] in ("withdrawal", "revert"):
                stored = self._stored(job["id"])
                items = (
                    Item(kind=kinds.get(name, "simple"), no=name) for name, _ in stored.values()
                )
                run = self._run(job, file, tuple(items))
                if run:
                    run.stored = dict(enumerate((each for _, each in stored.values()), start=1))
                    found.append(run)
        return found

    def _stored(self, run: str) -> dict[int, tuple[str, StoredResult]]:
        states = self.states(run)
        names = {
            each["number"]: each["identifier"]
            for message in self.of_run(run, "message#")
            for each in json.loads(zlib.decompress(bytes(message["outcomes"].value)))
        }
        return {number: (name, states[number]) for number, name in sorted(names.items())}

    def _run(self, header: Entry, file: File, items: tuple[Item, ...]) -> FileRun | None:
        if not header.get("mapping"):
            return None
        split_at = header.get("split_at") or ""
        return FileRun(
            name=f"file {file.number} ({header['id']})",
            id=header["id"],
            order=self.order_of(file),
            mapping=self.mappings[header["mapping"]["version"]],
            items=items,
            stored=self.states(header["id"]),
            split_at=split_at,
            written=frozenset(
                (write.kind, write.code)
                for write in self._account.pim.pim.writes
                if write.run == header["id"]
            ),
            withdraws=header["kind"] == "withdrawal",
            undoes=header["of"] if header["kind"] == "revert" else "",
            repeats="" if header["kind"] == "file" else f"{split_at}{header['id']}",
            redriven=header["id"] in self._account.redriven,
        )

    def _mappings(self) -> dict[str, int]:
        plan, s3 = self._account.plan, self._account.world.s3
        bodies = {plan.mapping(number): number for number in (1, 2)}
        versions = s3._versions.get("config/erp/shop.yaml", ())
        return {version.id: bodies[version.body] for version in versions}
