from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.mapping.results import Mapped, Slot
from pim_connector.sync.comparison import (
    Current,
    Decision,
    LeftOut,
    Send,
    Unchanged,
    changed_slots,
    decide,
    is_superseded,
    needs_current,
    slot_hashes,
)
from tests.unit.delivery.examples import NEWER, OLDER, ORDER, entry, mapped, value

NAME, PRICE = value("name", "Boot"), value("price", "10")
IN_THE_PIM = Current(product={"identifier": "shoe", "values": {}})
NOT_IN_THE_PIM = Current(product=None)


def sent(decision: Decision) -> set[str]:
    assert isinstance(decision, Send)
    return {slot.key[1] if len(slot.key) > 1 else slot.key[0] for slot in decision.slots}


def test_a_product_nobody_has_seen_is_sent_whole() -> None:
    decision = decide(mapped(NAME, PRICE), None, None)

    assert decision == Send(slots=(NAME, PRICE), whole=True)


def test_of_a_changed_product_only_what_changed_is_sent() -> None:
    known = entry(slots=slot_hashes([NAME, PRICE]))

    decision = decide(mapped(NAME, value("price", "11")), known, None)

    assert decision == Send(slots=(value("price", "11"),), whole=False)


def test_nothing_is_sent_when_nothing_changed() -> None:
    known = entry(slots=slot_hashes([NAME, PRICE]))

    assert decide(mapped(PRICE, NAME), known, None) == Unchanged()


def test_the_erp_s_word_goes_along_with_any_change_but_causes_none() -> None:
    always = value("stock", "5", owner="always")
    known = entry(slots=slot_hashes([NAME, always]))

    assert decide(mapped(NAME, always), known, None) == Unchanged()
    assert sent(decide(mapped(value("name", "Shoe"), always), known, None)) == {"name", "stock"}
    assert sent(decide(mapped(NAME, value("stock", "6", owner="always")), known, None)) == {"stock"}


def test_what_is_only_for_new_products_is_never_sent_to_an_old_one() -> None:
    first = value("text", "draft", owner="create_only")
    known = entry(slots=slot_hashes([NAME, first]))

    assert decide(mapped(NAME, value("text", "new", "create_only")), known, None) == Unchanged()
    assert sent(decide(mapped(NAME, first), None, NOT_IN_THE_PIM)) == {"name", "text"}
    assert sent(decide(mapped(NAME, first), None, IN_THE_PIM)) == {"name"}


def test_a_value_for_empty_ones_is_sent_only_where_the_pim_has_none() -> None:
    hint = value("hint", "by the ERP", owner="if_empty", locale="de_DE")
    filled = Current(
        product={"values": {"hint": [{"locale": "de_DE", "scope": None, "data": "by a human"}]}}
    )
    other = Current(
        product={"values": {"hint": [{"locale": "en_US", "scope": None, "data": "by a human"}]}}
    )

    assert sent(decide(mapped(NAME, hint), None, filled)) == {"name"}
    assert sent(decide(mapped(NAME, hint), None, other)) == {"name", "hint"}
    assert sent(decide(mapped(NAME, hint), None, NOT_IN_THE_PIM)) == {"name", "hint"}


@pytest.mark.parametrize(
    ("product", "key", "holds"),
    [
        ({"family": "boots"}, ("family",), True),
        ({"family": None}, ("family",), False),
        ({"categories": []}, ("categories",), False),
        ({"categories": ["a"]}, ("categories",), True),
        ({"enabled": False}, ("enabled",), True),
        ({"associations": {"X": {"products": ["a"]}}}, ("associations", "X", "products"), True),
        ({"associations": {"X": {"products": []}}}, ("associations", "X", "products"), False),
        ({"associations": []}, ("associations", "X", "products"), False),
        (
            {"values": {"a": [{"locale": None, "scope": None, "data": 1}]}},
            ("media", "a", "", ""),
            1,
        ),
        ({"values": {}}, ("values", "a", "", ""), False),
        (None, ("family",), False),
    ],
)
def test_the_pim_s_answer_says_whether_it_holds_a_slot(
    product: dict[str, Any] | None, key: tuple[str, ...], holds: bool
) -> None:
    assert Current(product=product).holds(key) == holds


