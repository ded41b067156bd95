"""What every function says about itself: log lines and metrics, by Powertools.

It stands beside pim_connector, which knows nothing of Powertools: a handler is `observed`, and
counts with `count`. https://docs.powertools.aws.dev/lambda/python/latest/
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.logs import label

TALKATIVE: Final = ("httpx", "httpcore", "botocore", "boto3", "urllib3")
"""Libraries that log addresses with their query, and more when asked for more: a DAM's key may
stand there. Lambda passes on what any library logs from its own level on, which is INFO."""

AnswerT = TypeVar("AnswerT")
Handler = Callable[[dict[str, Any], LambdaContext], AnswerT]


logger: Final = Logger()
logger.registered_handler.addFilter(label)
logging.getLogger("pim_connector")  # must be known to be configured; its children follow it
copy_config_to_registered_loggers(logger, include={"pim_connector"})
for library in TALKATIVE:
    logging.getLogger(library).setLevel(logging.WARNING)
metrics: Final = Metrics()


def observed(handler: Handler[AnswerT]) -> Handler[AnswerT]:
    """Wrap a handler: its log has the request's id and its metrics are written."""
    return logger.inject_lambda_context(metrics.log_metrics(handler))


def count(numbers: Mapping[str, int]) -> None:
    """Add to metrics by name."""
    for name, number in numbers.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
