"""When a value that was sent and the one that the PIM shows are the same, type by type."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.akeneo.structure import Structure
from pim_connector.sync.comparison import Current
from pim_connector.sync.sameness import kind_of, same

TABLE = [
    {"code": "nutrient", "data_type": "select"},
    {"code": "amount", "data_type": "number"},
    {"code": "note", "data_type": "text"},
]
PIM = Structure.from_catalog(
    {
        "attributes": [
            {"code": "supplier_no", "type": "pim_catalog_text"},
            {"code": "body", "type": "pim_catalog_textarea"},
            {"code": "weight", "type": "pim_catalog_metric"},
            {"code": "ratio", "type": "pim_catalog_number"},
            {"code": "price", "type": "pim_catalog_price_collection"},
            {"code": "since", "type": "pim_catalog_date"},
            {"code": "on", "type": "pim_catalog_boolean"},
            {"code": "colour", "type": "pim_catalog_simpleselect"},
            {"code": "tags", "type": "pim_catalog_multiselect"},
            {"code": "pictures", "type": "pim_catalog_asset_collection"},
            {"code": "nutrition", "type": "pim_catalog_table", "table_configuration": TABLE},
            {"code": "link", "type": "pim_catalog_product_link"},
        ]
    }
)


def are_same(attribute: str, one: Any, other: Any) -> bool:
    return same(one, other, kind_of(("values", attribute, "", ""), PIM))


KILO = {"amount": "1.5", "unit": "KILOGRAM"}


@pytest.mark.parametrize(
    ("attribute", "sent", "shown"),
    [
        ("ratio", "1.5", "1.5000"),
        ("ratio", 15, "15.0000"),
        ("weight", KILO, {"amount": "1.5000", "unit": "KILOGRAM", "symbol": "kg"}),
        ("price", [{"amount": "5", "currency": "EUR"}], [{"amount": "5.00", "currency": "EUR"}]),
        (
            "price",
            [{"amount": "5", "currency": "EUR"}, {"amount": "6", "currency": "USD"}],
            [{"amount": "6.00", "currency": "USD"}, {"amount": "5.00", "currency": "EUR"}],
        ),
        ("price", [], [{"amount": None, "currency": "EUR"}]),
        ("since", "2016-06-28", "2016-06-28T00:00:00+02:00"),
        ("since", "2016-06-28T00:00:00+00:00", "2016-06-28T00:00:00+02:00"),
        ("since", "2016-06-28T10:30:00+02:00", "2016-06-28T08:30:00+00:00"),
        ("tags", ["new", "eco"], ["eco", "new"]),
        ("colour", "Red", "red"),
        ("nutrition", [{"nutrient": "fat", "amount": "1"}], [{"nutrient": "Fat", "amount": 1}]),
        ("link", {"type": "product", "identifier": "A"}, {"type": "product", "identifier": "a"}),
        ("supplier_no", None, ""),
    ],
)
def test_what_differs_only_in_its_dress_is_the_same(attribute: str, sent: Any, shown: Any) -> None:
    assert are_same(attribute, sent, shown)
    assert are_same(attribute, shown, sent)


@pytest.mark.parametrize(
    ("attribute", "one", "other"),
    [
        ("supplier_no", "00123", "123"),
        ("supplier_no", "1.10", "1.1"),
        ("supplier_no", "2024-01-15", "2024-01-15T00:00:00+00:00"),
        ("body", "Boot", "boot"),
        ("ratio", "1.5", "1.51"),
        ("ratio", "0", None),
        ("weight", KILO, {"amount": "1.5", "unit": "GRAM"}),
        ("price", [{"amount": "5", "currency": "EUR"}], [{"amount": "5", "currency": "USD"}]),
        ("since", "2016-06-28", "2016-06-27T00:00:00+02:00"),
        ("on", False, None),
        ("tags", ["new", "eco"], ["new"]),
        ("pictures", ["front", "back"], ["back", "front"]),
        ("nutrition", [{"nutrient": "fat", "note": "01"}], [{"nutrient": "fat", "note": "1"}]),
        ("link", {"type": "product", "identifier": "A"}, {"type": "product", "identifier": "B"}),
        ("nobody_knows_it", "00123", "123"),
    ],
)
def test_what_differs_in_its_value_is_not(attribute: str, one: Any, other: Any) -> None:
    assert not are_same(attribute, one, other)
    assert not are_same(attribute, other, one)


@pytest.mark.parametrize(
    ("key", "sent", "shown"),
    [
        (("categories",), ["garden", "sale"], ["Sale", "garden"]),
        (("associations", "UPSELL", "products"), ["a", "b"], ["b", "a"]),
        (
            ("quantified_associations", "SET", "products"),
            [{"identifier": "a", "quantity": 2}],
            [{"identifier": "a", "uuid": "6f0f", "quantity": 2}],
        ),
        (("parent",), "M-1", "m-1"),
    ],
)
def test_fields_are_compared_as_the_pim_compares_codes(
    key: tuple[str, ...], sent: Any, shown: Any
) -> None:
    assert same(sent, shown, kind_of(key, None))


def test_a_quantity_is_a_part_of_its_link() -> None:
    kind = kind_of(("quantified_associations", "SET", "products"), None)

    assert not same(
        [{"identifier": "a", "quantity": 2}], [{"identifier": "a", "quantity": 3}], kind
    )


@given(st.text(max_size=8), st.text(max_size=8))
def test_two_texts_are_the_same_only_letter_by_letter(one: str, other: str) -> None:
    assert are_same("supplier_no", one, other) == (one == other)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4), st.integers(0, 4))
def test_a_number_is_the_same_however_many_zeros_follow_it(number: Decimal, zeros: int) -> None:
    assert are_same("ratio", str(number), f"{number}{'0' * zeros}")


def test_a_value_of_false_or_nought_is_not_empty_and_an_empty_one_is() -> None:
    values: dict[str, Any] = {
        name: [{"locale": None, "scope": None, "data": data}]
        for name, data in (("on", False), ("ratio", 0), ("body", ""), ("tags", []))
    }
    current = Current(product={"identifier": "a", "values": values})

    held = [name for name in values if current.holds(("values", name, "", ""))]

    assert held == ["on", "ratio"]
