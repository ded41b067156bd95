"""What a DAM of many assets costs: `python benchmarks/asset_flow.py 100000`.

The real poller and the real asset mapper, with stand-ins at the transport that answer at once: a
DAM that makes its assets up, a PIM that accepts all, a queue in a file, and a DynamoDB in a process
of its own, so that what is measured here is the connector's. Three rounds: all assets are new,
nothing has changed, one in a hundred has changed. The last line of the output is JSON.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "connector" / "python")]

from pim_connector.assets.composition import AssetMapper
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.queue import FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.dam.http import Clocks
from pim_connector.dam.loading import SourceFiles
from pim_connector.dam.polling import CursorTable, Round
from pim_connector.products.composition import AwsClients, Surroundings
from pim_connector.settings import AssetMapperSettings
from tests.nights.aws.dynamodb import DynamoDB
from tests.nights.aws.faults import Clock, Faults
from tests.nights.aws.s3 import S3
from tests.nights.aws.world import Secrets

START = 1_700_000_000
PER_SECOND = 5
PAGE = 500
GROUPS = 2
SOURCE = """
source: dam
base_url: https://dam.example.com
list:
  path: /assets
  params: {since: "{{since}}", limit: "{{limit}}", offset: "{{offset}}"}
  items: data
  pagination: {kind: offset, size: 500, max_size: 1000}
updated: updated
since: {format: epoch}
assets:
  family: packshots
  attributes:
    title: title
    sku: {from: name, steps: [{extract: "^([A-Z0-9-]+)_"}]}
    tags: tags
    url: {template: "https://cdn.example.com/{{id}}"}
"""
ATTRIBUTES = {"title": "text", "sku": "text", "tags": "multiple_options", "url": "media_link"}


class Cloud(BaseManager):
    """Gives a DynamoDB that lives in another process."""


def _dynamodb() -> DynamoDB:
    tables = DynamoDB(Faults())
    tables.add_table("runs", "pk", "sk")
    tables.add_table("sync_state", "pk")
    tables.add_table("state", "pk")
    return tables


Cloud.register("dynamodb", _dynamodb)


class Dam:
    """`size` assets, PER_SECOND of them with one stamp; the first `changed` were touched since."""

    def __init__(self, size: int) -> None:
        self.size, self.changed, self.requests = size, 0, 0

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Give a page of what was updated at `since` or later, oldest first."""
        self.requests += 1
        asked = {name: int(value) for name, value in request.url.params.items()}
        first = max(self.changed, (asked["since"] - START) * PER_SECOND) + asked["offset"]
        places = range(first, min(first + asked["limit"], self.size + self.changed))
        return httpx.Response(200, json={"data": [self._asset(place) for place in places]})

    def _asset(self, place: int) -> dict[str, Any]:
        number, version = place % self.size, place // self.size
        return {
            "id": f"asset-{number:07}",
            "name": f"SKU-{number // 4:06}_front.jpg",
            "title": f"Picture {number}, version {version}",
            "tags": ["product", "summer"],
            "updated": START + place // PER_SECOND,
            "exif": {"camera": "Alpha 7", "lens": "35 mm", "keywords": ["a", "b", "c"] * 5},
        }


class Pim:
    """Accepts every asset; counts requests, those that write, and assets."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer as https://api.akeneo.com/api-reference.html says."""
        self.counts["requests"] += 1
        path = request.url.path.removeprefix("/api/rest/v1")
        if path.endswith("/token"):
            token = {"access_token": "t", "refresh_token": "r", "expires_in": 3600}
            return httpx.Response(200, json=token)
        if request.method == "PATCH":
            lines = json.loads(request.content)
            self.counts["writes"] += 1
            self.counts["assets"] += len(lines)
            said = [{"code": line["code"], "status_code": 204} for line in lines]
            return httpx.Response(200, json=said)
        return httpx.Response(200, json=self._structure(path))

    def _structure(self, path: str) -> Any:
        if path.endswith("/attributes"):
            return [
                {"code": code, "type": kind, "value_per_locale": False, "value_per_channel": False}
                for code, kind in ATTRIBUTES.items()
            ]
        if path.endswith("/options"):
            return [{"code": code, "labels": {}} for code in ("product", "summer")]
        families = [{"code": "packshots"}] if path.endswith("asset-families") else []
        return {"_embedded": {"items": families}, "_links": {}}


