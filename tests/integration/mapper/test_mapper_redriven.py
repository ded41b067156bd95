"""A message that was put aside and redriven has its attempts before it again."""

from __future__ import annotations

import pytest

from pim_connector.redriving import redrive
from tests.integration.mapper.examples import MAPPING, boots
from tests.integration.mapper.world import Killed, World


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
