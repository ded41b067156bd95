"""The cost model: what follows from what, and that the page says what the model says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cli import cost_model
from cli.cost import page
from cli.cost_model import (
    Volume,
    file_cost,
    file_units,
    idle_month,
    message_seconds,
    nightly_month,
    pause_seconds,
    splitter_seconds,
    storage_month,
)

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_what_the_model_says_today() -> None:
    again = "write it again: pim-connector cost --markdown > docs/cost.md"
    assert (ROOT / "docs/cost.md").read_text() == page(), again


def test_a_hundred_thousand_changed_products_cost_about_what_was_worked_out_by_hand() -> None:
    bill = file_cost(Volume(records=100_000, sent=100_000, first=True))
    seconds = 100 * 0.060 + 0.1 + 100 * 0.001 * 1_769 / 1_024
    assert bill.mapper == pytest.approx(1_000 * seconds * 0.0000133334, rel=0.01)
    assert bill.sync_state == pytest.approx(0.0625 + 0.0125, rel=0.01)
    assert 0.1 < bill.total < 0.25


def test_from_the_second_file_on_the_splitter_reads_what_changed_too() -> None:
    first, second = (Volume(records=1_000, sent=1_000, first=first) for first in (True, False))
    assert file_units(first).sync_state_reads == 1_000
    assert file_units(second).sync_state_reads == 2_000


def test_unchanged_records_cost_neither_a_read_nor_a_call() -> None:
    night = Volume(records=1_000_000, sent=0)
    assert night.calls == 0
    assert file_cost(night).mapper == file_cost(night).queue == 0
    assert file_cost(night).sync_state == 0


def test_the_pim_needs_a_quarter_of_the_lines_time_with_four_groups() -> None:
    assert Volume(records=1, sent=4_000).seconds == pytest.approx(60.0)


def test_memory_and_alarms_are_those_of_the_template() -> None:
    text = (ROOT / "template.yaml").read_text()
    monitoring = (ROOT / "monitoring.yaml").read_text()

    def memory_of(function: str) -> int:
        found = re.search(rf"  {function}:.*?MemorySize: (\d+)", text, re.DOTALL)
        return int(found[1]) if found else 0

    alarms = re.findall(r"Type: AWS::CloudWatch::Alarm\n(?: +Condition: (\w+)\n)?", monitoring)
    assert memory_of("SplitterFunction") == cost_model.SPLITTER_MB
    assert memory_of("MapperFunction") == cost_model.MAPPER_MB
    by_default = ("", "SchedulesRun", "HasConsole")
    assert sum(map(alarms.count, by_default)) == cost_model.ALARMS
    secrets = text.count("Type: AWS::SecretsManager::Secret")
    assert 1 + secrets == cost_model.SECRETS
    assert alarms.count("HasDam") + alarms.count("DamIsPolled") == cost_model.DAM_ALARMS


def test_a_stack_that_does_nothing_costs_less_than_five_dollars() -> None:
    assert idle_month() < 5
    assert idle_month() < idle_month(dam=True)


def test_files_are_kept_twice_for_as_long_as_is_asked_and_no_longer() -> None:
    month = storage_month(1_000_000) - storage_month(1_000_000, keep_days=0)
    exports = 1_000_000 * cost_model.RECORD_BYTES * 90 / 1e9 * 0.023
    assert month == pytest.approx(2 * exports, rel=0.01)


def test_half_the_memory_is_cheaper_for_the_mapper_and_lets_the_pim_wait_longer() -> None:
    load = Volume(records=1_000, sent=1_000)
    assert message_seconds(load, 512) / 2 < message_seconds(load, 1_024)
    assert pause_seconds(load, 512) > pause_seconds(load, 1_024)


def test_the_splitter_costs_the_same_with_less_memory_and_takes_longer() -> None:
    load = Volume(records=1_000_000, sent=0)
    assert splitter_seconds(load, 1_024) * 1_024 == pytest.approx(
        splitter_seconds(load, 1_769) * 1_769
    )


def test_a_month_of_nights_holds_the_idle_month() -> None:
    assert nightly_month(1_000) > idle_month() > 0
