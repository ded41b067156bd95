"""Asks each DAM on a schedule what changed or is gone, and puts it in the asset queue."""

from __future__ import annotations

import os
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.assets.composition import DamPolls
from pim_connector.assets.reconcile import totals as reconcile_totals
from pim_connector.dam.polling import refuse_misconfigured, totals
from pim_connector.errors import ConfigurationError
from pim_connector.settings import DamPollerSettings, load
from telemetry import count, metrics, observed


@cache
def polls() -> DamPolls:
    return DamPolls(
        load(DamPollerSettings, os.environ),
        s3=boto3.client("s3"),
        sqs=boto3.client("sqs"),
        dynamodb=boto3.client("dynamodb"),
        secrets=boto3.client("secretsmanager"),
    )


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Poll, and go on with reconciliations: all sources or that of `{"source": "bynder"}`.

    With `{"reconcile": true}` a reconciliation is begun first. A run of the product flow that
    ended (`RunFinished`) may have brought products that links wait for.
    """
    owner = f"{context.aws_request_id}/{uuid4()}"  # a repeated event has the same request id
    around = polls().of(owner, lambda: context.get_remaining_time_in_millis() / 1000)
    if "detail-type" in event:
        tried = around.reconciling.link_late()
        count({"LinksTried": tried})
        return {"links_tried": tried}
    only = event.get("source")
    if only is not None and not isinstance(only, str):
        raise ConfigurationError('the event\'s "source" must be the name of a DAM source')
    refused = []
    if event.get("reconcile"):
        refused = around.reconciling.begin(only)
        around.reconciling.link_late(only)
    outcomes = around.polling.run(only)
    reconciled = [*refused, *around.reconciling.go_on()]
    count(totals(outcomes) | reconcile_totals(reconciled))
    lag = around.polling.lag()
    if lag is not None:
        metrics.add_metric(name="DamLagSeconds", unit="Seconds", value=lag)
    refuse_misconfigured(outcomes)
    return {"polls": outcomes, "reconciled": reconciled}
