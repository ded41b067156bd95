"""Takes messages off the product queue and brings their records to the PIM."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.errors import TransientError
from pim_connector.logs import about
from pim_connector.products.composition import MapperClients, MapperParts, compose
from pim_connector.settings import MapperSettings, load
from pim_connector.sync.messages import correlation
from telemetry import count, logger, observed


@cache
def parts() -> MapperParts:
    aws = MapperClients(
        s3=boto3.client("s3"),
        sqs=boto3.client("sqs"),
        dynamodb=boto3.client("dynamodb"),
        secrets=boto3.client("secretsmanager"),
        events=boto3.client("events"),
    )
    return compose(load(MapperSettings, os.environ), aws)


def handle_record(record: dict[str, Any], context: LambdaContext) -> bool:
    """Handle one message; False if it stays in the queue, where it and its message group wait."""
    keys = correlation(record["body"])
    with about(**keys, sqs_message=record["messageId"]):
        try:
            return _handle(record, context)
        except TransientError as error:
            logger.warning("message comes back when its time-out ends: %s", error)
            return False


def _handle(record: dict[str, Any], context: LambdaContext) -> bool:
    count({"MessagesReceived": 1})
    body, attributes, receipts = record["body"], record["attributes"], parts().receipts
    try:
        handled = parts().worker.handle(body, lambda: context.get_remaining_time_in_millis() / 1000)
    except Exception:
        logger.exception("attempt crashed")
        receipts.come_back_after_crash(record["receiptHandle"])
        return False
    logger.info("message handled", extra=handled.as_log())
    count(handled.as_metrics())
    if handled.end == "dead":
        receipts.put_aside(body, attributes, handled.reason)
    if handled.end == "postponed":
        times = int(attributes.get("ApproximateReceiveCount", "1"))
        receipts.come_back(record["receiptHandle"], handled.wait, received=times)
    return bool(handled.end != "postponed")


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the messages that come back: in a message group, all after the first that does."""
    back: list[str] = []
    waiting: set[str] = set()
    for record in event["Records"]:
        group = record["attributes"]["MessageGroupId"]
        if group in waiting or not handle_record(record, context):
            waiting.add(group)
            back.append(record["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message} for message in back]}
