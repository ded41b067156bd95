"""What the mapper's output says of the PIM, and of where a line of its log belongs."""

from __future__ import annotations

from typing import Any

import pytest

from functions.mapper import handler
from local.akeneo.faults import Faults
from tests.integration.mapper.examples import MAPPING, boots
from tests.integration.mapper.world import Context, World
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


def test_every_line_of_the_log_names_run_and_message_of_its_message(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    mapping = world.put_mapping(MAPPING)
    for number in (1, 2):
        world.send(
            f"run-{number}", mapping, boots(1, first=number), id=f"00000{number}", lane=number
        )
    world.pim.faults = Faults(down=503)
    for number in (1, 2):
        deliver(world, capsys)

        keys = handler.logger.get_current_keys()
        assert (keys["run"], keys["message_id"]) == (f"run-{number}", f"00000{number}")
