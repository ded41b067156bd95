"""What the PIM takes is noted in the sync state while it still answers for the rest of its call."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ReadTimeoutError

from pim_connector.akeneo.pim import Breaker, Closed
from simulators.akeneo.faults import Faults
from tests.integration.mapper.examples import MAPPING, boots
from tests.integration.mapper.world import Killed, World, record

PATCH = "PATCH /api/rest/v1/products"
CUT = Faults(only="PATCH /products", cut_answers=1, cut_after_lines=30)


def lines_sent(world: World) -> int:
    return int(world.pim.counters.report()["lines"].get("PATCH /products", 0))


def wait_for_the_pim(world: World) -> None:
    """Have it come to the end of a call whose client is gone."""
    deadline = time.monotonic() + 10
    while world.pim.counters.now:
        assert time.monotonic() < deadline, "the PIM never ends the call"
        time.sleep(0.01)


def test_twenty_five_products_are_noted_before_the_call_for_the_others(world: World) -> None:
    world.pim.faults = CUT
    world.send("run-1", world.put_mapping(MAPPING), boots(60))

    world.deliver_all()

    seen = [name for name in world.kills.seen if name in (PATCH, "BatchWriteItem")]
    assert seen == [PATCH, "BatchWriteItem", PATCH, "BatchWriteItem", "BatchWriteItem"]
    assert sum(world.counts("run-1").values()) == 60  # one was made whose answer was cut off


def test_a_worker_that_dies_in_a_call_leaves_less_to_send_again(world: World) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(60))

    def die(name: str) -> None:
        if name == "BatchWriteItem":
            raise Killed(name)

    world.kills.meanwhile = die
    with pytest.raises(Killed):
        world.invoke()
    world.kills.meanwhile = lambda _: None
    wait_for_the_pim(world)
    world.pim.counters.clear()
    world.start_worker()

    world.deliver_all()

    assert lines_sent(world) == 60 - 25
    assert sum(world.counts("run-1").values()) == 60
    assert world.counts("run-1")["created"] >= 25


def test_a_note_that_fails_fails_when_the_call_is_over_and_is_not_the_pims_fault(
    world: World,
) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(60))
    failures = iter(["BatchWriteItem"])

    def lose_the_answer(name: str) -> None:
        if name == "BatchWriteItem" and next(failures, ""):
            raise ReadTimeoutError(endpoint_url="dynamodb")

    world.kills.meanwhile = lose_the_answer
    answer = world.invoke()

    assert answer is not None
    assert len(answer["batchItemFailures"]) == 1
    assert Breaker(world.dynamodb, "state").enter(world.clock.now()) == Closed()
    assert lines_sent(world) == 60

    world.deliver_all()

    assert lines_sent(world) == 60
    assert world.counts("run-1") == {"created": 60}


def test_a_message_with_a_problem_is_kept_while_the_pim_has_it(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("before", mapping, boots(1))
    world.deliver_all()
    world.kills.seen.clear()
    world.send("run-1", mapping, [record(1, "a,b"), *boots(1, first=2)])

    world.deliver_all()

    assert world.counts("run-1") == {"created": 1, "rejected": 1}
    assert world.keys("records/run-1/") == ["records/run-1/000001.json"]
    assert world.kills.seen.index("PutObject") < world.kills.seen.index(PATCH)
    assert world.kills.seen.count("PutObject") == 1


def test_a_message_that_could_not_be_kept_is_not_booked(world: World) -> None:
    mapping = world.put_mapping(MAPPING)
    world.send("before", mapping, boots(1))
    world.deliver_all()
    world.send("run-1", mapping, [record(1, "a,b"), *boots(1, first=2)])
    failures = iter(["PutObject"])

    def lose_the_answer(name: str) -> None:
        if name == "PutObject" and next(failures, ""):
            raise ReadTimeoutError(endpoint_url="s3")

    world.kills.meanwhile = lose_the_answer
    world.invoke()

    assert world.counts("run-1") == {}
    assert Breaker(world.dynamodb, "state").enter(world.clock.now()) == Closed()

    world.deliver_all()

    assert world.counts("run-1") == {"created": 1, "rejected": 1}
