"""The benchmark of the mapper in its short form: it runs, and what can be counted holds."""

from __future__ import annotations

import pytest

from benchmarks import mapper
from benchmarks.flow import Spell


@pytest.mark.parametrize("attributes", [12, 60])
def test_every_record_is_mapped_and_delivered(attributes: int) -> None:
    found = mapper.speed(attributes, records=60, turns=1)

    assert min(found.bare, found.mapped, found.delivered) > 0


def test_no_more_calls_than_full_messages_and_a_last_one_in_each_group() -> None:
    counted = mapper.calls(1_000)

    assert 10 <= counted["PATCH"] <= 10 + mapper.GROUPS


def test_four_calls_are_under_way_while_there_are_messages() -> None:
    used = mapper.busy(500, milliseconds=1.0)

    assert 0 < used.all_four_full <= used.groups_full <= 1


def test_the_share_of_a_group_and_of_all_four_are_told_apart() -> None:
    spells = [Spell(True, 0.0, 10.0) for _ in range(3)] + [Spell(True, 0.0, 5.0)]

    used = mapper.busyness(400, spells, mapper.Pause(aws=0.75, processor=0.5))

    assert (used.groups, used.all_four) == (35 / 40, 0.5)
    assert (used.groups_full, used.all_four_full) == (1.0, 1.0)
    assert used.undisturbed == 8.75 / 10.0
    assert used.undisturbed_all == (0.5, 0.875**4)


def test_requests_side_by_side_are_waited_for_once() -> None:
    waits = [(0.0, 2.0), (1.0, 0.5), (1.5, 2.5), (7.0, 1.0), (9.5, 1.0), (-3.0, 1.0)]

    assert mapper.waited(waits, began=0.0, ended=9.0) == 4.0 + 1.0
