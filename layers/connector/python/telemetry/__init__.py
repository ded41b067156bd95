"""What every function tells of itself: log lines, metrics and traces, by Powertools.

It stands beside pim_connector, which knows nothing of Powertools: a handler is `observed`, and
counts with `count`. https://docs.powertools.aws.dev/lambda/python/latest/
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.logs import label

TALKATIVE: Final = ("httpx", "httpcore", "botocore", "boto3", "urllib3")
"""Libraries that log addresses with their query, and more when asked for more: a DAM's key may
stand there. Lambda passes on what any library logs from its own level on, which is INFO."""

AnswerT = TypeVar("AnswerT")
Handler = Callable[[dict[str, Any], LambdaContext], AnswerT]


def _tracer() -> Tracer | None:
    """Give a tracer where traces are collected: not in an emulator, and not unless asked for."""
    if os.environ.get("POWERTOOLS_TRACE_DISABLED") != "false" or "AWS_SAM_LOCAL" in os.environ:
        return None
    from telemetry.xray import XRay, datagrams

    return Tracer(provider=XRay(os.environ, datagrams()), disabled=False, auto_patch=True)


logger: Final = Logger()
logger.registered_handler.addFilter(label)
logging.getLogger("pim_connector")  # must be known to be configured; its children follow it
copy_config_to_registered_loggers(logger, include={"pim_connector"})
for library in TALKATIVE:
    logging.getLogger(library).setLevel(logging.WARNING)
metrics: Final = Metrics()
tracer: Final = _tracer()


def observed(handler: Handler[AnswerT]) -> Handler[AnswerT]:
    """Wrap a handler: its log has the request's id, its metrics are written, its calls traced.

    A function's module ends with it, so garbage is collected from here on, but not among what was
    imported: that stays for as long as the worker does.
    """
    gc.freeze()
    gc.enable()
    told: Handler[AnswerT] = logger.inject_lambda_context(metrics.log_metrics(handler))
    if tracer is None:
        return told
    # Answers and errors are in the log; a trace holds no data.
    return tracer.capture_lambda_handler(told, capture_response=False, capture_error=False)


def count(numbers: Mapping[str, int]) -> None:
    """Add to metrics by name."""
    for name, number in numbers.items():
        metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)


def annotate(keys: Mapping[str, str]) -> None:
    """Let the trace be found by these keys, such as `run`."""
    if tracer is not None:
        for name, key in keys.items():
            tracer.put_annotation(name, key)
