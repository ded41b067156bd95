"""A message that was put aside and redriven has its attempts before it again."""

from __future__ import annotations

import pytest

from pim_connector.aws.queue import redrive
from simulators.akeneo.faults import Faults
from tests.integration.mapper.examples import MAPPING, boots
from tests.integration.mapper.test_mapper_links import LINKED, boot
from tests.integration.mapper.world import Killed, World, record


def killed(world: World) -> None:
    """Have the worker die at its first write, and start anew."""
    world.kills.seen.clear()
    world.kills.at = 1
    with pytest.raises(Killed):
        world.invoke()
    world.kills.at = None
    world.start_worker()


def test_a_redriven_message_may_crash_as_often_as_a_new_one(world: World) -> None:
    world.send("run-1", world.put_mapping(MAPPING), boots(1))
    for _ in range(5):
        killed(world)
    world.deliver_all()
    assert len(world.dead()) == 1

    assert redrive(world.sqs, world.dead_letters, world.queue).messages == 1
    for _ in range(4):
        killed(world)
    world.deliver_all()

    assert world.dead() == []
    assert world.counts("run-1") == {"created": 1}


def name_of(world: World, identifier: str) -> str:
    product = world.product(identifier)
    assert product is not None
    return str(product["name"])


def written_unanswered(world: World, times: int) -> None:
    """Have links of an older file wait while the PIM takes a newer record without an answer."""
    pin = world.put_mapping(LINKED)
    world.send("run-1", pin, [boot(1, "a", "never")])
    world.send("run-2", pin, [record(7, "a", "<name>newer</name>")])
    world.invoke()
    world.pim.faults = Faults(cut_answers=1_000_000, only="PATCH /products")
    for _ in range(times):
        world.invoke()
    world.pim.faults = Faults()
    assert name_of(world, "a") == "newer"


def test_an_older_file_does_not_go_over_what_a_message_wrote_before_it_was_put_aside(
    world: World,
) -> None:
    written_unanswered(world, times=4)
    killed(world)

    world.deliver_all()

    assert len(world.dead()) == 1
    assert world.counts("run-1") == {"superseded": 1}
    assert name_of(world, "a") == "newer"

    redrive(world.sqs, world.dead_letters, world.queue)
    world.deliver_all()

    assert world.counts("run-2") == {"updated": 1}
    assert name_of(world, "a") == "newer"


def test_an_older_file_does_not_go_over_what_the_pim_took_and_never_answered(world: World) -> None:
    written_unanswered(world, times=5)

    world.deliver_all()

    assert world.counts("run-2") == {"rejected": 1}
    assert world.counts("run-1") == {"superseded": 1}
    assert name_of(world, "a") == "newer"


def test_nor_over_what_it_took_for_the_first_time_and_never_answered(world: World) -> None:
    pin = world.put_mapping(MAPPING)
    world.send("run-1", pin, [record(1, "a", "<name>older</name>")])
    for _ in range(5):
        killed(world)
    world.deliver_all()
    world.send("run-2", pin, [record(1, "a", "<name>newer</name>")])
    world.pim.faults = Faults(cut_answers=1_000_000, only="PATCH /products")
    world.deliver_all()
    world.pim.faults = Faults()
    assert world.counts("run-2") == {"rejected": 1}

    redrive(world.sqs, world.dead_letters, world.queue)
    world.deliver_all()

    assert name_of(world, "a") == "newer"
    assert world.counts("run-1") == {"superseded": 1}

    world.send("run-3", pin, [record(1, "a", "<name>newest</name>")])
    world.deliver_all()
    assert name_of(world, "a") == "newest"
    assert world.counts("run-3") == {"updated": 1}
