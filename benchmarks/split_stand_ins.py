"""What the splitter's benchmarks share: an export on disk, and AWS at the transport.

The real splitter and real boto3 clients are used up to where boto3 would sign and send a request;
there an answer is given. DynamoDB answers after 8 milliseconds if asked to, each request by itself,
so as many at once as are asked.
"""

from __future__ import annotations

import io
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import msgspec
from botocore.config import Config
from botocore.response import StreamingBody

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "connector" / "python")]

from benchmarks.catalogue import CHANGED_EVERY, mapping, record
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.outcomes import STATES
from pim_connector.products.decisions import Plan, SplitterParts
from pim_connector.products.split import Split
from pim_connector.sync.chunks import Splits
from pim_connector.sync.messages import MappingPin
from pim_connector.sync.runs import Registry, Run
from pim_connector.sync.state import SyncState

GROUPS: Final = 4
KEY: Final = "incoming/bench/export.xml"
TENTS: Final = b"""
version: 1
records:
  model:
    path: /export/model
    resource: product_model
    identifier: "@code"
    family: tents
    family_variant: tents_by_size
  product:
    path: /export/product
    identifier: "@sku"
    parent: "@model"
    family: tents
    values:
      name: {from: name, type: text}
      description: {from: text, type: textarea}
"""


def tents(records: int, night: int) -> Iterator[str]:
    """Models with nine variants each, of three elements, one of them long; all on one line."""
    noise = random.Random(1)  # noqa: S311 - text to pack, not a secret
    yield "<export>"
    for number in range(records):
        text = f"{noise.getrandbits(1_800):0450x}"
        name = f"Product {number}{' anew' if night > 1 and number % CHANGED_EVERY == 0 else ''}"
        body = f"<name>{name}</name><text>{text}</text><weight unit='kg'>1.25</weight>"
        model = number - number % 10
        if number % 10 == 0 and records > 1:
            yield f"<model code='M{model:08d}'>{body}</model>"
        else:
            yield f"<product sku='P{number:08d}' model='M{model:08d}'>{body}</product>"
    yield "</export>"


def catalogue(records: int, night: int) -> Iterator[str]:
    """Products of 13 elements for 12 attributes, with letters beyond ASCII; a line each."""
    yield "<catalog>\n"
    yield from (record(number, night=night) for number in range(records))
    yield "</catalog>\n"


SHAPES: Final[dict[str, tuple[Callable[[int, int], Iterator[str]], bytes]]] = {
    "catalogue": (catalogue, mapping().encode()),
    "tents": (tents, TENTS),
}
"""How an export is written, and its mapping, by a name that the file is called by."""
STARTERS: Final = {
    "googleshopping_samsung": "google_merchant",
    "yml_allo_andrii": "hotline",
    "yml_eva_andrii": "yml",
    "yml_mahrof": "yml",
    "skroutz_mihnea": "skroutz",
    "heureka_u7279": "heureka",
    "sfcc_master1": "salesforce_catalog",
    "ceneo_marekkomp": "ceneo",
}
"""The mappings in `docs/mappings` of those real exports that have more than a few records."""


def write_export(path: Path, records: int, night: int = 1) -> int:
    """Write an export of the shape that `path` is named for, and give its size in bytes."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(SHAPES[path.stem][0](records, night))
    return path.stat().st_size


class _Entry(msgspec.Struct):
    Id: str
    MessageBody: str


class _Batch(msgspec.Struct):
    Entries: list[_Entry]


_BATCH = msgspec.json.Decoder(_Batch)


class _Value(msgspec.Struct, omit_defaults=True):
    S: str | None = None
    N: str | None = None
    B: bytes | None = None


class _Put(msgspec.Struct):
    Item: dict[str, _Value] = {}


class _Action(msgspec.Struct):
    Put: _Put = msgspec.field(default_factory=_Put)


class _Storing(msgspec.Struct):
    TransactItems: list[_Action]


_BOOKING = msgspec.json.Decoder(_Storing)
_PLAIN: Final = Config(parameter_validation=False, user_agent="pim-connector")
"""As the splitter's clients have it."""


