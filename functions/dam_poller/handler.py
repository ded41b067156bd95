"""Asks each DAM on a schedule what changed, and puts it in the asset queue."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.bucket import Bucket
from pim_connector.dam.cursor import CursorTable
from pim_connector.dam.http import Clocks
from pim_connector.dam.rounds import Round, refuse_misconfigured, totals
from pim_connector.errors import ConfigurationError
from pim_connector.queues import FifoQueue
from pim_connector.runs.leases import Leases
from pim_connector.runs.table import RunTable
from pim_connector.settings import DamPollerSettings, load
from pim_connector.source_files import SourceFiles

logger = Logger()
copy_config_to_registered_loggers(logger, include={"pim_connector"})
metrics = Metrics()


@cache
def settings() -> DamPollerSettings:
    return load(DamPollerSettings, os.environ)


@cache
def files() -> SourceFiles:
    bucket = Bucket(boto3.client("s3"), settings().bucket)
    return SourceFiles(bucket, boto3.client("secretsmanager"))


def round_of(context: LambdaContext) -> Round:
    table = RunTable(boto3.client("dynamodb"), settings().state_table)
    return Round(
        files=files(),
        cursors=CursorTable(table),
        leases=Leases(table),
        queue=FifoQueue(boto3.client("sqs"), settings().asset_queue_url),
        lanes=settings().asset_lanes,
        owner=context.aws_request_id,
        clocks=Clocks(time_left=lambda: context.get_remaining_time_in_millis() / 1000),
    )


@logger.inject_lambda_context
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll every source, or the one that the schedule names: `{"source": "bynder"}`."""
    only = event.get("source") if "detail-type" not in event else None
    if only is not None and not isinstance(only, str):
        raise ConfigurationError('the event\'s "source" must be the name of a DAM source')
    outcomes = round_of(context).run(only)
    for name, number in totals(outcomes).items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
    refuse_misconfigured(outcomes)
    return {"polls": outcomes}