def test_the_pim_is_asked_only_for_owners_and_modes_that_need_it() -> None:
    known = entry(slots=slot_hashes([NAME]))
    changed = value("name", "Shoe")

    assert not needs_current(mapped(NAME), None)
    assert not needs_current(mapped(changed), known)
    assert not needs_current(mapped(NAME, mode="update_only"), known)
    assert needs_current(mapped(changed, mode="update_only"), known)
    assert needs_current(mapped(NAME, mode="create_only"), None)
    assert needs_current(mapped(value("a", 1, "create_only")), None)
    assert not needs_current(mapped(value("a", 1, "create_only")), known)
    assert needs_current(mapped(value("a", 1, "if_empty")), known)


def test_records_that_may_only_update_are_left_out_where_there_is_nothing_to_update() -> None:
    update_only = mapped(NAME, mode="update_only")

    assert isinstance(decide(update_only, None, NOT_IN_THE_PIM), LeftOut)
    assert sent(decide(update_only, None, IN_THE_PIM)) == {"name"}


def test_records_that_may_only_create_are_left_out_where_the_product_is_there() -> None:
    create_only = mapped(NAME, mode="create_only")

    assert isinstance(decide(create_only, None, IN_THE_PIM), LeftOut)
    assert sent(decide(create_only, None, NOT_IN_THE_PIM)) == {"name"}
    assert isinstance(decide(create_only, entry(slots=b""), None), LeftOut)


def test_a_product_deleted_in_the_pim_is_sent_whole_again() -> None:
    known = entry(slots=slot_hashes([NAME, PRICE]))
    hint = value("hint", "x", owner="if_empty")

    decision = decide(mapped(NAME, PRICE, hint), known, NOT_IN_THE_PIM)

    assert decision == Send(slots=(NAME, PRICE, hint), whole=True)


def test_an_operator_can_force_what_did_not_change() -> None:
    first = value("text", "draft", owner="create_only")
    known = entry(slots=slot_hashes([NAME, PRICE, first]))

    assert sent(decide(mapped(NAME, PRICE, first), known, None, forced=True)) == {"name", "price"}


def test_a_new_product_without_any_value_is_created_all_the_same() -> None:
    assert decide(mapped(), None, None) == Send(slots=(), whole=True)
    assert decide(mapped(), entry(), None) == Unchanged()


@pytest.mark.parametrize(
    ("order", "run", "number", "stale"),
    [
        (ORDER, "run-2", 1, False),
        (NEWER, "run-3", 1, True),
        (OLDER, "run-1", 9, False),
        (ORDER, "run-2", 9, True),
        (ORDER, "a replay of it", 9, True),
        (ORDER, "a replay of it", 1, False),
    ],
)
def test_newer_is_the_later_file_and_in_one_file_the_later_record(
    order: str, run: str, number: int, stale: bool
) -> None:
    known = entry(order=order, run=run, record=number)

    assert is_superseded(known, order=ORDER, record=5) == stale


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
slots = st.builds(
    Slot,
    key=st.tuples(st.just("values"), st.text(max_size=5), st.text(max_size=5), st.just("")),
    data=json_values,
    owner=st.sampled_from(["on_change", "always"]),
)
distinct_slots = st.lists(slots, max_size=8, unique_by=lambda slot: slot.key)


@given(distinct_slots)
def test_what_was_accepted_is_never_sent_again(held: list[Slot]) -> None:
    packed = slot_hashes(held)

    assert len(packed) == 12 * len(held)
    assert changed_slots(held, packed) == ()


@given(distinct_slots, distinct_slots)
def test_what_differs_is_sent_and_nothing_else(before: list[Slot], after: list[Slot]) -> None:
    known = {slot.key: json.dumps(slot.data, sort_keys=True) for slot in before}

    changed = changed_slots(after, slot_hashes(before))

    differing = [s for s in after if known.get(s.key) != json.dumps(s.data, sort_keys=True)]
    assert list(changed) == differing


def test_one_and_true_are_different_values() -> None:
    one: Mapped = mapped(value("a", 1))

    assert sent(decide(one, entry(slots=slot_hashes([value("a", True)])), None)) == {"a"}
