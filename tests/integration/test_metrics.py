"""What alarms and dashboard look at is what the functions emit."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto import mock_aws
from msgspec.structs import replace

from functions.housekeeping import handler as housekeeping
from functions.splitter import handler as splitter
from pim_connector.akeneo.pim import Usage
from pim_connector.assets import worker as asset_worker
from pim_connector.errors import ConfigurationError
from pim_connector.outcomes import STATES
from pim_connector.products.worker import Handled
from pim_connector.sync.runs import Registry, Run, last_deadline, of_all
from tests.integration.stack import Context, Stack, credentials
from tests.integration.test_splitter import MAPPING, export
from tests.template_metrics import emitted, looked_at

CONTEXT: Any = Context()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        for name, value in stack.environment().items():
            monkeypatch.setenv(name, value)
        splitter.parts.cache_clear()
        housekeeping.parts.cache_clear()
        yield stack
        splitter.parts.cache_clear()
        housekeeping.parts.cache_clear()


def test_the_splitter_emits_what_is_looked_at(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    splitter.lambda_handler(stack.put("incoming/shop/a.xml", export(1)), CONTEXT)

    out = capsys.readouterr().out
    splitter.lambda_handler({"sweep": True}, CONTEXT)
    swept = emitted(capsys.readouterr().out)
    assert emitted(out) | swept >= looked_at()["splitter"]
    assert "NightlySweeps" in swept - emitted(out)
    assert '"RunsSetAside":[1.0]' in out.replace(" ", ""), "it has no mapping"


def test_housekeeping_emits_what_is_looked_at(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)
    splitter.lambda_handler(stack.put("incoming/shop/a.xml", export()[:5]), CONTEXT)
    capsys.readouterr()

    housekeeping.lambda_handler({"sweep": True}, CONTEXT)

    out = capsys.readouterr().out
    late = {"OldestRunMinutes", "LateRuns", "DecisionsPending", "BreakerOpenMinutes"}
    assert emitted(out) | late == looked_at()["housekeeping"]
    assert '"RunsFailed":[1.0]' in out.replace(" ", ""), "the file is cut"


def test_a_sweep_with_nothing_to_do_costs_no_metric(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudWatch charges for each metric in each hour that has it, also if it is 0."""
    assert not list(stack.registry.all_runs())

    housekeeping.lambda_handler({"sweep": True}, CONTEXT)

    assert not emitted(capsys.readouterr().out)


def test_what_waits_for_somebody_is_told_at_every_sweep(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)
    splitter.lambda_handler(stack.put("incoming/shop/a.xml", export(1)), CONTEXT)
    now = datetime.now(UTC)
    began = int((now - timedelta(minutes=90)).timestamp())
    stack.dynamodb.put_item(
        TableName="StateTable",
        Item={"pk": {"S": "breaker"}, "since": {"N": str(began)}},
    )
    [run] = stack.registry.all_runs()
    header = stack.registry.get(run.run)
    assert header
    earlier = replace(header, registered_at=(now - timedelta(hours=3)).isoformat())
    numbers = of_all(_Registry(stack.registry, earlier), now, now - timedelta(hours=1), began)
    assert numbers == {"OldestRunMinutes": 180, "LateRuns": 1, "BreakerOpenMinutes": 90}
    held = replace(earlier, phase="finished", hold="5 of 10 products are missing")
    numbers = of_all(_Registry(stack.registry, held), now, None, None)
    assert numbers == {"DecisionsPending": 1}
    capsys.readouterr()
    monkeypatch.setenv("FINISHED_BY_HOUR", "3")

    housekeeping.lambda_handler({"sweep": True}, CONTEXT)

    assert "BreakerOpenMinutes" in emitted(capsys.readouterr().out)


class _Registry(Registry):
    """Has one run, as it would be later."""

    def __init__(self, registry: Registry, run: Run) -> None:
        super().__init__(registry._table)
        self._run = run

    def get(self, run: str) -> Run | None:
        return self._run if run == self._run.id else None


@pytest.mark.parametrize(
    ("now", "hour", "zone", "deadline"),
    [
        ("2026-11-20T07:00:00+00:00", 6, "UTC", "2026-11-20T06:00:00+00:00"),
        ("2026-11-20T05:59:00+00:00", 6, "UTC", "2026-11-19T06:00:00+00:00"),
        ("2026-11-20T05:30:00+00:00", 6, "Europe/Paris", "2026-11-20T05:00:00+00:00"),
        ("2026-07-20T05:30:00+00:00", 6, "Europe/Paris", "2026-07-20T04:00:00+00:00"),
    ],
)
def test_the_hour_to_be_finished_by_is_one_of_the_stacks_time_zone(
    now: str, hour: int, zone: str, deadline: str
) -> None:
    found = last_deadline(datetime.fromisoformat(now), hour, zone)
    assert found == datetime.fromisoformat(deadline)


def test_a_time_zone_that_is_none_is_a_matter_of_configuration() -> None:
    with pytest.raises(ConfigurationError, match="parameter TimeZone"):
        last_deadline(datetime.now(UTC), 6, "Mars/Olympus")


def test_the_mapper_counts_what_is_looked_at() -> None:
    counts = dict.fromkeys(STATES, 1)
    used = Usage(calls=1, throttled=1, seconds=1.0)
    names = set()
    for opened in ("credentials", "configuration"):
        handled = Handled(end="postponed", counts=counts, pim=used, opened=opened)  # type: ignore[arg-type]  # both are reasons
        names |= set(handled.as_metrics())

    assert names >= looked_at()["mapper"]


def test_the_asset_mapper_counts_what_is_looked_at() -> None:
    counted = re.findall(r'counts\["(\w+)"\]', inspect.getsource(asset_worker))
    by_state = {f"Assets{state.capitalize()}" for state in STATES}

    assert {*counted, *by_state} >= looked_at()["asset_mapper"]


def test_no_other_function_is_looked_at_than_those_that_are_tested_for_it() -> None:
    here = {"splitter", "housekeeping", "mapper", "asset_mapper"}
    elsewhere = {"dam_poller"}

    assert set(looked_at()) == here | elsewhere
