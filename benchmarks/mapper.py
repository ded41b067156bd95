"""The mapper: records a second, calls a thousand products, and how busy it keeps the PIM.

    python -m benchmarks.mapper [--short]

Speed is that of one core, in turns with what bounds it: reading the same records with lxml and
writing the same products as JSON, without a mapping in between. Calls are counted with a PIM that
accepts at once. Busyness is measured with the simulated PIM at 55 ms a line and four message
groups.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any, Final

from lxml import etree

from benchmarks import catalogue
from benchmarks.account import AWS_SECONDS, Account
from benchmarks.flow import Flow, Spell
from benchmarks.pim import SECRET, AcceptingPim, simulated_pim
from benchmarks.results import measured_on, table, write_section
from pim_connector.akeneo.bulk import encode_line
from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.mapping.results import Mapped, payload
from pim_connector.records import SourceRecord

GROUPS: Final = 4
LINE_MILLISECONDS: Final = 55.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """Records a second on one core, the best of several turns."""

    attributes: int
    record_bytes: int
    bare: float
    mapped: float
    delivered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """What a message group does between two calls, in seconds: it waits for AWS, and it works.

    Work that is done while a request is under way is in both, so their sum is a little too much.
    """

    aws: float
    processor: float

    @property
    def seconds(self) -> float:
        """The whole pause, where nobody else wants the processor."""
        return self.aws + self.processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Busy:
    """How a load used the PIM's four calls, from the first PATCH to the end of the last.

    `groups` is the mean share of a message group's time that a call of it is under way, `all_four`
    the share of the time that all are; `pause` is between two calls of one message group, in
    seconds. `full` are the same two without the end, from where on a message group has no message
    left. `alone` is the pause of a message group that shares its processor with nobody.
    """

    records: int
    seconds: float
    groups: float
    all_four: float
    groups_full: float
    all_four_full: float
    pause: float
    call: float
    alone: Pause

    @property
    def undisturbed(self) -> float:
        """The share of a message group's time that its call is under way, where nobody waits for a
        core.
        """
        return self.call / (self.call + self.alone.seconds)

    @property
    def undisturbed_all(self) -> tuple[float, float]:
        """The share of the time that all message groups' calls are, at least and by chance.

        At least: no two message groups ever pause at a time. By chance: each pauses without regard
        to the others. Lanes that began together, with messages alike, pause together, which is
        more.
        """
        return 1 - GROUPS * (1 - self.undisturbed), self.undisturbed**GROUPS


def speed(attributes: int, records: int, turns: int) -> Speed:
    """Measure in turns: reading and writing alone, mapping, and the whole of a delivery."""
    found = [_record(n, attributes) for n in range(records)]
    ready = list(catalogue.products(records, attributes=attributes))
    compiled = compile_mapping(load_mapping(catalogue.mapping(attributes).encode(), name="erp"))
    structure = Structure.from_catalog(catalogue.structure(attributes))

    def bare() -> None:
        for record in found:
            etree.fromstring(record.xml)
        for product in ready:
            json.dumps(product, ensure_ascii=False, separators=(",", ":")).encode()

    def mapped() -> None:
        for record in found:
            result = compiled.map(record, structure)
            if not isinstance(result, Mapped):
                raise SystemExit(f"a record was not mapped: {result}")
            encode_line(dict(payload(result)))

    best = {"bare": 0.0, "mapped": 0.0, "delivered": 0.0}
    for _ in range(turns):
        for name, work in (("bare", bare), ("mapped", mapped)):
            best[name] = max(best[name], records / _processor_seconds(work))
        best["delivered"] = max(best["delivered"], records / _delivery_seconds(attributes, records))
    size = sum(len(record.xml.encode()) for record in found) // records
    return Speed(attributes=attributes, record_bytes=size, **best)


def _record(n: int, attributes: int) -> SourceRecord:
    xml = catalogue.record(n, attributes=attributes).strip()
    wrapped = f"<catalog><?pim-connector-record?>{xml}</catalog>"
    return SourceRecord(number=n + 1, line=n + 2, rule="product", xml=wrapped)


def _processor_seconds(work: Callable[[], None]) -> float:
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began


def _delivery_seconds(attributes: int, records: int) -> float:
    """Take records from the queue to an accepting PIM and into the sync state, with one worker."""
    flow, _ = accepting_flow(attributes, groups=1)
    flow.take_in(export(records, attributes=attributes))
    seconds = _processor_seconds(flow.deliver)
    if flow.ends["created"] != records:
        raise SystemExit(f"{records} records came in, and this went out: {dict(flow.ends)}")
    flow.close()
    return seconds


def accepting_flow(attributes: int, *, groups: int = GROUPS) -> tuple[Flow, AcceptingPim]:
    """Put a flow together whose AWS and PIM answer at once."""
    pim = AcceptingPim(catalogue.structure(attributes))
    flow = Flow(
        Account(secret=SECRET),
        catalogue.mapping(attributes),
        url="http://pim.invalid",
        groups=groups,
        transport=lambda: pim,
    )
    return flow, pim


def export(records: int, *, attributes: int = catalogue.BASE_ATTRIBUTES, night: int = 1) -> bytes:
    """Give an export as it lies in the bucket."""
    lines = (catalogue.record(n, attributes=attributes, night=night) for n in range(records))
    return f"<catalog>\n{''.join(lines)}</catalog>\n".encode()


def calls(records: int) -> dict[str, int]:
    """Count the PIM's calls for a first load, by kind; every record is a change."""
    flow, pim = accepting_flow(catalogue.BASE_ATTRIBUTES)
    flow.take_in(export(records))
    flow.deliver()
    if flow.ends["created"] != records:
        raise SystemExit(f"{records} records came in, and this went out: {dict(flow.ends)}")
    flow.close()
    return dict(pim.calls)


