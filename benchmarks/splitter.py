"""How fast a file is split, and in how much memory, against parsers that do nothing else.

    python benchmarks/splitter.py [RECORDS …]          (100000 and 1000000)
    python benchmarks/splitter.py --child NAME FILE    one measurement; its last line is JSON

Each contender reads the same file in a process of its own. One record is read first; the peak of
memory above that is what the size of the file costs. Seconds are those of the processor, because
other work on the machine does not count there. The splitter's part is everything: reading,
identity, fingerprint, sync state, message groups, packing, booking windows, checkpoints and
sending, up to where boto3 would sign and send a request. The sync state is not asked about the
first file of a source.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.results import measured_on, table, write_section
from benchmarks.split_stand_ins import (
    SHAPES,
    STARTERS,
    Transport,
    parts_of,
    peak_megabytes,
    plan_of,
    run_of,
    split,
    write_export,
)
from pim_connector.erp.reader import read_records
from pim_connector.products.split import Split

SIZES = (100_000, 1_000_000)
TRIED = """### What was tried

In microseconds of processor time a record, with bare lxml at 5 to 8 in the same runs (tents).

- Reading took 37. No start tags announced inside a record, state of a path remembered by name,
  skeletons and heads kept, bytes instead of a bytearray, control characters looked for by
  `translate` instead of a regular expression: 17.
- Identity and fingerprint took 27. Identities that stand plainly in the text are read without
  building a tree; frozen dataclasses of the inner loop became msgspec structs: 9.
- The sync state's requests took 2.4 ms each. Without botocore's validation of our own parameters: 0.8;
  only the attributes that are compared are asked for; one pool of ten readers instead of a new one
  for each window.
- XML with letters beyond ASCII was encoded twice, the second time by `json` as a whole; now only
  the XML is.
- Records that follow one another were cut by their text, and identities were looked for in it:
  both are gone again (decision 0070), because nobody waits for the splitter.
- Text was made UTF-8 twice, for a check and for expat; now once.
- A request for 100 keys of the sync state took 0.78 ms of botocore; its body written by msgspec: 0.28,
  of which half was to put the name of the user agent together; it has a name of its own now.
- Messages in UTF-8 instead of ASCII: letters beyond ASCII are not escaped any more, 4 a record.
- A file in UTF-8 is checked and passed on as it is, instead of made text and bytes again; control
  characters are looked for one by one, which is quicker than `translate`: 3.8 to 1.2.
- Comments and CDATA are followed forward instead of looked for three times from the end, one byte
  is looked for before two, lines are counted by ourselves: cutting took 6.7, now 3.8.
- The first file of a source asks the sync state nothing, because nothing can be in it: 5 to 8. The row
  above that asks is for a file of products that are all new, or without the baseline (Delta).
- Identities: attributes are looked for in the start tag alone, colons of addresses no longer mean
  that the record is parsed: 4 to 2. The set of identities is buckets of 8 bytes a product: an add
  takes 0.3 instead of 1.3, and nothing is doubled while it grows.
- Hash functions are begun from a copy, no cache of message groups that nearly always misses: 1.5.
- Real exports took 12 times bare lxml, in which our own shapes above have no part: their mappings
  look rows up in tables. The whole mapping was run to find those rows; now only what looks rows up.
  A DTD, which every YML file names, had each tag announced. Records of more than 240 elements were
  announced tag by tag. A record is parsed once instead of three times.
