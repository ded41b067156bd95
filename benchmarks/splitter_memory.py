"""How much memory a split needs, and how fast it is: `python benchmarks/splitter_memory.py 100000`.

The real splitter reads a generated export of 600 bytes a record; AWS answers at the transport,
at once and without keeping anything, so what is measured is the splitter's own. One record is
split first: the peak above that is what the size of a file costs. The last line is JSON.
"""

from __future__ import annotations

import io
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.response import StreamingBody

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "connector" / "python")]

from pim_connector.bucket import Bucket  # noqa: E402
from pim_connector.ledger import Ledger  # noqa: E402
from pim_connector.mapping import compile_mapping, load_mapping  # noqa: E402
from pim_connector.messages import MappingPin  # noqa: E402
from pim_connector.queues import FifoQueue  # noqa: E402
from pim_connector.runs.announcements import Announcements  # noqa: E402
from pim_connector.runs.leases import Leases  # noqa: E402
from pim_connector.runs.registry import Registry  # noqa: E402
from pim_connector.runs.run import Run  # noqa: E402
from pim_connector.runs.splits import Splits  # noqa: E402
from pim_connector.runs.table import RunTable  # noqa: E402
from pim_connector.split import Plan, Split, SplitterParts  # noqa: E402
from pim_connector.states import STATES  # noqa: E402

LANES = 4
MAPPING = b"""
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


def pieces(records: int) -> Iterator[bytes]:
    """Generate an export on one line: a model, then its nine variants, and so on."""
    noise = random.Random(1)  # noqa: S311 - text to pack, not a secret
    yield b"<export>"
    for number in range(records):
        text = f"{noise.getrandbits(1_800):0450x}"
        body = f"<name>Product {number}</name><text>{text}</text><weight unit='kg'>1.25</weight>"
        model = number - number % 10
        if number % 10 == 0 and records > 1:
            yield f"<model code='M{model:08d}'>{body}</model>".encode()
        else:
            yield f"<product sku='P{number:08d}' model='M{model:08d}'>{body}</product>".encode()
    yield b"</export>"


class Generated(io.RawIOBase):
    """The export as a stream."""

    def __init__(self, records: int) -> None:
        self._pieces = pieces(records)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, amount: int = -1, **_: Any) -> bytes:
        while len(self._rest) < amount:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._rest += piece
        found, self._rest = self._rest[:amount], self._rest[amount:]
        return found


class Transport:
    """Answers every request as AWS does when all is well, and counts messages by lane."""

    def __init__(self, records: int, size: int) -> None:
        self._records = records
        self._size = size
        self.messages: Counter[str] = Counter()
        self.items: Counter[str] = Counter()

    def answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:
        http = type("Answer", (), {"status_code": 200, "headers": {}})()
        return http, getattr(self, f"_{model.name}", lambda _: {})(params)

    def _GetObject(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - AWS's name
        body: Any = Generated(self._records)
        return {"Body": StreamingBody(body, self._size)}

    def _SendMessageBatch(self, params: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        entries = json.loads(params["body"])["Entries"]
        for entry in entries:
            body = json.loads(entry["MessageBody"])
            self.messages[f"{body['lane']} {body['resource']}"] += 1
            self.items[f"{body['lane']} {body['resource']}"] += len(body["records"])
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}

    def _BatchGetItem(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Responses": {}, "UnprocessedKeys": {}}

    def _Query(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Items": []}

    def _UpdateItem(self, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Attributes": {}}


def client(service: Any, transport: Transport) -> Any:
    made: Any = boto3.client(
        service,
        region_name="eu-central-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - opens nothing
    )
    made.meta.events.register("before-call", transport.answer)
    return made


def split(records: int) -> Transport:
    """Split an export of so many records with the real code."""
    size = sum(map(len, pieces(records)))
    transport = Transport(records, size)
    dynamodb = client("dynamodb", transport)
    table = RunTable(dynamodb, "runs")
    parts = SplitterParts(
        bucket=Bucket(client("s3", transport), "bucket"),
        registry=Registry(table),
        splits=Splits(table),
        leases=Leases(table),
        ledger=Ledger(dynamodb, "ledger"),
        queue=FifoQueue(client("sqs", transport), "https://queue.invalid/products.fifo"),
        announcements=Announcements(client("events", transport), "default"),
        lanes=LANES,
        trigger="upload",
        clock=lambda: datetime.now(UTC),
    )
    mapping = load_mapping(MAPPING, name="config/erp/bench.yaml")
    run = Run(
        id=f"bench-{records}",
        source="bench",
        bucket="bucket",
        key="incoming/bench/export.xml",
        version="1",
        size=size,
        order="2026",
        turn="2026",
        phase="splitting",
        counts=dict.fromkeys(STATES, 0),
    )
    plan = Plan(
        pin=MappingPin(key=mapping.name, version="1", digest=mapping.digest),
        program=compile_mapping(mapping),
        origin=mapping.file.source,
        others={},
    )
    if not Split(run, plan, parts).read(lambda: 900.0):
        raise SystemExit("the split did not come to its end")
    if sum(transport.items.values()) != records:
        raise SystemExit(f"{records} records came in, {dict(transport.items)} went out")
    return transport


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(records: int) -> dict[str, object]:
    split(1)
    before = peak_megabytes()
    started = time.perf_counter()
    transport = split(records)
    seconds = time.perf_counter() - started
    least = sum(-(-number // 100) for number in transport.items.values())
    return {
        "records": records,
        "megabytes": round(sum(map(len, pieces(records))) / 1e6, 1),
        "seconds": round(seconds, 1),
        "peak_above_one_record_mb": round(peak_megabytes() - before, 1),
        "messages": sum(transport.messages.values()),
        "fewest_messages": least,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
