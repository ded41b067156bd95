"""The layer stays in order: few rooms, one direction, one way to do a thing."""

from __future__ import annotations

import pytest

from tests.house.limits import Row, rows


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return rows()


def test_every_figure_of_the_house_is_within_its_limit(table: list[Row]) -> None:
    assert [row for row in table if not row.holds] == []
