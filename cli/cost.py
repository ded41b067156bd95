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


def page() -> str:
    """Write docs/cost.md."""
    from dataclasses import asdict

    from cli import cost_model, prices
    from cli.cost_model import Volume, file_cost, idle_month

    rows = [asdict(file_cost(Volume(records=size, sent=size, first=True))) for size in SIZES]
    parts = ["| part | " + " | ".join(f"{size:,} products" for size in SIZES) + " |"]
    parts.append("| --- |" + " ---: |" * len(SIZES))
    parts += [
        f"| {name} | " + " | ".join(f"${r[name]:.4f}" for r in rows) + " |" for name in rows[0]
    ]
    totals = "\n".join(table(SIZES))
    return f"""# What it costs

Written by `pim-connector cost --markdown`; the prices are in `cli/prices.py` ({prices.REGION},
as of {prices.DATE}), the model in `cli/cost_model.py`. The figures are worked out, not read from a
bill: requests, gigabyte-seconds and 64-KB chunks as the functions need them, times the price. The
free tier is not taken off. Storage, data transfer and media files are not in it.

{totals}

A month in which no file comes costs ${idle_month():.2f}: Lambda asks idle queues
{cost_model.POLLERS} times every 20 seconds, the schedules run, and the dashboard,
{cost_model.ALARMS} alarms, {cost_model.IDLE_METRICS} metrics and the secret are paid for. It is in
the last column. (An account's first three dashboards, ten alarms and ten metrics are in the free
tier.)

The PIM is the slow part: about {cost_model.MILLISECONDS_A_LINE:.0f} ms a product, four calls at
once. The functions wait for it, which is most of what a first load costs.

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
