from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.products.lines import Triage, triage
from pim_connector.products.shaping import accepted_entry, rounds
from tests.unit.delivery.examples import NEWER, ORDER, entry, line, message, record, value


def sorted_out(known: Any = None, **changes: Any) -> Triage:
    return triage(message(record(), **changes), {known.key: known} if known else {})


def state(found: Triage) -> str | None:
    return found.outcomes[0].state if found.outcomes else None


def test_a_record_the_sync_state_does_not_know_is_mapped() -> None:
    assert sorted_out().to_map == (record(),)


def test_an_unchanged_record_is_not_mapped_but_its_order_is_lifted() -> None:
    found = sorted_out(entry())

    assert state(found) == "unchanged"
    assert found.lifted[0].order == ORDER
    assert found.lifted[0].slots == entry().slots


@pytest.mark.parametrize(
    "changes", [{"fingerprint": b"\x02" * 12}, {"mapping": "f" * 16}, {"fingerprint": b""}]
)
def test_another_record_or_mapping_or_an_incomplete_one_is_mapped(changes: dict[str, Any]) -> None:
    assert sorted_out(entry(**changes)).to_map


def test_a_record_older_than_what_the_pim_has_is_superseded() -> None:
    assert state(sorted_out(entry(order=NEWER, run="run-3"))) == "superseded"


@pytest.mark.parametrize("booked", ["created", "updated", "unchanged"])
def test_a_message_delivered_twice_counts_as_it_did_at_first(booked: str) -> None:
    known = entry(order=ORDER, run="run-2", record=7, outcome=booked)

    assert state(sorted_out(known)) == booked


def test_a_forced_run_maps_what_is_unchanged() -> None:
    assert sorted_out(entry(), forced=True).to_map


def test_a_product_accepted_in_part_is_tried_again_by_the_next_file() -> None:
    name, price = value("name", "Boot"), value("price", "x")
    partial = line(name, price, left_out=frozenset({price.key}))

    known = accepted_entry(message(record()), partial, "updated")

    again = triage(message(record(), run="run-3", order=NEWER), {known.key: known})
    assert again.to_map


def test_the_sync_state_holds_nothing_of_values_that_are_still_to_follow() -> None:
    name, image = value("name", "Boot"), value("image", "a.jpg")
    whole = line(name, image)

    pending = accepted_entry(message(record()), whole, "created", pending=frozenset({image.key}))
    done = accepted_entry(message(record()), whole, "created")

    assert pending.fingerprint == b""
    assert len(pending.slots) == 12
    assert done.fingerprint == record().fingerprint
    assert len(done.slots) == 24


@given(st.lists(st.sampled_from("aAbBc"), max_size=12))
def test_rounds_name_each_product_once_and_keep_the_order_of_its_records(names: list[str]) -> None:
    records = [record(number, name) for number, name in enumerate(names)]

    made = list(rounds(records))

    for part in made:
        codes = [r.identifier.casefold() for r in part]
        assert len(codes) == len(set(codes))
    for code in {name.casefold() for name in names}:
        numbers = [r.number for part in made for r in part if r.identifier.casefold() == code]
        assert numbers == [r.number for r in records if r.identifier.casefold() == code]
