"""The cost model against the real flow: what AWS would bill is what the model says."""

from __future__ import annotations

import pytest

from benchmarks import cost


def test_what_the_flow_asks_of_aws_is_what_the_cost_model_says() -> None:
    real, model = cost.counted(2_000), cost.modelled(2_000)

    for night in real:
        assert real[night]["messages"] <= model[night]["messages"] + 4, (
            "a last one in each message group"
        )
        assert real[night]["sync_state_writes"] == model[night]["sync_state_writes"]
        assert real[night]["sync_state_reads"] <= model[night]["sync_state_reads"]
        for name in ("store_reads", "store_writes"):
            assert real[night][name] == pytest.approx(model[night][name], rel=0.35, abs=40), name
    assert real["first load"]["chunks"] == pytest.approx(model["first load"]["chunks"], rel=0.4)