- What is left is spread: expat 4, cutting and decoding 5, and identity, fingerprint, hash, message group,
  decision, packing and encoding 0.3 to 3 each, in Python. Not done: a reader in C."""
REAL = Path(__file__).resolve().parents[2] / "shared" / "erp"
REAL_CONTENDERS = ("lxml", "elementtree", "xmltodict", "reading", "splitter")
TURNS = 5


def bare_lxml(path: Path) -> None:
    from lxml import etree

    for _, element in etree.iterparse(str(path), huge_tree=True, recover=False):
        element.clear()
        if element.getparent() is not None and element.getparent().getparent() is None:
            while element.getprevious() is not None:
                del element.getparent()[0]


def bare_elementtree(path: Path) -> None:
    from xml.etree import ElementTree

    root = None
    for event, element in ElementTree.iterparse(path, events=("start", "end")):  # noqa: S314
        root = element if root is None else root
        if event == "end" and element is not root:
            element.clear()
        if event == "end" and len(root) > 1_000:
            root.clear()


def bare_xmltodict(path: Path) -> None:
    import xmltodict  # type: ignore[import-untyped]

    with path.open("rb") as file:
        xmltodict.parse(file, item_depth=2, item_callback=lambda *_: True)


def reading(path: Path) -> dict[str, Any]:
    compiled = plan_of(path).compiled
    began = time.process_time()
    for _ in read_records(lambda: path.open("rb"), compiled):
        pass
    return {"seconds": time.process_time() - began}


def splitting(path: Path, *, first: bool = True) -> dict[str, Any]:
    """Split the first file of a source, or a later one none of whose products is known."""
    transport = Transport(path)
    return split(transport, first=first) | {
        "records": transport.records,
        "messages": transport.messages.total(),
        "chunks": transport.requests["TransactWriteItems"] - 1,
    }


def resumed(path: Path) -> dict[str, Any]:
    """Split, with the time running out once, in the middle; then read from the start again."""
    transport = Transport(path, chunks=[])
    size, parts, plan = path.stat().st_size, parts_of(transport), plan_of(path)
    half = max(size // 600 // 2_000, 1)
    stops = iter([0.0])

    def remaining() -> float:
        chunks = transport.requests["TransactWriteItems"] - 1
        return next(stops, 900.0) if chunks >= half else 900.0

    kept: dict[str, bytes] = transport.objects
    put = parts.bucket.put

    def keep(key: str, body: Any) -> None:
        if isinstance(body, bytes):
            kept[key] = body
        put(key, body)

    parts.bucket.put = keep  # type: ignore[method-assign]  # the checkpoint is read again
    began = time.process_time()
    if Split(run_of(size, first=True), plan, parts).read(remaining):
        raise SystemExit("the split came to its end at once")
    checkpoint = max(key for key in kept if "checkpoint" in key)
    again = run_of(size, first=True, checkpoint=checkpoint)
    if not Split(again, plan, parts).read(remaining):
        raise SystemExit("the split did not come to its end")
    return {
        "records": transport.records,
        "seconds": time.process_time() - began - sum(transport.own),
    }


CONTENDERS: dict[str, tuple[str, Callable[[Path], Any]]] = {
    "lxml": ("lxml.iterparse, no work", bare_lxml),
    "elementtree": ("ElementTree.iterparse, no work", bare_elementtree),
    "xmltodict": ("xmltodict, streaming, no work", bare_xmltodict),
    "reading": ("our reader alone", reading),
    "splitter": ("**splitter, all of it**", splitting),
    "later": (
        "splitter, where the sync state is asked about each product",
        partial(splitting, first=False),
    ),
    "resumed": ("splitter, stopped and taken up once (memory with what was booked)", resumed),
}


def child(name: str, path: Path) -> dict[str, Any]:
    """Measure one contender in this process."""
    _, contender = CONTENDERS[name]
    with tempfile.TemporaryDirectory() as folder:
        one = Path(folder, path.name)
        write_export(one, 1)
        (splitting if name == "resumed" else contender)(one)
    before, wall, cpu = peak_megabytes(), time.perf_counter(), time.process_time()
    told = contender(path)
    return {
        "seconds": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "peak_above_one_record_mb": round(peak_megabytes() - before, 1),
        "megabytes": path.stat().st_size / 1e6,
    } | (told or {})


def measured(name: str, path: Path) -> dict[str, Any]:
    """Measure one contender in a process of its own."""
    command = [sys.executable, __file__, "--child", name, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compared(shape: str, records: int) -> str:
    """Measure all contenders with one file, and give the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{shape}.xml")
        size = write_export(path, records)
        found = {}
        for name in CONTENDERS:
            found[name] = measured(name, path)
            print(shape, name, found[name], file=sys.stderr)
            if found[name].get("records", records) != records:
                raise SystemExit(f"{name}: {found[name]['records']} of {records} records")
    limit = found["lxml"]["seconds"]
    rows = [
        [
            CONTENDERS[name][0],
            f"{size / 1e6 / each['seconds']:.1f}",
            f"{records / each['seconds']:,.0f}",
            f"{each['seconds'] / limit:.1f}",
            f"{each['peak_above_one_record_mb']:.1f}",
        ]
        for name, each in found.items()
    ]
    head = ["what", "MB/s", "records/s", "times bare lxml", "MB of memory above one record"]
    return (
        f"### {records:,} records, {size / 1e6:.0f} MB: {SHAPES[shape][0].__doc__}\n\n"
        f"{table(head, rows)}"
    )


