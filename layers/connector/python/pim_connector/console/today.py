"""The first page: what came, what waits for somebody, what was rejected most."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from pim_connector.console.exchange import Call, Reply
from pim_connector.console.rejections import top_reasons
from pim_connector.console.rendering import outcome, page
from pim_connector.console.wizard import is_first_visit
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts
    from pim_connector.reports import Reason

LOOKED_AT: Final = 60
RECENT: Final = 8
MOST_REASONS: Final = 5
_RATE: Final = re.compile(r"rate\((\d+ \w+)\)")
_DAILY: Final = re.compile(r"cron\((\d+) (\d+) \* \* \? \*\)")


class Worst(Struct, frozen=True, kw_only=True):
    """A reason for rejections, and the run it is an example of."""

    run: Run
    reason: Reason


class Condition(Struct, frozen=True, kw_only=True):
    """PIM and queues in one sentence, and what to do about it, "" if nothing."""

    level: str
    sentence: str
    advice: str = ""
    since: int | None = None


def today(parts: Parts, call: Call) -> Reply:
    """Show the state of things, and the way to what needs somebody."""
    runs = parts.newest(LOOKED_AT)
    latest = list(latest_by_source(runs))
    return page(
        "today.html",
        call,
        parts,
        first_visit=is_first_visit(parts, runs),
        condition=condition(parts, runs),
        held=[run for run in runs if run.hold],
        latest=latest,
        recent=runs[:RECENT],
        worst=list(islice(_worst(parts, latest), MOST_REASONS)),
        next_sweep=next_time(
            parts.settings.sweep_schedule, parts.clock(), parts.settings.time_zone
        ),
        schedule=in_words(parts.settings.sweep_schedule),
        under_way=any(outcome(run) in ("running", "waiting") for run in runs),
    )


def latest_by_source(runs: Sequence[Run]) -> Iterator[Run]:
    """Return the newest run of each source that is about a file or assets. Pure."""
    seen: set[str] = set()
    for run in runs:
        if run.kind in ("file", "assets") and run.source not in seen:
            seen.add(run.source)
            yield run


def _worst(parts: Parts, latest: Sequence[Run]) -> Iterator[Worst]:
    found = [
        Worst(run=run, reason=reason)
        for run in latest
        if run.counts["rejected"]
        for reason in top_reasons(parts, run, MOST_REASONS)
    ]
    yield from sorted(found, key=lambda worst: -worst.reason.records)


def condition(parts: Parts, runs: Sequence[Run]) -> Condition:
    """Say how the PIM and the queues are."""
    waiting = sum(
        max(run.records - run.accounted, 0)
        for run in runs
        if run.phase in ("delivering", "sending")
    )
    wait = f"{waiting:,} products wait" if waiting else "no product waits"
    breaker = parts.state.get({"pk": "breaker"})
    if breaker is not None:
        return _open(breaker, wait)
    queues = (
        parts.settings.product_dead_letter_queue_url,
        parts.settings.asset_dead_letter_queue_url,
    )
    dead = sum(depth(parts, queue) for queue in queues if queue)
    if dead:
        return Condition(
            level="bad",
            sentence=f"{dead:,} messages could not be delivered and were put aside.",
            advice="Whoever runs the connector looks at the log, fixes the cause and puts them "
            "back with `pim-connector redrive`.",
        )
    if waiting:
        sentence = f"The PIM answers; {waiting:,} products are on their way."
        return Condition(level="ok", sentence=sentence)
    return Condition(level="ok", sentence="The PIM answers and nothing waits.")


def _open(breaker: dict[str, Any], wait: str) -> Condition:
    since = int(breaker.get("since", 0)) or None
    match breaker["reason"]:
        case "credentials":
            sentence = f"The PIM refuses our credentials; {wait}."
            advice = "Connect again under Settings. What waits is delivered by itself afterwards."
            return Condition(level="bad", sentence=sentence, advice=advice, since=since)
        case "configuration":
            sentence = (
                f"The PIM refuses what is sent: {breaker.get('why', '')} {wait.capitalize()}."
            )
            advice = "See the checks under Settings. What waits is delivered when it is fixed."
            return Condition(level="bad", sentence=sentence, advice=advice, since=since)
    sentence = f"The PIM cannot be reached; {wait}. Nothing to do: delivery goes on by itself."
    return Condition(level="warn", sentence=sentence, since=since)


def depth(parts: Parts, queue: str) -> int:
    """Count the messages of a queue, waiting or being handled; roughly, as SQS does."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = parts.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
    return sum(int(told["Attributes"].get(name, 0)) for name in names)


def next_time(schedule: str, now: datetime, zone: str) -> datetime | None:
    """Return when a daily schedule comes next; None for one that is not daily. Pure."""
    found = _DAILY.fullmatch(schedule)
    if found is None:
        return None
    here = now.astimezone(ZoneInfo(zone))
    due = here.replace(hour=int(found[2]), minute=int(found[1]), second=0, microsecond=0)
    return due if due > here else due + timedelta(days=1)


def in_words(schedule: str) -> str:
    """Say a schedule as people do, where it is daily or a rate; others as they are. Pure."""
    daily = _DAILY.fullmatch(schedule)
    if daily:
        return f"every day at {int(daily[2]):02d}:{int(daily[1]):02d}"
    rate = _RATE.fullmatch(schedule)
    return f"every {rate[1]}" if rate else schedule
