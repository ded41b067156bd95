"""The short form of `make fuzz`, and all that it has found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import mutated
from tests.fuzz.targets import TARGETS

FOUND = sorted(Path(__file__).parent.glob("found/*/*"))


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_written_when_all_is_well_is_read(name: str) -> None:
    assert TARGETS[name].seeds
    for seed in TARGETS[name].seeds:
        TARGETS[name].feed(seed)


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found_once_is_answered(path: Path) -> None:
    TARGETS[path.parent.name].feed(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_bytes_break_it(name: str, data: Any) -> None:
    TARGETS[name].feed(data.draw(mutated(TARGETS[name].seeds) | st.binary(max_size=200)))
