"""The benchmark of the DAM flow in its short form: it runs, and its numbers hold what is asked."""

from __future__ import annotations

from benchmarks import asset_flow


def test_no_more_requests_than_pages_and_hundreds_and_nothing_for_what_is_unchanged() -> None:
    rounds = asset_flow.measure(3000)

    new, same, few = rounds.values()
    assert new["ends"] == {"AssetsUpdated": 3000}
    assert new["dam_requests"] <= 3000 / asset_flow.PAGE + 1
    assert new["pim_writes"] <= 3000 / 100 + asset_flow.GROUPS
    assert (same["pim_requests"], same["assets_sent"]) == (0, 0)
    assert (few["assets_sent"], few["pim_writes"]) == (30, 1)
