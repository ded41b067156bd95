"""Takes ERP files in from S3 and hands their records on to the product queue."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import FifoQueue
from pim_connector.aws.table import Leases, Table
from pim_connector.products.decisions import SplitterParts
from pim_connector.products.splitting import read_event, split_sources, take_in
from pim_connector.settings import SplitterSettings, load
from pim_connector.sync.chunks import Splits
from pim_connector.sync.runs import Registry
from pim_connector.sync.state import SyncState
from telemetry import count, logger, observed


@cache
def parts() -> SplitterParts:
    settings = load(SplitterSettings, os.environ)
    plain = Config(parameter_validation=False, user_agent="pim-connector")  # half a request's time
    dynamodb = boto3.client("dynamodb", config=plain)
    sqs = boto3.client("sqs", config=plain)
    runs = Table(dynamodb, settings.run_table)
    return SplitterParts(
        bucket=Bucket(boto3.client("s3"), settings.bucket),
        registry=Registry(runs),
        splits=Splits(runs),
        leases=Leases(Table(dynamodb, settings.state_table)),
        sync_state=SyncState(dynamodb, settings.sync_state_table),
        queue=FifoQueue(sqs, settings.product_queue_url),
        announcements=Announcements(
            boto3.client("events"), settings.event_bus, settings.stack_name
        ),
        groups=settings.concurrent_calls,
        trigger=settings.trigger,
        clock=lambda: datetime.now(UTC),
    )


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    intake = take_in(read_event(event), parts())
    for ignored in intake.ignored:
        logger.warning("ignored", extra={"key": ignored.key, "reason": ignored.reason})
    split = split_sources(
        intake.sources,
        parts(),
        owner=f"{context.aws_request_id}/{uuid4()}",  # a repeated event has the same request id
        remaining=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    taken_in = parts().registry.each(intake.runs)
    set_aside = sum(run.phase == "failed" and run.retryable for run in taken_in)
    count({"FilesTakenIn": len(intake.runs), "FilesIgnored": len(intake.ignored)})
    count({"RunsSetAside": set_aside})
    count({"FilesUnclaimed": sum(each.unclaimed for each in intake.ignored)})
    if event.get("sweep"):
        count({"NightlySweeps": 1})
    answer = {
        "taken_in": list(intake.runs),
        "split": split,
        "ignored": [{"key": each.key, "reason": each.reason} for each in intake.ignored],
    }
    logger.info("splitter done", extra=answer)
    if intake.failed:
        raise intake.failed
    return answer