def busy(records: int, milliseconds: float) -> Busy:
    """Load records into the simulated PIM, with AWS as slow as it is, and see how busy it is."""
    with simulated_pim() as pim:
        pim.empty(catalogue.structure())
        pim.behave(latency_ms=milliseconds)
        account = Account(secret=SECRET, seconds=AWS_SECONDS)
        flow = Flow(account, catalogue.mapping(), url=pim.url, groups=GROUPS)
        flow.take_in(export(records))
        flow.deliver()
        flow.close()
    if flow.ends["created"] != records:
        raise SystemExit(f"{records} records came in, and this went out: {dict(flow.ends)}")
    return busyness(records, [spell for spell in flow.spells if spell.write], pause_alone())


def pause_alone(messages: int = 20, line_seconds: float = 0.002) -> Pause:
    """Take apart what is between two calls of a single message group whose messages are full.

    The PIM lives in this process and sleeps before each line, so that all processor time is the
    worker's. Cold starts are before the first call and not in it.
    """
    pim = AcceptingPim(catalogue.structure(), line_seconds)
    account = Account(secret=SECRET, seconds=AWS_SECONDS)
    flow = Flow(
        account, catalogue.mapping(), url="http://pim.invalid", groups=1, transport=lambda: pim
    )
    flow.take_in(export(messages * 100))
    flow.deliver()
    flow.close()
    calls = sorted((s for s in flow.spells if s.write), key=lambda spell: spell.began)
    pairs = list(pairwise(calls))
    waits = [waited(account.waits, before.ended, after.began) for before, after in pairs]
    return Pause(
        aws=flow.invoke_seconds + median(waits),
        processor=median(after.worked[0] - before.worked[1] for before, after in pairs),
    )


def waited(waits: Iterable[tuple[float, float]], began: float, ended: float) -> float:
    """Add up the time in which at least one request waited; side by side they count once."""
    total, reached = 0.0, began
    for start, seconds in sorted(waits):
        if began <= start < ended:
            total += max(0.0, start + seconds - max(start, reached))
            reached = max(reached, start + seconds)
    return total


