"""All that `doctor` looks at: each check gives findings, and none of them changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from cli import aws_findings
from pim_connector.console import checks as seen
from pim_connector.console.checks import Finding
from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.akeneo.pim import Outage, Reason


def examine(target: Target, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Look at everything; a check that cannot be made is a finding, too."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("bucket", lambda: aws_findings.bucket(target)),
        ("inbox", lambda: aws_findings.inbox(target)),
        ("tables", lambda: aws_findings.tables(target)),
        ("queues", lambda: aws_findings.queues(target)),
        ("schedules", lambda: aws_findings.schedules(target)),
        ("clock", lambda: aws_findings.clock(target, now())),
        ("PIM", lambda: seen.pim(target.pim, target.output("AkeneoUrl"))),
        ("mappings", lambda: seen.mappings(target.pim, target.bucket())),
        ("breaker", lambda: breaker(target)),
        ("runs", lambda: runs(target)),
    )
    for about, check in checks:
        try:
            yield from check()
        except ConnectorError as error:
            yield Finding(level="problem", about=about, found=str(error))
        except (ClientError, BotoCoreError) as error:
            yield Finding(
                level="problem",
                about=about,
                found=str(error),
                advice="see whether your AWS profile may read this, and whether it is there",
            )


def breaker(target: Target) -> Iterator[Finding]:
    """An open breaker keeps all messages waiting."""
    found = outage(target)
    if found is None:
        yield Finding(level="ok", about="breaker", found="closed: messages are delivered")
        return
    yield Finding(
        level="problem",
        about="breaker",
        found=f"open ({found.reason}) since {_moment(found.since)}: messages wait",
        advice=ADVICE[found.reason],
    )


ADVICE: Final[dict[Reason, str]] = {
    "unreachable": "wait: messages are delivered by themselves when the PIM is back",
    "credentials": "put working credentials into the secret; nothing has to be deployed",
    "configuration": "see the mapper's log for what the PIM refuses, and fix it",
}
_REASONS: Final[dict[Reason, str]] = {
    "unreachable": "the PIM cannot be reached",
    "credentials": "the PIM refuses our credentials",
    "configuration": "the PIM refuses what is sent",
}


def outage(target: Target) -> Outage | None:
    """Return why nothing is delivered at present; None while messages are."""
    from pim_connector.akeneo.pim import Breaker

    return Breaker(target.client("dynamodb"), target.output("StateTable")).outage()


def standstill(found: Outage | None) -> str | None:
    """Say in words why nothing moves, since when, when the next try is, and what to do. Pure."""
    if found is None:
        return None
    detail = f" ({found.why.rstrip('.')})" if found.why else ""
    return (
        f"Nothing is delivered: {_REASONS[found.reason]}{detail}, since {_moment(found.since)}; "
        f"next try at {_moment(found.next_try)}. What to do: {ADVICE[found.reason]}."
    )


def _moment(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


def runs(target: Target) -> Iterator[Finding]:
    """Runs that wait for somebody."""
    from itertools import islice

    from pim_connector.sync.runs import Registry

    registry = Registry(target.run_table())
    under_way = [name.run for name in registry.open_runs()]
    yield Finding(level="ok", about="runs", found=f"{len(under_way)} under way")
    for name in islice(registry.all_runs(), 50):
        run = registry.get(name.run)
        if run and run.hold:
            yield Finding(
                level="warning",
                about="runs",
                found=f"{run.id} waits for your word: {run.hold}",
                advice=f"pim-connector approve {run.id}",
            )
        if run and run.phase == "failed" and run.retryable:
            yield Finding(level="problem", about="runs", found=f"{run.id}: {run.problem}")
