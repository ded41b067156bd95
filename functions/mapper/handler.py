"""Takes messages off the product queue and brings their records to the PIM."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.delivery.composition import MapperClients, MapperParts, compose
from pim_connector.delivery.receipts import ComesBackError
from pim_connector.log_keys import about
from pim_connector.messages import correlation
from pim_connector.settings import MapperSettings, load
from telemetry import annotate, count, logger, observed


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


def handle_record(record: SQSRecord, lambda_context: LambdaContext) -> None:
    """Handle one message; raising leaves it in the queue, where it and its lane wait."""
    keys = correlation(record.body)
    annotate(keys)
    with about(**keys, sqs_message=record.message_id):
        _handle(record, lambda_context)


def _handle(record: SQSRecord, lambda_context: LambdaContext) -> None:
    count({"MessagesReceived": 1})
    receipts = parts().receipts
    try:
        handled = parts().worker.handle(
            record.body, lambda: lambda_context.get_remaining_time_in_millis() / 1000
        )
    except Exception:
        logger.exception("attempt crashed")
        receipts.come_back_after_crash(record.receipt_handle)
        raise
    logger.info("message handled", extra=handled.as_log())
    count(handled.as_metrics())
    if handled.end == "dead":
        receipts.put_aside(record.body, record.raw_event["attributes"], handled.reason)
    if handled.end == "postponed":
        receipts.come_back(record.receipt_handle, handled.wait)
        raise ComesBackError(handled.reason)


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse:
    """Answer with the messages that come back; that all of them do is no failure of the function.

    A failure would only add to the errors that the alarm is about: what the queue does is the same.
    """
    processor = SqsFifoPartialProcessor(skip_group_on_error=True)
    processor.raise_on_entire_batch_failure = False
    return process_partial_response(
        event=event, record_handler=handle_record, processor=processor, context=context
    )
