"""Takes messages off the asset queue and brings the DAM's assets to the PIM."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.assets.composition import AssetMapper
from pim_connector.products.composition import AwsClients
from pim_connector.settings import AssetMapperSettings, load
from telemetry import count, logger, observed


@cache
def mapper() -> AssetMapper:
    aws = AwsClients(
        s3=boto3.client("s3"),
        sqs=boto3.client("sqs"),
        dynamodb=boto3.client("dynamodb"),
        secrets=boto3.client("secretsmanager"),
    )
    return AssetMapper(load(AssetMapperSettings, os.environ), aws)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer with the messages that come back: in a message group, all after the first that
    does.
    """
    handled = mapper().worker.handle(
        event["Records"], lambda: context.get_remaining_time_in_millis() / 1000
    )
    counts = {name: number for name, number in handled.counts.items() if number}
    logger.info("assets handled", extra={"counts": counts, "come_back": len(handled.back)})
    count(counts)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in handled.back]}
