"""What the second night costs: a full export of which one product in a hundred has changed.

    python benchmarks/delta.py [RECORDS]          (1000000)
    python benchmarks/delta.py --child NAME FILE OLD

The sync state is full. The real splitter finds what has changed, packs it and sends it; DynamoDB
stands in and answers each request after 8 milliseconds, as many at once as are asked. Once with the
baseline that the run before left behind, and once without it, as after a night with a job.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from array import array
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.catalogue import CHANGED_EVERY
from benchmarks.results import measured_on, table, write_section
from benchmarks.split_stand_ins import (
    Transport,
    plan_of,
    run_of,
    split,
    write_export,
)
from benchmarks.splitter import bare_lxml, reading
from cli import prices
from pim_connector.aws.table import _pack
from pim_connector.erp.reader import read_records
from pim_connector.mapping.results import Identity
from pim_connector.records import fingerprint
from pim_connector.sync.chunks import CHUNK, Chunk, encode_hashes, identity_hash
from pim_connector.sync.snapshot import baseline_key, keep_baseline, print_of

SIZE: Final = 1_000_000
LATENCY: Final = 0.008
PRINT: Final = 12


class LastNight:
    """What the run before left: the sync state's fingerprints by number of the product, its
    list.
    """

    def __init__(self, old: Path) -> None:
        self.prints = bytearray()
        self._chunks: list[Chunk] = []
        hashes, prints = array("Q"), array("Q")
        self.digest = plan_of(old).pin.digest
        compiled = plan_of(old).compiled
        for record in read_records(lambda: old.open("rb"), compiled):
            found = compiled.identify(record)
            assert isinstance(found, Identity)  # noqa: S101 - the export has no other
            version = fingerprint(record)
            self.prints += version
            hashes.append(identity_hash(found.resource, found.identifier))
            prints.append(print_of(version))
        self.records = len(hashes)
        for start in range(0, len(hashes), CHUNK):
            few = slice(start, start + CHUNK)
            chunk = Chunk(
                number=start // CHUNK + 1,
                decisions="u" * len(hashes[few]),
                hashes=encode_hashes(hashes[few]),
                prints=encode_hashes(prints[few]),
            )
            self._chunks.append(chunk)

    def entry(self, key: str) -> dict[str, Any]:
        """Answer for one sync state key as DynamoDB does."""
        number = int(key.rpartition("-")[2])
        version = bytes(self.prints[number * PRINT : (number + 1) * PRINT])
        return {
            "pk": {"S": key},
            "o": {"S": "2026-01"},
            "f": {"B": version},
            "m": {"S": self.digest},
        }

    def leave(self, transport: Transport) -> None:
        """Put the run's header and its list where the next run looks for them."""
        before = replace(
            run_of(0, id="before", order="2026-01"),
            records=self.records,
            finished_at="2026-01-02T00:00:00Z",
            mapping=plan_of(transport.file).pin,
        )
        kept: Any = _Kept(transport.objects)
        keep_baseline(before, lambda: self._chunks, (), kept)
        assert baseline_key("bench", "before") in transport.objects  # noqa: S101
        header = {
            "id": "before",
            "finished_at": before.finished_at,
            "mapping": {"key": "k", "version": "1", "digest": self.digest},
        }
        plain = {name: getattr(before, name) for name in ("source", "bucket", "key", "version")}
        plain |= {"order": before.order, "turn": before.turn, "phase": "finished"}
        transport.items["run#before", "run"] = _pack(header | plain)


class _Kept:
    """A bucket that only takes objects in."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def put(self, key: str, body: Any) -> None:
        self._objects[key] = body if isinstance(body, bytes) else body.read()


def child(name: str, path: Path, old: Path) -> dict[str, Any]:
    """Measure in this process."""
    if name in ("lxml", "reading"):
        wall, cpu = time.perf_counter(), time.process_time()
        (bare_lxml if name == "lxml" else reading)(path)
        return {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    night = LastNight(old)
    transport = Transport(path, sync_state=night.entry, latency=LATENCY)
    if name == "baseline":
        night.leave(transport)
    took = split(transport, follows="before" if name == "baseline" else "")
    took["cpu"] = took.pop("seconds")
    asked = {name: count for name, count in transport.requests.items() if name[0] in "BGQTU"}
    asked.pop("GetObject", None)
    return took | {
        "dynamodb": asked,
        "requests": sum(asked.values()),
        "units": dict(transport.units),
        "price": transport.units["read"] * prices.DYNAMODB_READ
        + transport.units["write"] * prices.DYNAMODB_WRITE,
        "sent": transport.records,
        "pim_calls": transport.messages.total(),
        "keys_read": transport.units["read"],
    }


def measured(name: str, path: Path, old: Path) -> dict[str, Any]:
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--child", name, str(path), str(old)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(name, found, file=sys.stderr)
    return found


def compared(records: int) -> str:
    """Compare the second night with parsing alone, and give the text; in whole hundreds."""
    records -= records % CHANGED_EVERY
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old", "catalogue.xml"), Path(folder, "catalogue.xml")
        old.parent.mkdir()
        write_export(old, records)
        size = write_export(new, records, night=2)
        lxml, parse = measured("lxml", new, old), measured("reading", new, old)
        found = {name: measured(name, new, old) for name in ("baseline", "sync_state")}
    changed = records // CHANGED_EVERY
    for name, each in found.items():
        if each["sent"] != changed:
            raise SystemExit(f"{name}: {each['sent']} records sent, {changed} have changed")
    words = {"baseline": "with the baseline", "sync_state": "without, all by the sync state"}
    rows: list[list[object]] = [
        ["bare lxml.iterparse", f"{lxml['cpu']:.1f}", f"{lxml['wall']:.1f}", "", "", "", "", ""],
        ["our reader alone", f"{parse['cpu']:.1f}", f"{parse['wall']:.1f}", "", "", "", "", ""],
    ]
    rows += [
        [
            words[name],
            f"{each['cpu']:.1f}",
            f"{each['wall']:.1f}",
            f"{each['wall'] / parse['wall']:.1f}",
            f"{each['wall'] / lxml['wall']:.1f}",
            f"{each['requests']:,}",
            f"{each['keys_read']:,}",
            f"${each['price']:.4f}",
        ]
        for name, each in found.items()
    ]
    head = ["what", "CPU s", "s", "times reader", "times lxml", "DynamoDB requests"]
    told = table([*head, "items read", "price"], rows)
    pim = found["baseline"]["pim_calls"]
    return (
        f"### {records:,} records, {size / 1e6:.0f} MB, {changed:,} changed\n\n{told}\n\n"
        f"The changed ones are {pim:,} messages, so {pim:,} calls of the PIM. Prices of "
        f"{prices.DATE}, {prices.REGION}, on demand; writes are the splitter's books of windows, "
        f"{found['baseline']['units']['write']:,} units."
    )


def main(records: int) -> None:
    """Measure, print and write down."""
    text = "\n\n".join(["## Delta", measured_on("lxml", "boto3", "msgspec"), compared(records)])
    print(text)
    write_section("delta", text)


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else SIZE)
