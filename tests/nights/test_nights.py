"""A few seeds of the simulation of nights; `python -m tests.nights` runs as many as wanted."""

from __future__ import annotations

import pytest

from tests.nights.goods import Item
from tests.nights.oracle import FileRun, StoredResult, expect
from tests.nights.plan import SOURCE
from tests.nights.simulation import simulate

SEEDS = 20
BLOCKS = 4


@pytest.mark.parametrize("block", range(BLOCKS))
def test_nights_come_to_rest_with_every_record_accounted_for(block: int) -> None:
    for seed in range(block, SEEDS, BLOCKS):
        outcome = simulate(seed)
        again = f"python -m tests.nights --seed {seed} --trace"
        assert not outcome.violations, "\n".join([again, *outcome.violations])


def test_the_same_seed_is_the_same_history() -> None:
    first, second = simulate(4, trace=True), simulate(4, trace=True)
    assert first.trace == second.trace


def test_the_oracle_does_not_believe_a_change_that_is_called_unchanged() -> None:
    old = Item(kind="simple", no="S1", title="bag", stock="1")
    new = Item(kind="simple", no="S1", title="bag", stock="2")
    runs = [
        _run("a", (old,), StoredResult(state="created")),
        _run("b", (new,), StoredResult(state="unchanged")),
    ]
    [wrong] = expect(runs).wrong
    assert "called unchanged, but ['stock'] differ" in wrong


def test_the_oracle_does_not_believe_that_the_newest_record_is_superseded() -> None:
    item = Item(kind="simple", no="S1", title="bag", stock="1")
    [wrong] = expect([_run("a", (item,), StoredResult(state="superseded"))]).wrong
    assert "there is no newer record" in wrong


def _run(name: str, items: tuple[Item, ...], stored: StoredResult) -> FileRun:
    return FileRun(
        name=name,
        order=(name, f"incoming/{SOURCE}/{name}.xml", name),
        mapping=1,
        items=items,
        stored={1: stored},
        split_at=name,
    )
