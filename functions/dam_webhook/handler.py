"""Answers a DAM's calls and takes in the events of its queue: verified, queued, counted."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.queue import FifoQueue
from pim_connector.dam.loading import SourceFiles
from pim_connector.dam.polling import AssetQueue
from pim_connector.errors import ConnectorError
from pim_connector.settings import DamWebhookSettings, load
from pim_connector.webhooks import certificates as https
from pim_connector.webhooks.certificates import PublicKeys
from pim_connector.webhooks.endpoint import RETRY_SECONDS, Answer, Endpoint, SeenDeliveries
from pim_connector.webhooks.requests import response
from telemetry import count, logger, observed


@cache
def endpoint() -> Endpoint:
    settings = load(DamWebhookSettings, os.environ)
    queue = FifoQueue(boto3.client("sqs"), settings.asset_queue_url)
    return Endpoint(
        sources=SourceFiles(
            Bucket(boto3.client("s3"), settings.bucket), boto3.client("secretsmanager")
        ),
        seen=SeenDeliveries(boto3.client("dynamodb"), settings.state_table),
        send=AssetQueue(queue, groups=settings.asset_concurrent_calls).send,
        keys=PublicKeys(https.get),
        visit=https.get,
        now=time.time,
        intake_source=settings.intake_source,
    )


@observed
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    if "Records" in event:
        return {"batchItemFailures": [failure for r in event["Records"] for failure in intake(r)]}
    answer = endpoint().called(event)
    note(answer, {"path": event.get("rawPath")})
    retry = RETRY_SECONDS if answer.status == 503 else None
    return response(answer.status, answer.text, retry_after=retry)


def intake(record: dict[str, Any]) -> list[dict[str, str]]:
    """Take in one message of the DAM's own queue; what fails comes back, and at last goes aside."""
    try:
        note(endpoint().delivered(record["body"]), {"sqs_message": record["messageId"]})
    except ConnectorError as error:
        logger.error("event not taken in", extra={"reason": str(error), "id": record["messageId"]})
        count({"EventsNotTakenIn": 1})
        return [{"itemIdentifier": record["messageId"]}]
    return []


def note(answer: Answer, extra: dict[str, Any]) -> None:
    """Log and count one answer: a metric for each outcome, so that refusals can alarm."""
    said = extra | {"outcome": answer.outcome, "status": answer.status, "detail": answer.detail}
    log = logger.info if answer.status < 400 else logger.warning
    log("dam event", extra=said | {"kind": answer.kind, "assets": answer.changes})
    name = "Webhook" + answer.outcome.title().replace("_", "")
    count({name: 1, "AssetsAnnounced": answer.changes})
