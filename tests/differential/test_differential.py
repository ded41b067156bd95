"""The reader finds what lxml finds, in files of fixed seeds."""

from __future__ import annotations

import pytest

from tests.differential.comparing import difference
from tests.differential.documents import made


@pytest.mark.parametrize("start", range(0, 2_000, 250))
def test_the_reader_and_lxml_see_the_same(start: int) -> None:
    said = {seed: difference(made(seed)) for seed in range(start, start + 250)}
    assert {seed: words for seed, words in said.items() if words} == {}
