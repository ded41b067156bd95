"""The benchmark of cold starts in its short form: each handler starts with what its layer holds."""

from __future__ import annotations

from pathlib import Path

from benchmarks import cold_start


def test_every_handler_starts_with_the_packages_of_layer_and_runtime_alone(tmp_path: Path) -> None:
    sizes = cold_start.lay_out(tmp_path)

    found = cold_start.starts(0, tmp_path, compiled=True)

    assert [one.name for one in found] == [cold_start.BARE, *cold_start.FUNCTIONS]
    assert all(one.imports > 0 for one in found)
    assert {"httpx", "lxml", "msgspec"} <= sizes.keys()
    assert sum(sizes.values()) < 250e6