class Wire(httpx.BaseTransport):
    """Leads to the DAM or to the PIM."""

    def __init__(self, dam: Dam, pim: Pim) -> None:
        self._dam, self._pim = dam, pim

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer at once."""
        request.read()
        there = self._dam if request.url.host == "dam.example.com" else self._pim
        return there.answer(request)


class FileQueue:
    """The asset queue in a file, so that what waits in it takes none of our memory."""

    def __init__(self, file: IO[str]) -> None:
        self._file, self._read = file, 0

    def send_message_batch(self, *, Entries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """Take messages, as SQS does."""
        self._file.seek(0, 2)
        for entry in Entries:
            print(entry["MessageGroupId"], entry["MessageBody"], file=self._file)
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def batches(self) -> Iterator[list[dict[str, Any]]]:
        """Give what waits, ten messages at a time, as Lambda's event source does."""
        self._file.flush()
        self._file.seek(self._read)
        while lines := list(islice(iter(self._file.readline, ""), 10)):
            self._read = self._file.tell()
            yield [self._record(line) for line in lines]

    def _record(self, line: str) -> dict[str, Any]:
        group, _, body = line.partition(" ")
        attributes = {"MessageGroupId": group, "SentTimestamp": str(START * 1000)}
        number = f"m{time.monotonic_ns()}"
        return {
            "messageId": number,
            "receiptHandle": number,
            "body": body.rstrip("\n"),
            "attributes": attributes | {"ApproximateReceiveCount": "1"},
        }


class Flow:
    """Poller and asset mapper between the stand-ins."""

    def __init__(self, size: int, dynamodb: Any, file: IO[str]) -> None:
        self.dam, self.pim, self.queue = Dam(size), Pim(), FileQueue(file)
        clock, faults = Clock(float(START)), Faults()
        s3, secrets, sqs = S3(clock, faults), Secrets(faults), self.queue
        secrets.values["pim"] = '{"app_token": "t"}'
        s3.put_object(Key="config/dam/dam.yaml", Body=SOURCE.encode())
        settings = AssetMapperSettings(
            bucket="bucket",
            run_table="runs",
            sync_state_table="sync_state",
            state_table="state",
            asset_queue_url="assets",
            asset_dead_letter_queue_url="dead",
            product_queue_url="products",
            akeneo_url="https://pim.example.com",
            akeneo_secret_arn="pim",  # noqa: S106  a name
        )
        wire = Wire(self.dam, self.pim)
        around = Surroundings(transport=lambda: wire)
        clients: Any = {"s3": s3, "sqs": sqs, "dynamodb": dynamodb, "secrets": secrets}
        self.mapper = AssetMapper(settings, AwsClients(**clients), around)
        state = Table(dynamodb, "state")
        asset_queue: Any = sqs
        self._round = {
            "files": SourceFiles(Bucket(clients["s3"], "bucket"), clients["secrets"]),
            "cursors": CursorTable(state),
            "leases": Leases(state),
            "queue": FifoQueue(asset_queue, "assets"),
            "groups": GROUPS,
            "clocks": Clocks(time_left=lambda: 900.0),
            "transport": wire,
        }

    def round(self, name: str) -> dict[str, Any]:
        """Poll once, map what it queued, and give what that took."""
        began, before = time.perf_counter(), Counter(self.pim.counts)
        asked = self.dam.requests
        parts: dict[str, Any] = self._round
        (report,) = Round(owner=name, **parts).run()
        polled = time.perf_counter()
        ends: Counter[str] = Counter()
        for records in self.queue.batches():
            handled = self.mapper.worker.handle(records, lambda: 600.0)
            ends.update(handled.counts)
        took = self.pim.counts - before
        return {
            "outcome": report["outcome"],
            "queued": report.get("assets", 0),
            "dam_requests": self.dam.requests - asked,
            "pim_requests": took["requests"],
            "pim_writes": took["writes"],
            "assets_sent": took["assets"],
            "ends": dict(ends),
            "poll_s": round(polled - began, 1),
            "map_s": round(time.perf_counter() - polled, 1),
            "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


def measure(size: int) -> dict[str, Any]:
    """Run the three rounds with `size` assets."""
    with Cloud() as cloud, tempfile.TemporaryFile("w+", encoding="ascii") as file:
        flow = Flow(size, cloud.dynamodb(), file)  # type: ignore[attr-defined]  # registered above
        rounds = {"all new": flow.round("new"), "nothing changed": flow.round("same")}
        flow.dam.changed = size // 100
        rounds["one in a hundred changed"] = flow.round("changed")
        flow.mapper.close()
    return rounds


def main() -> None:
    """Measure a small DAM first: what the big one takes beyond its peak is what size costs."""
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    small = measure(min(5000, size))
    print(f"{datetime.now(UTC):%H:%M:%S} measured {min(5000, size)} assets", file=sys.stderr)
    large = measure(size)
    before = small["one in a hundred changed"]["peak_rss_mb"]
    grown = round(large["one in a hundred changed"]["peak_rss_mb"] - before, 1)
    answer = {"assets": size, "page": PAGE, "memory_growth_mb": grown, "rounds": large}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
