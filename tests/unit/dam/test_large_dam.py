"""100,000 assets: the memory of a page, and no more requests than pages."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Literal

import pytest

from pim_connector.dam.pages import SECOND, Ask, Page, Plan, Position, Row, Stamps, plan_of
from pim_connector.dam.polling import Buffer
from pim_connector.dam.source import Listing, Offsets, Since
from pim_connector.dam.walk import walk
from pim_connector.sync.messages import AssetMessage, Change

Mode = Literal["requery", "pages"]

ASSETS = 100_000
SIZE = 500


def dam(ties: int) -> Callable[[Ask], Page]:
    """A DAM of 100,000 assets, `ties` of them in each second, made up as it is asked."""

    def fetch(ask: Ask) -> Page:
        first = -(-(ask.since or 0) // SECOND) * ties + ask.offset
        rows = tuple(
            Row(ids=(f"a{n}",), stamp=n // ties * SECOND, properties={"n": n})
            for n in range(first, min(first + ask.limit, ASSETS))
        )
        return Page(rows=rows, start=ask.offset, limit=ask.limit)

    return fetch


def plan_for(mode: Mode, largest: int | None) -> Plan:
    listing = Listing(
        path="/a?limit={{limit}}", pagination=Offsets(size=SIZE, max_size=largest), mode=mode
    )
    return plan_of(listing, Stamps(Since()), overlap_s=60)


@pytest.mark.parametrize(
    ("mode", "ties", "largest"), [("requery", 1, None), ("requery", 7, 1000), ("pages", 3, 1000)]
)
def test_100_000_assets_take_no_more_than_one_request_a_page(
    mode: Mode, ties: int, largest: int | None
) -> None:
    asked = []

    def fetch(ask: Ask) -> Page:
        asked.append(ask.limit)
        return dam(ties)(ask)

    seen = {
        row.key
        for step in walk(plan_for(mode, largest), Position(), fetch, lambda: 0.0)
        for row in step.rows
    }
    assert len(seen) == ASSETS
    assert len(asked) <= ASSETS / SIZE * 1.01 + 1


def test_the_memory_of_a_walk_does_not_grow_with_the_dam() -> None:
    sent: list[int] = []

    def send(message: AssetMessage) -> None:
        sent.append(len(message.changes))

    buffer = Buffer("dam", 4, send)
    tracemalloc.start()
    for step in walk(plan_for("requery", None), Position(), dam(1), lambda: 0.0):
        for row in step.rows:
            buffer.put(Change(id=row.ids[0], properties=row.properties), step.position)
    buffer.flush()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(sent) == ASSETS
    assert len(sent) <= ASSETS / 100 * 1.01
    assert peak < 20_000_000
