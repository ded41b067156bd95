"""`mapping check` on units: a map that serves several families is no mistake, a wrong unit is."""

from __future__ import annotations

import pytest

from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.checking import check_against
from tests.unit.erp.reading_world import compiled_mapping_of
from tests.unit.mapping.mapping_world import attribute, mapping_of

PIM = Structure.from_catalog(
    {
        "attributes": [attribute("weight", "metric", metric_family="Weight")],
        "measurement_families": [
            {"code": "Weight", "units": {"GRAM": {"code": "GRAM"}}},
            {"code": "Length", "units": {"METER": {"code": "METER"}}},
        ],
    }
)


def problems(pairs: str) -> tuple[str, ...]:
    rule = f"values: {{weight: {{from: a, unit: {{from: b, steps: [{{map: {pairs}}}]}}}}}}"
    return check_against(compiled_mapping_of(mapping_of(rule)), PIM)


def test_one_map_of_units_may_serve_attributes_of_several_families() -> None:
    assert problems("{g: GRAM, m: METER}") == ()


@pytest.mark.parametrize(
    ("pairs", "unit"), [("{g: GRAM, m: METRE}", "METRE"), ("{m: METER}", "METER")]
)
def test_a_unit_that_no_family_knows_or_a_map_without_any_of_the_family_is_a_problem(
    pairs: str, unit: str
) -> None:
    (problem,) = problems(pairs)
    assert f"records.product.values.weight.unit: the PIM has no Weight unit {unit}" in problem