def busyness(records: int, spells: list[Spell], alone: Pause) -> Busy:
    """Work out how the calls lie beside one another."""
    began, ended = min(s.began for s in spells), max(s.ended for s in spells)
    last_of_group = sorted(spell.ended for spell in spells)[-GROUPS:]
    full = last_of_group[0]
    gaps = (ended - began) * GROUPS - _sum(spells, began, ended)
    tail = sum(ended - end for end in last_of_group)
    return Busy(
        records=records,
        seconds=ended - began,
        groups=_sum(spells, began, ended) / (GROUPS * (ended - began)),
        all_four=_together(spells, began, ended) / (ended - began),
        groups_full=_sum(spells, began, full) / (GROUPS * (full - began)),
        all_four_full=_together(spells, began, full) / (full - began),
        pause=(gaps - tail) / max(1, len(spells) - GROUPS),
        call=_sum(spells, began, ended) / len(spells),
        alone=alone,
    )


def _sum(spells: list[Spell], began: float, ended: float) -> float:
    return sum(max(0.0, min(s.ended, ended) - max(s.began, began)) for s in spells)


def _together(spells: list[Spell], began: float, ended: float) -> float:
    """Add up the time in which as many calls as there are message groups were under way."""
    moments = [(s.began, 1) for s in spells] + [(s.ended, -1) for s in spells]
    now, total, before = 0, 0.0, began
    for moment, step in sorted(moments):
        until = min(moment, ended)
        if now >= GROUPS:
            total += max(0.0, until - before)
        now, before = now + step, max(before, until)
    return total


def report(speeds: list[Speed], counted: dict[int, dict[str, int]], used: Busy) -> Iterator[str]:
    """Write the section."""
    yield "## Mapper\n"
    yield measured_on("lxml", "msgspec", "httpx") + "\n"
    yield (
        "Records a second of one core (processor time, the best of several turns, each kind in "
        "turn). *Bare*: lxml reads the record, `json` writes a product, nothing in between. "
        "*Mapped*: XML to the line of a PATCH. *Delivered*: from the queue to the PIM and into the "
        "sync state, where AWS and PIM answer at once. Goal: 5,000 mapped at 12 attributes.\n"
    )
    rows = [
        (
            f"{one.attributes} attributes, {one.record_bytes} bytes",
            f"{one.bare:,.0f}",
            f"{one.mapped:,.0f}",
            f"{one.mapped / one.bare:.2f}",
            f"{one.delivered:,.0f}",
        )
        for one in speeds
    ]
    yield table(["record", "bare", "mapped", "mapped / bare", "delivered"], rows) + "\n"
    yield (
        "Calls to the PIM for products that all have changed, four message groups, the structure not in the "
        "cache. The last message of each message group is not full, hence two calls more than a hundredth "
        "on average: the goal of 10.2 is met from about 10,000 changed products on.\n"
    )
    kinds = ("PATCH", "structure", "token")
    yield (
        table(
            ["changed products", *kinds, "PATCH per 1,000"],
            [
                (
                    f"{n:,}",
                    *(one.get(kind, 0) for kind in kinds),
                    f"{one['PATCH'] * 1000 / n:.2f}",
                )
                for n, one in counted.items()
            ],
        )
        + "\n"
    )
    yield (
        f"{used.records:,} new products into the simulated PIM at {LINE_MILLISECONDS:g} ms a line, "
        f"four message groups, one message at a time in each; DynamoDB answers after "
        f"{AWS_SECONDS['dynamodb'] * 1000:.0f} ms, S3 after {AWS_SECONDS['s3'] * 1000:.0f} ms, and "
        f"between two messages Lambda needs 30 ms: {used.seconds:.0f} s, "
        f"{used.records / used.seconds:.1f} products/s "
        f"({GROUPS * 1000 / LINE_MILLISECONDS:.1f} are possible). Goal: 95 %.\n"
    )
    yield table(
        [
            "share of the time",
            "while every message group has messages",
            "to the end of the last call",
        ],
        [
            (
                "a message group's call is under way",
                f"{used.groups_full:.1%}",
                f"{used.groups:.1%}",
            ),
            ("all four at once", f"{used.all_four_full:.1%}", f"{used.all_four:.1%}"),
        ],
    )
    alone, (least, chance) = used.alone, used.undisturbed_all
    yield (
        f"\nBetween two calls of a message group there are {used.pause * 1000:.0f} ms. Of these "
        f"{alone.aws * 1000:.0f} ms are AWS's latency and {alone.processor * 1000:.0f} ms "
        f"processor time, as a message group by itself shows; the rest waited for a core, as here four "
        f"workers share one process and want it at the same moment. Where nobody waits for a core "
        f"a message group's call is under way {used.undisturbed:.1%} of the time, and all four at once "
        f"{least:.1%} if no two message groups ever paused together, {chance:.1%} if they pause without "
        f"regard to one another; message groups that began together and have messages alike pause together, "
        f"which is more.\n"
    )
    yield from TRIED


