"""Packing: nothing lost, order kept, limits held, models before their variants, few calls."""

from __future__ import annotations

from collections import defaultdict
from math import ceil

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pim_connector.products.batching import MODEL, PRODUCT, Bay, Packer, Parcel
from pim_connector.sync.messages import lane_of, message_group

LANES = 3
Record = tuple[int, str, bytes]


def records_from(lanes: list[tuple[int, bool, int]]) -> list[Record]:
    return [
        (lane, MODEL if model else PRODUCT, f"{number:06d}".encode().ljust(6 + weight, b"x"))
        for number, (lane, model, weight) in enumerate(lanes)
    ]


RECORDS = st.lists(
    st.tuples(st.integers(0, LANES - 1), st.booleans(), st.integers(0, 300)), max_size=700
).map(records_from)
BUDGETS = st.sampled_from([500, 20_000, 60_000, 8_000_000])


def packed(records: list[Record], budget: int) -> list[Parcel]:
    packer = Packer(LANES, budget=budget)
    parcels = [p for lane, kind, body in records for p in packer.add(lane, kind, {}, body)]
    return parcels + list(packer.flush())


def delivered(parcels: list[Parcel]) -> list[Parcel]:
    """The parcels in the order in which their messages reach the queue, bodies filled in."""
    stored = {parcel.number: parcel for parcel in parcels if parcel.way == "store"}
    return [
        stored[parcel.number] if parcel.way == "point" else parcel
        for parcel in parcels
        if parcel.way != "store"
    ]


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS)
def test_every_record_is_delivered_once_and_in_its_order_within_lane_and_resource(
    records: list[Record], budget: int
) -> None:
    expected: dict[tuple[int, str], list[bytes]] = defaultdict(list)
    found: dict[tuple[int, str], list[bytes]] = defaultdict(list)
    for lane, kind, body in records:
        expected[lane, kind].append(body)
    for parcel in delivered(packed(records, budget)):
        found[parcel.lane, parcel.resource].extend(parcel.records)
    assert found == expected


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS)
def test_no_product_overtakes_a_model_of_its_lane_that_came_before_it(
    records: list[Record], budget: int
) -> None:
    place: dict[bytes, int] = {}
    for order, parcel in enumerate(delivered(packed(records, budget))):
        place |= dict.fromkeys(parcel.records, order)
    last_model: dict[int, int] = {}
    for lane, kind, body in records:
        if kind == MODEL:
            last_model[lane] = max(place[body], last_model.get(lane, -1))
        else:
            assert place[body] > last_model.get(lane, -1)


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS)
def test_parcels_hold_at_most_100_records_and_are_numbered_without_a_gap(
    records: list[Record], budget: int
) -> None:
    parcels = delivered(packed(records, budget))
    assert all(1 <= len(parcel.records) <= 100 for parcel in parcels)
    assert sorted(parcel.number for parcel in parcels) == list(range(1, len(parcels) + 1))


@settings(max_examples=60, deadline=None)
@given(RECORDS)
def test_there_is_no_message_more_than_a_lane_and_resource_needs(records: list[Record]) -> None:
    wanted: dict[tuple[int, str], int] = defaultdict(int)
    found: dict[tuple[int, str], int] = defaultdict(int)
    for lane, kind, _ in records:
        wanted[lane, kind] += 1
    for parcel in delivered(packed(records, 8_000_000)):
        found[parcel.lane, parcel.resource] += 1
    assert found == {key: ceil(number / 100) for key, number in wanted.items()}


def test_products_that_wait_long_for_a_model_are_stored_and_still_need_no_more_messages() -> None:
    records: list[Record] = [(0, MODEL, b"m")]
    records += [(0, PRODUCT, b"%06d" % number) for number in range(1_000)]
    parcels = packed(records, budget=1_500)
    assert [parcel.way for parcel in parcels].count("store") >= 7
    assert [len(parcel.records) for parcel in delivered(parcels)] == [1] + 10 * [100]


@settings(max_examples=60, deadline=None)
@given(RECORDS, BUDGETS, st.integers(0, 700))
def test_a_packer_made_from_a_checkpoint_goes_on_as_if_nothing_had_happened(
    records: list[Record], budget: int, cut: int
) -> None:
    first = Packer(LANES, budget=budget)
    parcels = [p for lane, kind, body in records[:cut] for p in first.add(lane, kind, {}, body)]
    saved = msgspec.msgpack.encode(first.bays)
    second = Packer(
        LANES,
        bays=msgspec.msgpack.decode(saved, type=list[Bay]),
        number=first.number,
        budget=budget,
    )
    parcels += [p for lane, kind, body in records[cut:] for p in second.add(lane, kind, {}, body)]
    assert parcels + list(second.flush()) == packed(records, budget)


@settings(max_examples=40, deadline=None)
@given(RECORDS)
def test_buffers_never_weigh_more_than_the_budget(records: list[Record]) -> None:
    packer = Packer(LANES, budget=20_000)
    for lane, kind, body in records:
        list(packer.add(lane, kind, {}, body))
        held = sum(len(b) for bay in packer.bays for b in bay.models + bay.products)
        assert held == sum(bay.weight for bay in packer.bays) <= 20_000


def test_records_under_another_head_begin_a_new_message() -> None:
    packer = Packer(1)
    assert list(packer.add(0, PRODUCT, {"season": "summer"}, b"1")) == []
    [parcel] = packer.add(0, PRODUCT, {"season": "winter"}, b"2")
    assert (parcel.head, parcel.records) == ({"season": "summer"}, (b"1",))


def test_a_family_keeps_its_lane_over_releases() -> None:
    assert [lane_of(key, 4) for key in ("TENT-1", "TENT-2", "", "Zelt ü")] == [3, 0, 0, 2]
    assert message_group(3) == "lane-3"


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 100))
def test_every_key_has_a_lane(key: str, lanes: int) -> None:
    assert 0 <= lane_of(key, lanes) < lanes


def test_a_hundred_products_wait_for_the_one_model_that_came_before_them() -> None:
    records: list[Record] = [(0, MODEL, b"m")]
    records += [(0, PRODUCT, b"%06d" % number) for number in range(150)]
    kinds = [(parcel.resource, len(parcel.records)) for parcel in packed(records, 8_000_000)]
    assert kinds == [(MODEL, 1), (PRODUCT, 100), (PRODUCT, 50)]
