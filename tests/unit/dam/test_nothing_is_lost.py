"""Whatever a DAM does while it is walked, the queue ends up with what the DAM has."""

from __future__ import annotations

from random import Random

import pytest

from simulators.dam.habits import Habits, StampFormat, Ties
from tests.unit.dam.sources import source
from tests.unit.dam.world import World

WALKS = [
    *((dialect, "requery", "asc") for dialect in ("offset", "page", "cursor", "graphql", "link")),
    *((dialect, "pages", "asc") for dialect in ("offset", "page", "cursor", "next_url")),
    *((dialect, "pages", "desc") for dialect in ("offset", "page", "graphql", "header_cursor")),
    *((dialect, "full", "asc") for dialect in ("offset", "page", "next_url")),
]
ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata"]


def habits_of(random: Random, dialect: str, mode: str) -> Habits:
    """Any mix of bad habits. A full list needs an order without ties."""
    printed = random.choice([0.001, 1.0])
    fine: list[StampFormat] = ["iso_z", "epoch_ms"]
    coarse: list[StampFormat] = ["naive", "space", "epoch", "iso_z", "compact"]
    stamp_format = random.choice(fine if printed < 1 else coarse)
    ties: Ties = "by_id" if mode == "full" else random.choice(["by_id", "random"])
    capped = dialect != "page" and ties == "by_id" and random.random() < 0.3
    return Habits(
        page_cap=5 if capped else None,
        ties=ties,
        printed_step_s=printed,
        index_step_s=random.choice([0.001, 1.0, 60.0]),
        stamp_format=stamp_format,
        zone=random.choice(ZONES),
        exclusive_since=random.random() < 0.3,
        total=random.choice(["right", "stale", "absent"]),
        late_commit_s=random.choice([0, 5, 40]),
        index_lag_s=random.choice([0, 3]),
        deleted_status=random.choice([403, 404]),
        deleted_in_list=random.random() < 0.3,
        deletion_feed=True,
        throttle_every=random.choice([None, 7]),
        throttle_status=random.choice([420, 429, 503]),
        reset_style=random.choice(["seconds", "http_date", "epoch", "epoch_ms", "iso", "nothing"]),
        error_every=random.choice([None, 11]),
        churn=True,
        updates=random.choice([0, 1, 2]),
        deletes=random.choice([0, 1, 3]),
        uploads=random.choice([0, 1]),
    )


def world_of(dialect: str, mode: str, order: str, seed: int) -> World:
    random = Random(seed)  # noqa: S311
    habits = habits_of(random, dialect, mode)
    formats = {
        "iso_z": "iso_ms_z",
        "epoch_ms": "epoch_ms",
        "epoch": "epoch",
        "naive": "%Y-%m-%dT%H:%M:%S",
        "space": "%Y-%m-%d %H:%M:%S",
        "compact": "%Y%m%d%H%M%S%f",
    }
    text = source(
        dialect,
        mode=mode,
        order=order,
        format_=formats[habits.stamp_format],
        tz=habits.zone,
        granularity=max(habits.index_step_s, habits.printed_step_s),
        exclusive=habits.exclusive_since,
        size=random.choice([7, 10]),
        largest=200,
        feed=True,
    )
    world = World(text, habits, seed=seed, step=random.choice([0.05, 0.4, 2.0]))
    for _ in range(random.choice([0, 5, 40, 60])):
        world.dam.library.add()
        world.time += random.choice([0, 0, 0.2, 3, 40])
    return world


@pytest.mark.parametrize(("dialect", "mode", "order"), WALKS)
@pytest.mark.parametrize("seed", range(8))
def test_after_the_writes_stop_two_polls_bring_the_queue_level_with_the_dam(
    dialect: str, mode: str, order: str, seed: int
) -> None:
    world = world_of(dialect, mode, order, seed)
    random = Random(seed + 1000)  # noqa: S311
    for _ in range(4):
        world.poll(seconds=random.choice([0.5, 5, 200]))
        world.dam.live()
        world.time += random.choice([1, 20, 300])
    world.dam.habits.churn = False
    world.time += 60
    assert world.poll().finished
    assert world.poll().finished
    assert world.versions() == world.truth()


@pytest.mark.parametrize("dialect", ["offset", "page"])
@pytest.mark.parametrize(("mode", "order"), [("pages", "asc"), ("pages", "desc"), ("full", "asc")])
def test_a_list_that_slides_under_a_walk_loses_nothing(dialect: str, mode: str, order: str) -> None:
    """Three of what was already read are deleted between two pages, so three slide over."""
    world = World(source(dialect, mode=mode, order=order, size=10, largest=10))
    ids = []
    for _ in range(60):
        ids.append(world.dam.library.add())
        world.time += 100
    read = ids[::-1] if order == "desc" else ids
    between = iter([(), *(read[n : n + 3] for n in (0, 10, 20, 30))])

    def delete_three() -> None:
        for identity in next(between, ()):
            world.dam.library.delete(identity)

    world.before_each_list = delete_three
    assert world.poll().finished
    assert set(world.truth()) <= set(world.versions())
