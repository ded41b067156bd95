"""The metrics that alarms and dashboard of monitoring.yaml look at, and those a function emits."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any, Final

from tests.unit.test_template import ALARMS, dashboard

NAMESPACE: Final = "PimConnector/${Stack}"


def looked_at() -> dict[str, set[str]]:
    """Names of our own metrics by service, of all alarms and all widgets."""
    found: dict[str, set[str]] = defaultdict(set)
    for alarm in ALARMS.values():
        if alarm["Namespace"] == {"Sub": NAMESPACE}:
            [dimension] = alarm["Dimensions"]
            found[dimension["Value"]].add(alarm["MetricName"])
    for row in dashboard_rows():
        if row[0] == NAMESPACE:
            found[row[3]].add(row[1])
    return dict(found)


def dashboard_rows() -> list[list[Any]]:
    body = json.loads(dashboard(dam=True))
    rows = [row for widget in body["widgets"] for row in widget["properties"]["metrics"]]
    return [row for row in rows if isinstance(row[0], str)]


def emitted(output: str) -> set[str]:
    """Names of the metrics in a function's standard output, which CloudWatch reads.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
    """
    names: set[str] = set()
    for line in output.splitlines():
        if '"CloudWatchMetrics"' in line:
            for block in json.loads(line)["_aws"]["CloudWatchMetrics"]:
                names |= {metric["Name"] for metric in block["Metrics"]}
    return names
