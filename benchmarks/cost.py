"""Is the cost model right? What the real flow asks of AWS is counted and compared with it.

    python -m benchmarks.cost [--short]

A first load and a night with 1 % changed, with a PIM and an AWS that answer at once. Then memory:
what a message and a file cost with how much of it, and how long the PIM waits meanwhile.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Final

from benchmarks import catalogue
from benchmarks.account import Meter
from benchmarks.mapper import accepting_flow, export
from benchmarks.results import measured_on, table, write_section
from cli import cost_model, prices
from cli.cost_model import Volume, file_cost, file_units

RECORDS: Final = 3_000
MEMORY: Final = (256, 512, 1_024, 1_769, 3_008)


def counted(records: int) -> dict[str, dict[str, int]]:
    """Count a first load, and a second night in which one product in a hundred has changed."""
    flow, _ = accepting_flow(catalogue.BASE_ATTRIBUTES)
    found: dict[str, dict[str, int]] = {}
    for night, name in ((1, "first load"), (2, "1 % changed")):
        before, done = flow.account.meter.copy(), flow.ends["messages done"]
        flow.take_in(export(records, night=night), f"night-{night}.xml")
        flow.deliver()
        messages = flow.ends["messages done"] - done
        found[name] = _as_units(flow.account.meter.since(before), messages)
    flow.close()
    return found


def _as_units(meter: Meter, messages: int) -> dict[str, int]:
    """Name what was counted as the model does; Lambda itself receives what was sent."""
    units, requests = meter.units, meter.requests
    return {
        "messages": messages,
        "chunks": 2 * units["sqs chunks"],
        "sync_state_reads": units["sync state read units"],
        "sync_state_writes": units["sync_state write units"],
        "store_reads": units["runs read units"] + units["state read units"],
        "store_writes": units["runs write units"] + units["state write units"],
        "puts": requests["s3.put_object"] + requests["s3.copy"] + requests["s3.list_objects_v2"],
        "gets": requests["s3.get_object"] + requests["s3.head_object"],
    }


def modelled(records: int) -> dict[str, dict[str, int]]:
    """Give what the model says of the same two files."""
    size = len(export(records)) // records
    changed = len(range(7, records, catalogue.CHANGED_EVERY))
    return {
        name: asdict(
            file_units(Volume(records=records, sent=sent, record_bytes=size, first=sent == records))
        )
        for name, sent in (("first load", records), ("1 % changed", changed))
    }


def report(records: int) -> Iterator[str]:
    """Write the section."""
    real, model = counted(records), modelled(records)
    yield "## Cost model\n"
    yield measured_on() + "\n"
    yield (
        f"Counted in the real flow with {records:,} products of 12 attributes, beside what "
        "`cli/cost_model.py` says; in units as AWS bills them (DynamoDB by 4 KB read and 1 KB "
        "written, twice in a transaction; SQS by 64 KB, sent and received). Money is in "
        f"`docs/cost.md`, prices of {prices.DATE} in `cli/prices.py`.\n"
    )
    names = list(real["first load"])
    yield table(
        ["unit", *(f"{night}, {kind}" for night in real for kind in ("counted", "model"))],
        [
            (
                name.replace("_", " "),
                *(f"{each[night][name]:,}" for night in real for each in (real, model)),
            )
            for name in names
        ],
    )
    yield (
        "\n### Memory\n\nA power tuning on the model: a full message of the mapper, "
        f"{cost_model.MAPPER_SECONDS_A_LINE * 1000:g} ms of processor time a record and "
        f"{cost_model.AWS_SECONDS_A_MESSAGE:g} s of waiting for AWS beside the PIM's 5.5 s; and "
        f"the splitter at {cost_model.SPLITTER_RECORDS_A_SECOND:,} records/s on a whole processor, "
        "which Lambda gives at 1,769 MB; a million products each.\n"
    )
    yield table(
        ["MB", "mapper", "PIM busy", "first load", "splitter", "splitting"], list(_tuning())
    )
    yield (
        "\nThe mapper waits, so each doubling nearly doubles its price, and what it buys is a PIM "
        f"that waits less: {cost_model.MAPPER_MB:,} MB is where a doubling still saves minutes "
        "for cents. The splitter computes: up to one processor more memory costs nothing and "
        f"takes less time, beyond it nothing is won, hence {cost_model.SPLITTER_MB:,} MB. The "
        "other functions are short or seldom and have 512 MB, but for the asset mapper (1,024), "
        "through which files go."
    )


def _tuning() -> Iterator[tuple[str, ...]]:
    load = Volume(records=1_000_000, sent=1_000_000, first=True)
    for megabytes in MEMORY:
        message = cost_model.message_seconds(load, megabytes)
        busy = 1 - cost_model.pause_seconds(load, megabytes) / message
        split = cost_model.splitter_seconds(load, megabytes)
        per_second = megabytes / 1_024 * prices.LAMBDA_GB_SECOND
        yield (
            f"{megabytes:,}",
            f"${load.calls * message * per_second:.2f}",
            f"{busy:.1%}",
            f"{load.seconds / busy / 3600:.2f} h",
            f"${split * per_second:.4f}",
            f"{split / 60:.0f} min",
        )


def main(short: bool) -> None:
    """Count and write the section, or only see that it runs."""
    if short:
        print(counted(1_000), modelled(1_000), file_cost(Volume(records=1_000, sent=10)), sep="\n")
        return
    write_section("cost", "\n".join(report(RECORDS)))


if __name__ == "__main__":
    main("--short" in sys.argv)
