"""Packing: nothing lost, order kept, limits held, models before their variants, few calls."""

from __future__ import annotations

import re
from collections import defaultdict
from math import ceil

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pim_connector.products.batching import MODEL, PRODUCT, Batch, Batcher, OpenBatch
from pim_connector.sync.messages import asset_group_id, group_id, group_of

GROUPS = 3
Record = tuple[int, str, bytes]


def records_from(groups: list[tuple[int, bool, int]]) -> list[Record]:
    return [
        (group, MODEL if model else PRODUCT, f"{number:06d}".encode().ljust(6 + weight, b"x"))
        for number, (group, model, weight) in enumerate(groups)
    ]


RECORDS = st.lists(
    st.tuples(st.integers(0, GROUPS - 1), st.booleans(), st.integers(0, 300)), max_size=700
).map(records_from)
BUDGETS = st.sampled_from([500, 20_000, 60_000, 8_000_000])


def packed(records: list[Record], budget: int) -> list[Batch]:
    batcher = Batcher(GROUPS, budget=budget)
    batches = [p for group, kind, body in records for p in batcher.add(group, kind, {}, body)]
    return batches + list(batcher.flush())


def delivered(batches: list[Batch]) -> list[Batch]:
    """The parcels in the order in which their messages reach the queue, bodies filled in."""
    stored = {batch.number: batch for batch in batches if batch.way == "store"}
    return [
        stored[batch.number] if batch.way == "point" else batch
        for batch in batches
        if batch.way != "store"
    ]


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS)
def test_every_record_is_delivered_once_and_in_its_order_within_group_and_resource(
    records: list[Record], budget: int
) -> None:
    expected: dict[tuple[int, str], list[bytes]] = defaultdict(list)
    found: dict[tuple[int, str], list[bytes]] = defaultdict(list)
    for group, kind, body in records:
        expected[group, kind].append(body)
    for batch in delivered(packed(records, budget)):
        found[batch.group, batch.resource].extend(batch.records)
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS)
def test_no_product_overtakes_a_model_of_its_group_that_came_before_it(
    records: list[Record], budget: int
) -> None:
    place: dict[bytes, int] = {}
    for order, batch in enumerate(delivered(packed(records, budget))):
        place |= dict.fromkeys(batch.records, order)
    last_model: dict[int, int] = {}
    for group, kind, body in records:
        if kind == MODEL:
            last_model[group] = max(place[body], last_model.get(group, -1))
        else:
            assert place[body] > last_model.get(group, -1)


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS)
def test_batches_hold_at_most_100_records_and_are_numbered_without_a_gap(
    records: list[Record], budget: int
) -> None:
    batches = delivered(packed(records, budget))
    assert all(1 <= len(batch.records) <= 100 for batch in batches)
    assert sorted(batch.number for batch in batches) == list(range(1, len(batches) + 1))


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_there_is_no_message_more_than_a_group_and_resource_needs(records: list[Record]) -> None:
    wanted: dict[tuple[int, str], int] = defaultdict(int)
    found: dict[tuple[int, str], int] = defaultdict(int)
    for group, kind, _ in records:
        wanted[group, kind] += 1
    for batch in delivered(packed(records, 8_000_000)):
        found[batch.group, batch.resource] += 1
    assert found == {key: ceil(number / 100) for key, number in wanted.items()}


def test_products_that_wait_long_for_a_model_are_stored_and_still_need_no_more_messages() -> None:
    records: list[Record] = [(0, MODEL, b"m")]
    records += [(0, PRODUCT, b"%06d" % number) for number in range(1_000)]
    batches = packed(records, budget=1_500)
    assert [batch.way for batch in batches].count("store") >= 7
    assert [len(batch.records) for batch in delivered(batches)] == [1] + 10 * [100]


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS, st.integers(0, 700))
def test_a_batcher_made_from_a_checkpoint_goes_on_as_if_nothing_had_happened(
    records: list[Record], budget: int, cut: int
) -> None:
    first = Batcher(GROUPS, budget=budget)
    batches = [p for group, kind, body in records[:cut] for p in first.add(group, kind, {}, body)]
    saved = msgspec.msgpack.encode(first.open_batches)
    second = Batcher(
        GROUPS,
        open_batches=msgspec.msgpack.decode(saved, type=list[OpenBatch]),
        number=first.number,
        budget=budget,
    )
    batches += [p for group, kind, body in records[cut:] for p in second.add(group, kind, {}, body)]
    assert batches + list(second.flush()) == packed(records, budget)


@settings(max_examples=40, deadline=None)
@given(RECORDS)
def test_buffers_never_weigh_more_than_the_budget(records: list[Record]) -> None:
    batcher = Batcher(GROUPS, budget=20_000)
    for group, kind, body in records:
        list(batcher.add(group, kind, {}, body))
        held = sum(
            len(b)
            for open_batch in batcher.open_batches
            for b in open_batch.models + open_batch.products
        )
        assert held == sum(open_batch.weight for open_batch in batcher.open_batches) <= 20_000


def test_records_under_another_head_begin_a_new_message() -> None:
    batcher = Batcher(1)
    assert list(batcher.add(0, PRODUCT, {"season": "summer"}, b"1")) == []
    [batch] = batcher.add(0, PRODUCT, {"season": "winter"}, b"2")
    assert (batch.head, batch.records) == ({"season": "summer"}, (b"1",))


def test_a_family_keeps_its_group_over_releases() -> None:
    assert [group_of(key, 4) for key in ("TENT-1", "TENT-2", "", "Zelt ü")] == [3, 0, 0, 2]
    assert group_id(3) == "group-3"


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 100))
def test_every_key_has_a_group(key: str, groups: int) -> None:
    assert 0 <= group_of(key, groups) < groups


def test_a_hundred_products_wait_for_the_one_model_that_came_before_them() -> None:
    records: list[Record] = [(0, MODEL, b"m")]
    records += [(0, PRODUCT, b"%06d" % number) for number in range(150)]
    kinds = [(batch.resource, len(batch.records)) for batch in packed(records, 8_000_000)]
    assert kinds == [(MODEL, 1), (PRODUCT, 100), (PRODUCT, 50)]


def test_a_group_has_only_characters_that_sqs_takes() -> None:
    """MessageGroupId: letters, digits and punctuation, at most 128, so no space.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
    """
    for name in (group_id(31), asset_group_id(31)):
        assert re.fullmatch(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}", name)
