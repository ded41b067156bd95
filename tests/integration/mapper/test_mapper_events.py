"""The sample events, as `sam local invoke` gets them, through the real handler."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.mapper import handler
from pim_connector.products import delivery as delivery_round
from simulators.akeneo.faults import Faults
from tests.integration.mapper.examples import MAPPING, boots
from tests.integration.mapper.world import Context, World

EVENTS = Path(__file__).resolve().parents[3] / "events" / "mapper"
EXPECTED = {
    "two-products-are-created": ({"created": 2}, None),
    "a-message-of-another-version-is-put-aside": ({}, "version 99"),
    "a-heavy-message-whose-body-is-gone-is-put-aside": (
        {},
        "claim-checks/sample-run/000001 is gone",
    ),
}


@pytest.mark.parametrize("name", sorted(path.stem for path in EVENTS.glob("*.json")))
def test_each_sample_event_does_what_its_name_says(world: World, name: str) -> None:
    world.put_mapping(MAPPING)
    world.start_run("sample-run")
    context: Any = Context()

    event = json.loads((EVENTS / f"{name}.json").read_text())
    answer = handler.lambda_handler(event, context)

    counts, reason = EXPECTED[name]
    assert answer == {"batchItemFailures": []}
    assert world.counts("sample-run") == counts
    letters = [letter["MessageAttributes"]["reason"]["StringValue"] for letter in world.dead()]
    assert [reason in letter for letter in letters] == ([True] if reason else [])


def test_that_every_message_of_an_event_comes_back_is_no_failure_of_the_function(
    world: World,
) -> None:
    """AWS delivers what is named in the answer again, and an alarm on errors stays quiet."""
    mapping = world.put_mapping(MAPPING)
    for group in (0, 1):
        world.send("run-1", mapping, boots(1, first=group), id=f"00000{group}", group=group)
    world.pim.faults = Faults(down=503)
    records = world.receive(10)
    context: Any = Context()

    answer = handler.lambda_handler({"Records": records}, context)

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert failed == [record["messageId"] for record in records]
    assert len(failed) == 2


def test_behind_a_message_that_comes_back_its_group_waits_and_others_do_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mapping = world.put_mapping(MAPPING)
    for number, group in enumerate((0, 0, 1)):
        world.send("run-1", mapping, boots(1, first=number), id=f"00000{number}", group=group)
    records = sorted(world.receive(10), key=lambda record: str(record["body"]))
    submit = vars(delivery_round)["submit"]
    attempts = iter(["crashes"])
    monkeypatch.setattr(
        delivery_round, "submit", lambda *given: 1 / 0 if next(attempts, "") else submit(*given)
    )
    context: Any = Context()

    answer = handler.lambda_handler({"Records": records}, context)

    failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert failed == [record["messageId"] for record in records[:2]]
    assert world.counts("run-1") == {"created": 1}


def test_a_message_that_sqs_does_not_hide_comes_back_by_its_time_out(
    world: World,
) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(1))
    world.pim.faults = Faults(down=503)
    (record,) = world.receive(1)
    context: Any = Context()

    answer = handler.lambda_handler(
        {"Records": [record | {"receiptHandle": "of another time"}]}, context
    )

    assert answer == {"batchItemFailures": [{"itemIdentifier": record["messageId"]}]}