def real_files() -> str:
    """Compare the contenders on the real exports, as far as they are there."""
    paths = [path for stem in STARTERS if (path := REAL / f"{stem}.xml").exists()]
    if not paths:
        return "### Real exports\n\nSKIPPED: they are kept outside of the project and not there."
    rows, total = [], Counter[str]()
    for path in sorted(paths, key=lambda path: -path.stat().st_size):
        seconds = _fastest(path)
        total.update(seconds)
        records = _records(path)
        rows.append(_row(path.stem, path.stat().st_size, f"{records:,}", seconds))
    size = sum(path.stat().st_size for path in paths)
    rows.append(_row("together", size, "", total))
    names = [CONTENDERS[name][0] for name in REAL_CONTENDERS]
    head = ["file", "MB", "records", *(f"{name}, MB/s" for name in names), "splitter / bare lxml"]
    return (
        "### Real exports, with the mappings that the project offers for their formats\n\n"
        f"Of those that have more than a few records; the quickest of {TURNS} turns. What a split "
        f"costs however small its file is, {1000 * _least():.0f} ms, is in it.\n\n"
        f"{table(head, rows)}"
    )


def _least() -> float:
    """Seconds to split a file of one record."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "catalogue.xml")
        write_export(path, 1)
        return min(float(splitting(path)["seconds"]) for _ in range(TURNS))


def _records(path: Path) -> int:
    return sum(1 for _ in read_records(lambda: path.open("rb"), plan_of(path).compiled))


def _row(name: str, size: int, records: str, seconds: Mapping[str, float]) -> list[str]:
    speeds = [f"{size / 1e6 / seconds[each]:.1f}" for each in REAL_CONTENDERS]
    return [
        name,
        f"{size / 1e6:.1f}",
        records,
        *speeds,
        f"{seconds['splitter'] / seconds['lxml']:.1f}",
    ]


def _fastest(path: Path) -> dict[str, float]:
    """Processor time of each contender, in turns."""
    best = dict.fromkeys(REAL_CONTENDERS, float("inf"))
    for _ in range(TURNS):
        for name in best:
            cpu = time.process_time()
            told = CONTENDERS[name][1](path) or {"seconds": time.process_time() - cpu}
            best[name] = min(best[name], told["seconds"])
    return best


def main(sizes: list[int]) -> None:
    """Measure, print and write down."""
    sections = [compared("catalogue", size) for size in sizes]
    sections += [compared("tents", min(sizes)), real_files(), TRIED]
    text = "\n\n".join(["## Splitter", measured_on("lxml", "boto3", "msgspec"), *sections])
    print(text)
    write_section("splitter", text)


if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(sys.argv[2], Path(sys.argv[3]))))
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
