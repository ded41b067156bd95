"""Closes runs whose records all have their state, and looks after those that got stuck."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from msgspec.structs import asdict

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import RUN_SETTLED, Announcements
from pim_connector.aws.queue import DeadLetters, FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.errors import ConfigurationError
from pim_connector.housekeeping import HousekeepingParts, close_run, make_round
from pim_connector.settings import HousekeepingSettings, load
from pim_connector.sync.chunks import Splits
from pim_connector.sync.message_results import Deliveries, Parking
from pim_connector.sync.runs import Registry, last_deadline, of_all, of_closed
from telemetry import count, logger, observed


@cache
def parts() -> HousekeepingParts:
    settings = load(HousekeepingSettings, os.environ)
    dynamodb, sqs = boto3.client("dynamodb"), boto3.client("sqs")
    runs = Table(dynamodb, settings.run_table)
    return HousekeepingParts(
        bucket=Bucket(boto3.client("s3"), settings.bucket),
        registry=Registry(runs),
        splits=Splits(runs),
        deliveries=Deliveries(runs),
        parking=Parking(runs),
        leases=Leases(Table(dynamodb, settings.state_table)),
        queue=FifoQueue(sqs, settings.product_queue_url),
        dead_letters=DeadLetters(sqs, settings.product_dead_letter_queue_url),
        announcements=Announcements(
            boto3.client("events"), settings.event_bus, settings.stack_name
        ),
        parent_wait_seconds=settings.parent_wait_minutes * 60,
        clock=lambda: datetime.now(UTC),
    )


def health() -> dict[str, int]:
    settings, now = load(HousekeepingSettings, os.environ), parts().clock()
    hour = settings.finished_by_hour
    finished_by = last_deadline(now, hour, settings.time_zone) if hour >= 0 else None
    breaker = Table(boto3.client("dynamodb"), settings.state_table).get({"pk": "breaker"})
    return of_all(parts().registry, now, finished_by, int(breaker["since"]) if breaker else None)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    match event:
        case {"detail-type": kind, "detail": {"run": str(run)}} if kind == RUN_SETTLED:
            answer: dict[str, Any] = {"run": run, "closed": close_run(run, parts())}
            count(of_closed(parts().registry.each([run] if answer["closed"] else [])))
        case {"sweep": True}:
            answer = asdict(make_round(parts()))
            if answer["closed"]:
                count(of_closed(parts().registry.each(answer["closed"])))
            count(health())
        case _:
            raise ConfigurationError(
                "housekeeping was called with an event it does not know "
                f"(keys: {', '.join(event)[:200]}); connect it to RunSettled and its schedule only"
            )
    logger.info("housekeeping done", extra=answer)
    return answer
