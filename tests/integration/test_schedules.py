"""Schedules are switched off and on as they are, and housekeeping's sweeps go on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from simulators.akeneo.catalog import from_resources
from simulators.akeneo.pim import Pim
from tests.integration.mapper.examples import CATALOG
from tests.integration.operator import MOTO, Operator
from tests.integration.stack import credentials

TARGET = {
    "Arn": "arn:aws:lambda:eu-central-1:123456789012:function:splitter",
    "RoleArn": "arn:aws:iam::123456789012:role/schedule",
    "Input": '{"sweep": true}',
    "DeadLetterConfig": {"Arn": "arn:aws:sqs:eu-central-1:123456789012:failures"},
    "RetryPolicy": {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 2},
}


@pytest.fixture
def operator(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Operator]:
    credentials(monkeypatch)
    monkeypatch.chdir(tmp_path)
    pim = Pim(catalog=from_resources(CATALOG))
    with (
        mock_aws(config=MOTO),
        Operator.at_work(pim, "http://127.0.0.1:9", monkeypatch, capsys) as operator,
    ):
        scheduler: Any = boto3.client("scheduler")
        for name in ("sweep", "housekeeping"):
            scheduler.create_schedule(
                Name=name,
                ScheduleExpression="cron(0 1 * * ? *)",
                ScheduleExpressionTimezone="Europe/Paris",
                FlexibleTimeWindow={"Mode": "OFF"},
                Target=TARGET,
                State="ENABLED",
            )
        operator.schedules = {
            "SplitterFunctionNightlySweep": "sweep",
            "HousekeepingFunctionSweep": "housekeeping",
        }
        yield operator


def state(name: str) -> tuple[str, str, str, Any]:
    found: Any = boto3.client("scheduler").get_schedule(Name=name)
    return (
        found["State"],
        found["ScheduleExpression"],
        found["ScheduleExpressionTimezone"],
        found["Target"],
    )


def test_a_pause_ends_with_resume_and_changes_nothing_else(operator: Operator) -> None:
    same = ("cron(0 1 * * ? *)", "Europe/Paris", TARGET)

    paused = operator.types("pause")
    assert paused.status == 0
    assert paused.out == "off  SplitterFunctionNightlySweep: cron(0 1 * * ? *), Europe/Paris\n"
    assert state("sweep") == ("DISABLED", *same)
    assert state("housekeeping") == ("ENABLED", *same), "runs under way have to end"

    resumed = operator.types("resume", "--json")
    assert resumed.lines == [
        {
            "schedule": "SplitterFunctionNightlySweep",
            "expression": "cron(0 1 * * ? *)",
            "time_zone": "Europe/Paris",
            "state": "ENABLED",
        }
    ]
    assert state("sweep") == ("ENABLED", *same)


def test_doctor_says_what_is_paused_and_how_it_goes_on(operator: Operator) -> None:
    operator.types("pause")

    found = [one for one in operator.types("doctor", "--json").lines if one["about"] == "schedules"]
    [paused] = [one for one in found if one["level"] == "warning"]
    assert "SplitterFunctionNightlySweep" in paused["found"]
    assert paused["advice"] == "`pim-connector resume` when the pause is over"
    assert [one["level"] for one in found].count("ok") == 1