@dataclass
class Transport:
    """Answers every request as AWS does when all is well, and counts what was asked."""

    file: Path
    objects: dict[str, bytes] = field(default_factory=dict)
    items: dict[tuple[str, str], Any] = field(default_factory=dict)
    sync_state: Callable[[str], Any] = lambda _: None
    latency: float = 0.0
    requests: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    records: int = 0
    chunks: list[bytes] | None = None
    """Requests that booked windows, where they will be asked for again."""
    own: list[float] = field(default_factory=list)
    """Seconds of processor time that answering took, a request each: not the splitter's."""

    def client(self, service: Any) -> Any:
        made: Any = boto3.client(
            service,
            region_name="eu-central-1",
            aws_access_key_id="none",
            aws_secret_access_key="none",  # noqa: S106 - opens nothing
            config=_PLAIN if service in ("dynamodb", "sqs") else None,
        )
        made.meta.events.register("before-call", self.answer)
        return made

    def answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        began = time.thread_time()
        self.requests[model.name] += 1
        http = type("Answer", (), {"status_code": 200, "headers": {}})()
        if self.latency and model.service_model.service_name == "dynamodb":
            time.sleep(self.latency)
        answer: dict[str, Any] = getattr(self, f"_{model.name}", lambda _: {})(params)
        self.own.append(time.thread_time() - began)
        return http, answer

    def _HeadObject(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        body = self.objects[params["url_path"].partition("/bucket/")[2] or _key(params)]
        return {"ContentLength": len(body), "LastModified": datetime.now(UTC)}

    def _GetObject(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = _key(params)
        if key == KEY:
            body: Any = self.file.open("rb")
            size = self.file.stat().st_size
        else:
            body, size = io.BytesIO(self.objects[key]), len(self.objects[key])
        start = int(params["headers"].get("Range", "bytes=0-")[6:-1])
        body.seek(start)
        return {"Body": StreamingBody(body, size - start)}

    def _SendMessageBatch(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        entries = _BATCH.decode(params["body"]).Entries
        for entry in entries:
            head, _, records = entry.MessageBody.partition('"records":[')
            sent = msgspec.json.decode(head.rstrip(",") + "}")
            self.messages[f"{sent['group']} {sent['resource']}"] += 1
            self.records += records.count('{"n":')
        return {"Successful": [{"Id": entry.Id} for entry in entries]}

    def _BatchGetItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        asked = msgspec.json.decode(params["body"])["RequestItems"]["sync_state"]["Keys"]
        self.units["read"] += len(asked)
        found = [self.sync_state(key["pk"]["S"]) for key in asked]
        items = [item for item in found if item is not None]
        return {"Responses": {"sync_state": items}, "UnprocessedKeys": {}}

    def _GetItem(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        key = msgspec.json.decode(params["body"])["Key"]
        self.units["read"] += 1
        item = self.items.get((key["pk"]["S"], key.get("sk", {}).get("S", "")))
        return {"Item": item} if item else {}

    def _Query(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.units["read"] += 1
        asked = msgspec.json.decode(params["body"])["ExpressionAttributeValues"]
        if self.chunks is None or asked.get(":sk") != {"S": "window#"}:
            return {"Items": []}
        stored = [_BOOKING.decode(body).TransactItems[0].Put for body in self.chunks]
        return {"Items": [msgspec.to_builtins(put.Item, builtin_types=(bytes,)) for put in stored]}

    def _UpdateItem(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.units["write"] += 2
        return {"Attributes": {}}

    def _TransactWriteItems(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if self.chunks is not None and b"window#" in params["body"]:
            self.chunks.append(params["body"])
        for action in msgspec.json.decode(params["body"])["TransactItems"]:
            size = len(msgspec.json.encode(action)) * (3 / 4 if "Put" in action else 1)
            self.units["write"] += 2 * (int(size / 1024) + 1)
        return {}


def _key(params: dict[str, Any]) -> str:
    path = str(params["url_path"]).lstrip("/")
    return path.removeprefix("bucket/")


def parts_of(transport: Transport) -> SplitterParts:
    """Compose a splitter over the stand-ins."""
    dynamodb = transport.client("dynamodb")
    table = Table(dynamodb, "runs")
    return SplitterParts(
        bucket=Bucket(transport.client("s3"), "bucket"),
        registry=Registry(table),
        splits=Splits(table),
        leases=Leases(table),
        sync_state=SyncState(dynamodb, "sync_state"),
        queue=FifoQueue(transport.client("sqs"), "https://queue.invalid/products.fifo"),
        announcements=Announcements(transport.client("events"), "default", "stack"),
        groups=GROUPS,
        trigger="upload",
        clock=lambda: datetime.now(UTC),
    )


def plan_of(path: Path) -> Plan:
    """Compile the mapping of an export, one of ours or a real one."""
    if path.stem in SHAPES:
        text = SHAPES[path.stem][1]
    else:
        text = (ROOT / "docs" / "mappings" / f"{STARTERS[path.stem]}.yaml").read_bytes()
    loaded = load_mapping(text, name="config/erp/bench.yaml")
    return Plan(
        pin=MappingPin(key=loaded.name, version="1", digest=loaded.digest),
        compiled=compile_mapping(loaded),
        origin=loaded.file.source,
        others={},
    )


def run_of(size: int, **more: Any) -> Run:
    """Make a run whose split was begun."""
    given: dict[str, Any] = {
        "id": "bench",
        "source": "bench",
        "bucket": "bucket",
        "key": KEY,
        "version": "null",
        "size": size,
        "order": "2026-02",
        "turn": "2026-02",
        "started_at": "2026-02-01T00:00:00Z",
        "phase": "splitting",
        "counts": dict.fromkeys(STATES, 0),
    }
    return Run(**(given | more))


def split(transport: Transport, **run: Any) -> dict[str, Any]:
    """Split the file from beginning to end with the real code, and give what that took.

    Clients and mapping are made before, as in a function that is warm. Processor time is without
    that of the stand-ins.
    """
    plan, parts = plan_of(transport.file), parts_of(transport)
    wall, cpu = time.perf_counter(), time.process_time()
    begun = run_of(transport.file.stat().st_size, **run)
    if not Split(begun, plan, parts).read(lambda: 900.0):
        raise SystemExit("the split did not come to its end")
    seconds = time.process_time() - cpu - sum(transport.own)
    return {"seconds": seconds, "wall": time.perf_counter() - wall}


def peak_megabytes() -> float:
    """The most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
