"""The benchmark against the alternatives in its short form: what it says of the PIM is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import catalogue, end_to_end
from benchmarks.pim import simulated_pim


def test_the_connector_sends_what_changed_and_the_pim_holds_the_export() -> None:
    first, second, *_ = end_to_end.measure(150, [end_to_end.CONNECTOR])

    assert (first.lines, first.wrong, first.missing) == (150, 0, 0)
    assert (second.lines, second.wrong, second.missing) == (2, 0, 0)


def test_what_is_wrong_and_what_is_missing_in_the_pim_is_seen(tmp_path: Path) -> None:
    export = tmp_path / "night-1.xml"
    catalogue.write_export(export, 3)
    right, wrong, _ = catalogue.products(3)
    wrong["values"]["stock"] = [{"locale": None, "scope": None, "data": 999}]

    with simulated_pim() as pim:
        pim.empty(catalogue.structure() | {"products": [right, wrong]})
        found = end_to_end._compared(pim, 1, end_to_end._records_in(export))

    assert found == (1, 1)


@pytest.mark.skipif(
    not end_to_end.PYTHON.exists(), reason="the alternatives are not installed: make .local/bench"
)
@pytest.mark.parametrize("who", list(end_to_end.ALTERNATIVES))
def test_an_alternative_loads_all_when_nothing_goes_wrong(who: str, tmp_path: Path) -> None:
    export = tmp_path / "night-1.xml"
    catalogue.write_export(export, 150)

    with simulated_pim() as pim:
        (night,) = end_to_end.nights(who, pim, [export], faults=False)

    assert (night.lines, night.wrong, night.missing, night.ended) == (150, 0, 0, "quietly")