TRIED: Final = (
    "### What was tried, and what it gave\n",
    "Both versions side by side on one core, medians; found by profile.\n",
    "- The codes of a select's options were collected anew for every value of it: with 50 options "
    "unnoticed, with 5,000 records were mapped at 941/s. Now once for each structure: 4,854/s.",
    "- Least and greatest number, longest text and the words for yes and no were worked out for "
    "every value, and the place of a value was looked up by a tuple that was hashed each time; a "
    "list of one step was run as a list. Together with the options 1.14 times as fast at 12 "
    "attributes, 1.24 times at 60.",
    "- The sync state's hashes of values: each key was hashed again for every product, each value by "
    "a JSON encoder made for it. Remembered keys and one encoder: 6,496 to 31,121 products/s, "
    "the same bytes as before.",
    "- Parsing records as bytes instead of text, other options of lxml's parser: nothing (11 µs "
    "of some 150 µs a record); left as it was. Without the garbage collector: nothing.",
    "- The profile was flat, so fewer calls: what mapping and structure settle is worked out "
    "before the records come (`docs/decisions/0009`). Steps of the interpreter to map a record of "
    "12 attributes and write its payload: 8,644 to 6,690. Counted, not timed: other work on the "
    "machine does not change that.",
    "- Lines for the PIM by msgspec instead of `json`, which builds an encoder for each: 20 to "
    "11 µs a line, of which 8 look for numbers that JSON does not have.",
    "- A message waited for ten requests to DynamoDB one after another, and the PIM with it. "
    "Now it waits for five: whether it is booked and whether the PIM is up are asked side by side, "
    "so are its products' entries while the attempt is counted; what the PIM takes is noted in the "
    "sync state, 25 products a request, while it still answers for the others (`docs/decisions/0014`). "
    "A message group by itself, in turns with how it was: 90 to 60 ms of AWS between two calls (30 of them "
    "are Lambda's own), and a fifth less processor time, as what is noted during the call is "
    "worked out during the call.",
    "- A message with a record that is rejected or has a warning is kept in S3 while the PIM has "
    "it, if that is known by then, and not after: 30 ms, and where one record in a hundred is such "
    "two messages in three are.",
    "- A structure that was not in the cache was looked for there twice, 30 ms at a cold start. "
    "Only one of four workers fetching it when all start cold: left, as it would need a lock.",
    "- Booking and then reading the run, to see whether that was its last message: one after the "
    "other still, as a transaction does not answer with what it wrote; and reading before it, two "
    "workers could each take the other's message for the last.",
    "- Counting the attempt along with the first two questions: not done. While the PIM is down it "
    "would have to be taken back each time, and each time that failed a crash would be counted.",
    "- What is left: reading file and record takes a fifth of the time; the rest is spread over "
    "many small functions of the mapping language.",
)


def main(short: bool) -> None:
    """Measure all three and write the section, or only see that they run."""
    if short:
        print(speed(12, 200, 1), calls(400), busy(400, 2.0), sep="\n")
        return
    speeds = [speed(12, 1_000, 5), speed(60, 400, 5)]
    counted: dict[int, Any] = {n: calls(n) for n in (1_000, 10_000, 20_000)}
    used = busy(3_000, LINE_MILLISECONDS)
    write_section("mapper", "\n".join(report(speeds, counted, used)))


if __name__ == "__main__":
    main("--short" in sys.argv)
