"""What happens at 10 million products, 50 PIMs, 10 files at once: which limit comes first.

    python -m benchmarks.scale

What a stack has is counted in `template.yaml`, what a file needs follows from the cost model, and
how files wait for one another is simulated message by message. Quotas are AWS's defaults, each with
its page; accounts may have others.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Final

from benchmarks.pim import ROOT
from benchmarks.results import table, write_section
from cli import cost_model
from cli.cost import span
from cli.cost_model import Volume, file_cost, idle_month
from pim_connector.sync.messages import MAX_RECORDS

GROUPS: Final = 4
SPLITTER_SECONDS: Final = 15 * 60
PAGES: Final = "https://docs.aws.amazon.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A default limit of AWS per account and region, and where it stands."""

    what: str
    limit: int
    page: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A file in the queue: its products, when its first and its last message were through."""

    products: int
    began: float
    ended: float


STACK_QUOTAS: Final = {
    "rules": Quota(
        what="EventBridge rules on the default bus",
        limit=300,
        page=f"{PAGES}/eventbridge/latest/userguide/eb-quota.html",
    ),
    "roles": Quota(
        what="IAM roles (of the account)",
        limit=1_000,
        page=f"{PAGES}/IAM/latest/UserGuide/reference_iam-quotas.html",
    ),
    "concurrency": Quota(
        what="Lambda executions at once, at the busiest moment",
        limit=1_000,
        page=f"{PAGES}/lambda/latest/dg/gettingstarted-limits.html",
    ),
    "tables": Quota(
        what="DynamoDB tables",
        limit=2_500,
        page=f"{PAGES}/amazondynamodb/latest/developerguide/ServiceQuotas.html",
    ),
    "alarms": Quota(
        what="CloudWatch alarms",
        limit=5_000,
        page=f"{PAGES}/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html",
    ),
}
SYNC_STATE_READS: Final = Quota(
    what="DynamoDB reads of one table a second, on demand",
    limit=40_000,
    page=f"{PAGES}/amazondynamodb/latest/developerguide/ServiceQuotas.html",
)
FIRST_READS: Final = 12_000
"""What a new table on demand serves at once
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html)."""
FIFO_LOOK_AHEAD: Final = 120_000
"""Messages among which a FIFO queue looks for a free group
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/avoid-backlog-with-the-same-message-group-id.html)."""


def per_stack() -> Mapping[str, int]:
    """Count in the templates what a stack with a DAM takes of the quotas."""
    text = (ROOT / "template.yaml").read_text()
    storage = (ROOT / "storage.yaml").read_text()
    functions = text.count("Type: AWS::Serverless::Function\n")
    assets = [int(number) for number in re.findall(r"MaximumConcurrency: (\d+)", text)]
    return {
        "rules": text.count("Type: EventBridgeRule"),
        "roles": functions + text.count("Type: AWS::IAM::Role\n"),
        "concurrency": GROUPS + sum(assets) + functions,
        "tables": storage.count("Type: AWS::DynamoDB::Table"),
        "alarms": cost_model.ALARMS + cost_model.DAM_ALARMS,
    }


def wait(products: list[int], *, seconds_a_message: float) -> list[Waiting]:
    """Simulate files that come in the same moment, one behind the other or side by side.

    Their splitters work side by side, so their messages reach the message groups in turns; each message group brings
    one message at a time to the PIM.
    """
    left = [ceil(number / MAX_RECORDS) for number in products]
    order: list[int] = []
    while any(left):
        for file, messages in enumerate(left):
            if messages:
                order.append(file)
                left[file] -= 1
    return _through(order, products, seconds_a_message)


def behind(products: list[int], *, seconds_a_message: float) -> list[Waiting]:
    """The same for files of which each comes when the one before has been split."""
    order = [file for file, n in enumerate(products) for _ in range(ceil(n / MAX_RECORDS))]
    return _through(order, products, seconds_a_message)


def _through(order: list[int], products: list[int], seconds: float) -> list[Waiting]:
    free = [0.0] * GROUPS
    began: dict[int, float] = {}
    ended: dict[int, float] = {}
    for file in order:
        start = heapq.heappop(free)
        began.setdefault(file, start)
        ended[file] = max(ended.get(file, 0.0), start + seconds)
        heapq.heappush(free, start + seconds)
    return [
        Waiting(products=number, began=began[file], ended=ended[file])
        for file, number in enumerate(products)
    ]


def report() -> Iterator[str]:
    """Write the section."""
    yield "## Scale, on paper and by simulation\n"
    yield from _products(10_000_000)
    yield from _pims(50)
    yield from _files(10)


def _products(products: int) -> Iterator[str]:
    load = Volume(records=products, sent=products, first=True)
    night = Volume(records=products, sent=products // 100)
    splitting = cost_model.splitter_seconds(load, cost_model.SPLITTER_MB)
    yield f"### {products:,} products in one PIM\n"
    yield (
        f"- **First comes the PIM**: {span(load.seconds)} for a first load at "
        f"{load.milliseconds_a_line:g} ms a line with {GROUPS} calls at once; a night with 1 % "
        f"changed takes {span(night.seconds)}. Messages live 14 days, so nothing is lost "
        "meanwhile. To change: more calls at once (`ConcurrentCalls`, where Akeneo raised the "
        "limit of the "
        "connection), fewer values a line; more memory or workers change nothing.\n"
        f"- A splitter has 15 minutes and reads {span(splitting)} in all: "
        f"{ceil(splitting / SPLITTER_SECONDS)} invocations, each going on where the last one "
        "stopped.\n"
        f"- {load.calls:,} messages wait at once; a FIFO queue looks for a free message group among the "
        f"first {FIFO_LOOK_AHEAD:,}, and as message groups come mixed all of them are always among those.\n"
        f"- The sync state is asked {cost_model.SPLITTER_RECORDS_A_SECOND:,} times a second where "
        f"every record is looked up; a new table serves {FIRST_READS:,} from its first second.\n"
        f"- AWS asks ${file_cost(load).total:,.2f} for the first load and "
        f"${file_cost(night).total:,.2f} for a night.\n"
    )


def _pims(pims: int) -> Iterator[str]:
    yield f"### {pims} PIMs, a stack each, in one account and region\n"
    counts = per_stack()
    rows = [
        (
            f"[{quota.what}]({quota.page})",
            counts[name],
            f"{counts[name] * pims:,}",
            f"{quota.limit:,}",
            f"{quota.limit // counts[name]:,}",
        )
        for name, quota in STACK_QUOTAS.items()
    ]
    rows.sort(key=lambda row: int(row[4].replace(",", "")))
    yield (
        table(["", "a stack", f"{pims} stacks", "default quota", "stacks until then"], rows) + "\n"
    )
    yield (
        f"{rows[0][0]} come first, at {rows[0][4]} stacks; all of these quotas are raised on "
        "request, or a second account begins anew. New accounts may start with far fewer Lambda "
        f"executions at once: then that comes first. Idle, {pims} stacks cost "
        f"${idle_month() * pims:,.0f} a month, most of it dashboards, metrics, alarms and polling "
        "of empty queues.\n"
    )


def _files(files: int) -> Iterator[str]:
    load = Volume(records=1_000_000, sent=1_000_000, first=True)
    seconds = cost_model.message_seconds(load, cost_model.MAPPER_MB)
    reads = files * cost_model.SPLITTER_RECORDS_A_SECOND
    yield f"### {files} files at once, of {files} sources of one PIM\n"
    yield (
        f"- {files} splitters that look every record up ask {reads:,} times a second: a new table "
        f"serves {FIRST_READS:,}, the [default quota of a table]({SYNC_STATE_READS.page}) is "
        f"{SYNC_STATE_READS.limit:,}. **This comes first**: DynamoDB throttles, the splitters wait and "
        "take longer, and nothing is lost. To change: raise the quota and set the table's warm "
        "throughput before such a night, or let the files come in turns; where files are full "
        "exports of which little has changed, ask only about what changed.\n"
        "- The message groups are shared, for one product must have one writer. Simulated, message by "
        f"message, {seconds:.1f} s each:\n"
    )
    big, small = 100_000, 1_000
    together = wait([big] * (files - 1) + [small], seconds_a_message=seconds)
    after = behind([big] * (files - 1) + [small], seconds_a_message=seconds)
    alone = wait([small], seconds_a_message=seconds)[0]
    rows = [
        ("alone", span(alone.ended), ""),
        (
            "in the same moment as the others",
            span(together[-1].ended),
            span(max(one.ended for one in together)),
        ),
        ("after the others", span(after[-1].ended), span(max(one.ended for one in after))),
    ]
    yield (
        table(
            [
                f"a file of {small:,} changes beside {files - 1} of {big:,}, which comes",
                "through after",
                "all through after",
            ],
            rows,
        )
        + "\n"
    )
    yield (
        "A small file that comes behind large ones waits for them. To change: first loads at "
        "another time than urgent files (`ErpTrigger: nightly`), or more message groups."
    )


def main() -> None:
    """Write the section; it takes no time to speak of."""
    write_section("scale", "\n".join(report()))


if __name__ == "__main__":
    main()
