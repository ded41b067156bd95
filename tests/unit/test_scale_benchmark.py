"""What the page on scale says follows from the template and from how message groups work."""

from __future__ import annotations

import pytest

from benchmarks import scale


def test_files_share_the_groups_and_all_are_through_when_the_work_is_done() -> None:
    large, small = scale.wait([2_000, 400], seconds_a_message=5.0)

    assert large.ended == pytest.approx(24 / scale.GROUPS * 5.0)
    assert small.ended <= large.ended


def test_a_small_file_behind_a_large_one_waits_for_it() -> None:
    large, small = scale.behind([4_000, 100], seconds_a_message=5.0)

    assert small.began >= large.ended - 5.0
    assert scale.wait([100], seconds_a_message=5.0)[0].ended == 5.0


def test_each_quota_names_its_page_and_what_a_stack_takes_of_it_is_counted() -> None:
    counts = scale.per_stack()

    assert counts.keys() == scale.STACK_QUOTAS.keys()
    assert min(counts.values()) > 0
    page = "\n".join(scale.report())
    assert all(quota.page in page for quota in scale.STACK_QUOTAS.values())
