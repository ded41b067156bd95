"""What the mapper's output says of the PIM, and of where a line of its log belongs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

import telemetry
from functions.mapper import handler
from simulators.akeneo.faults import Faults
from tests.integration.mapper.examples import MAPPING, boots
from tests.integration.mapper.world import Context, World, record
from tests.template_metrics import emitted


def deliver(world: World, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    context: Any = Context()
    handler.lambda_handler({"Records": world.receive(1)}, context)
    return capsys.readouterr().out


def test_calls_and_their_time_are_metrics(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(2), id="000001")

    names = emitted(deliver(world, capsys))

    assert {"PimCalls", "PimMilliseconds", "RecordsCreated", "MessagesReceived"} <= names
    assert "PimThrottled" not in names


def test_refused_credentials_are_a_metric_of_their_own(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(1), id="000001")
    world.pim.accounts.connections.clear()

    assert "PimCredentialsRefused" in emitted(deliver(world, capsys))


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the function logs, as CloudWatch gets it."""
    written = io.StringIO()
    stream = telemetry.logger.registered_handler.setStream(written)  # type: ignore[attr-defined]
    yield written
    telemetry.logger.registered_handler.setStream(stream)  # type: ignore[attr-defined]


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    """The lines since the last time."""
    found = [json.loads(line) for line in log.getvalue().splitlines()]
    log.seek(0)
    log.truncate()
    return found


def test_every_line_of_the_log_names_run_source_and_message_of_its_message(
    world: World, capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    mapping = world.put_mapping(MAPPING)
    for number in (1, 2):
        world.send(
            f"run-{number}", mapping, boots(1, first=number), id=f"00000{number}", group=number
        )
    world.pim.faults = Faults(down=503)
    for number in (1, 2):
        deliver(world, capsys)

        said = lines(log)
        assert said
        for line in said:
            named = (line["run"], line["source"], line["message_id"])
            assert named == (f"run-{number}", "shop", f"00000{number}")
            assert line["sqs_message"]


def test_a_rejected_record_leads_back_to_its_line_of_the_file(
    world: World, capsys: pytest.CaptureFixture[str], log: io.StringIO
) -> None:
    bad = record(7, "boots-7", f"<name>{'x' * 300}</name>")
    world.send("run-1", world.put_mapping(MAPPING), [bad], id="000001")

    deliver(world, capsys)

    [line] = [line for line in lines(log) if "identifier" in line]

    assert (line["message"], line["record"], line["line"]) == ("record rejected", 7, 70)
    assert (line["run"], line["source"], line["message_id"]) == ("run-1", "shop", "000001")
    assert line["identifier"] == "boots-7"
    assert line["reasons"]
