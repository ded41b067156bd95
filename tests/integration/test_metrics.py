"""What alarms and dashboard look at is what the functions emit."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from functions.housekeeping import handler as housekeeping
from functions.splitter import handler as splitter
from pim_connector.akeneo.pim import Usage
from pim_connector.assets import worker as asset_worker
from pim_connector.outcomes import STATES
from pim_connector.products.worker import Handled
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
    assert emitted(out) >= looked_at()["splitter"]
    assert '"RunsSetAside":[1.0]' in out.replace(" ", ""), "it has no mapping"


def test_housekeeping_emits_what_is_looked_at(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.put("config/erp/shop.yaml", MAPPING)
    splitter.lambda_handler(stack.put("incoming/shop/a.xml", export()[:5]), CONTEXT)
    capsys.readouterr()

    housekeeping.lambda_handler({"sweep": True}, CONTEXT)

    out = capsys.readouterr().out
    assert emitted(out) >= looked_at()["housekeeping"]
    assert '"RunsFailed":[1.0]' in out.replace(" ", ""), "the file is cut"


def test_a_round_with_nothing_to_do_still_says_that_it_was_made(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    housekeeping.lambda_handler({"sweep": True}, CONTEXT)

    assert {"RunsUnderWay", "OldestRunMinutes"} <= emitted(capsys.readouterr().out)


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
