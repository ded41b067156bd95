"""NetSuite: namespaces declared where they are used, values as text or as internal ids."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    labels,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

MAPPING = "docs/mappings/netsuite_item_search.yaml"
PIM = "trade.json"


def own() -> Export:
    return own_export("netsuite_item_search.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_the_one_row_of_the_recorded_answer() -> None:
    answer = real_export("netsuite_saved_search_item.xml", MAPPING, PIM)
    assert answer.states == {"mapped": 1}
    item = answer["9781945179747"]
    assert value(item, "department") == "113"
    assert value(item, "free_stock") == "3307"
    assert value(item, "on_order") == "40000"
    assert value(item, "reorder_point") == "2565"
    assert value(item, "product_line") == "123"
    assert value(item, "reorder_status") == "8"


def test_text_before_internal_id_and_zero_is_a_value() -> None:
    book = own()["BK-001"]
    assert value(book, "name", "en_US") == "Atlas & Globe"
    assert value(book, "price") == price("24.95", "USD")
    assert value(book, "free_stock") == "0"
    assert value(book, "product_line") == "Maps"
    assert labels(book, "reorder_status") == {"3": {}}


def test_a_row_without_item_number_is_rejected_and_says_where_it_looked() -> None:
    assert own().states == {"mapped": 1, "rejected": 1}
    (error,) = own().records[1].errors
    assert error.attribute == "identifier"
    assert error.source == "accounting:basic/common:itemId/core:searchValue"
