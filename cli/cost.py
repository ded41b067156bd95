"""`pim-connector cost`: what files of some size cost on AWS, and how long the PIM needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cli.cost_model import Volume

app = typer.Typer()
SIZES = (1_000, 100_000, 1_000_000)
NIGHTLY_SHARE = 0.01


@app.command()
def cost(
    records: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Products in the file; may be given several times."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="The page docs/cost.md.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Say what files cost on AWS: a first load, a month of nights, a month without any.

    Example: pim-connector cost --records 250000
    """
    sizes = tuple(records or SIZES)
    if as_json:
        typer.echo(json.dumps(figures(sizes)))
    elif markdown:
        typer.echo(page(), nl=False)
    else:
        typer.echo("\n".join(table(sizes)))


def figures(sizes: tuple[int, ...]) -> dict[str, object]:
    """Give the figures of the tables, in dollars and hours."""
    from cli import prices
    from cli.cost_model import Volume, file_cost, idle_month, nightly_month

    loads = [Volume(records=size, sent=size, first=True) for size in sizes]
    return {
        "prices_of": prices.DATE,
        "region": prices.REGION,
        "idle_month": round(idle_month(), 2),
        "files": [
            {
                "records": load.records,
                "first_load": round(file_cost(load).total, 4),
                "first_load_hours": round(load.seconds / 3_600, 2),
                "night": round(file_cost(_night(load.records)).total, 4),
                "nightly_month": round(nightly_month(load.records, NIGHTLY_SHARE), 2),
            }
            for load in loads
        ],
    }


def _night(records: int) -> Volume:
    from cli.cost_model import Volume

    return Volume(records=records, sent=round(records * NIGHTLY_SHARE))


def table(sizes: tuple[int, ...]) -> Iterator[str]:
    """Draw the totals as a Markdown table."""
    from cli.cost_model import Volume, file_cost, nightly_month

    heads = ("products", "first load", "PIM busy for", "night, 1 % changed", "month of such nights")
    yield f"| {' | '.join(heads)} |"
    yield "| ---: | ---: | ---: | ---: | ---: |"
    for size in sizes:
        load = Volume(records=size, sent=size, first=True)
        yield (
            f"| {size:,} | ${file_cost(load).total:,.4f} | {span(load.seconds)} |"
            f" ${file_cost(_night(size)).total:,.4f} | ${nightly_month(size, NIGHTLY_SHARE):,.2f} |"
        )


def span(seconds: float) -> str:
    """Say a span of time as people do."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5_400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3_600:.1f} h"


def idle_rows() -> Iterator[tuple[str, str]]:
    """Yield what a month costs in which nothing comes, and what parameters add to it."""
    from cli import cost_model, prices
    from cli.cost_model import HOURS_A_MONTH, idle_month

    yield (
        f"a stack with default parameters: {cost_model.ALARMS} alarms, an idle queue that is asked "
        f"{cost_model.POLLERS} times every 20 seconds, a schedule, {cost_model.SECRETS} secrets",
        f"${idle_month():.2f}",
    )
    yield (
        f"the same with `Dam=ENABLED`: {cost_model.DAM_ALARMS} alarms, two queues, a schedule and "
        "a secret more",
        f"${idle_month(dam=True):.2f}",
    )
    uses = prices.KMS_REQUEST * prices.MILLION
    for what, price in (
        ("`Dashboard=ENABLED`", prices.DASHBOARD_MONTH),
        (f"`KmsKeyArn`: the key, and ${uses:.2f} for a million uses of it", prices.KMS_KEY_MONTH),
        (
            "`VpcSubnetIds`: a NAT gateway in one zone, without its traffic",
            prices.NAT_HOUR * HOURS_A_MONTH,
        ),
        (
            "or an interface endpoint, for each service and zone",
            prices.ENDPOINT_HOUR * HOURS_A_MONTH,
        ),
    ):
        yield what, f"+ ${price:.2f}"


def page() -> str:
    """Write docs/cost.md."""
    from dataclasses import asdict

    from cli import cost_model, prices
    from cli.cost_model import Volume, file_cost

    rows = [asdict(file_cost(Volume(records=size, sent=size, first=True))) for size in SIZES]
    parts = ["| part | " + " | ".join(f"{size:,} products" for size in SIZES) + " |"]
    parts.append("| --- |" + " ---: |" * len(SIZES))
    parts += [
        f"| {name} | " + " | ".join(f"${r[name]:.4f}" for r in rows) + " |" for name in rows[0]
    ]
    totals = "\n".join(table(SIZES))
    idle = "\n".join(f"| {what} | {price} |" for what, price in idle_rows())
    stored = "\n".join(f"| {size:,} | ${cost_model.storage_month(size):,.2f} |" for size in SIZES)
    return f"""# What it costs

Written by `pim-connector cost --markdown`; the prices are in `cli/prices.py` ({prices.REGION},
as of {prices.DATE}), the model in `cli/cost_model.py`. The figures are worked out, not read from a
bill: requests, gigabyte-seconds and 64-KB chunks as the functions need them, times the price. The
free tier is not taken off (an account's first ten alarms, ten metrics and three dashboards).

{totals}

The last column is a file each night and what lies idle between them. Storage comes on top: each
file is kept twice for `KeepFilesDays`, as it was uploaded and below `done/`. Gzip makes it a tenth.

| products a night | files, reports and tables after {cost_model.KEEP_DAYS} nights |
| ---: | ---: |
{stored}

## A month in which nothing comes

| what | a month |
| --- | ---: |
{idle}

Not in it: traffic, media files (your DAM's and your PIM's servers), and what mails cost beyond the
first thousand.

The PIM is the slow part, and how slow is assumed: {cost_model.MILLISECONDS_A_LINE:.0f} ms a product
in these tables, four calls at once. A slow PIM takes {cost_model.MOST_MILLISECONDS_A_LINE:.0f} ms;
*PIM busy for* and *mapper* grow with it. The functions wait for it, which is most of what a first
load costs.

## A first load by part

{chr(10).join(parts)}

*splitter* and *mapper* are Lambda (arm64, {cost_model.SPLITTER_MB:,} and
{cost_model.MAPPER_MB:,} MB) · *queue* is SQS FIFO, by 64 KB · *sync state* is a read and a
write per product sent, and from the second file on a read more; after a job a read per record ·
*books* are the windows and messages of the run ·
*files* are requests to S3 · *telemetry* are metrics, by the hour, and logs. `python -m
benchmarks.cost` counts them all in the real flow and compares.

For a file of your own `pim-connector plan` says what it would cost.
"""
