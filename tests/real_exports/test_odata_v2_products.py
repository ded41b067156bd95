"""OData v2: entries inside entries, and null as a value."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

MAPPING = "docs/mappings/odata_v2_products.yaml"
PIM = "trade.json"


def real() -> Export:
    return real_export("odata_olingo_products.xml", MAPPING, PIM)


def own() -> Export:
    return own_export("odata_v2_products.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_nine_products_and_none_of_the_nine_suppliers_inside_them() -> None:
    assert real().states == {"mapped": 9}
    assert [r.identifier for r in real().records] == [str(n) for n in range(9)]


def test_bread_soda_and_a_television() -> None:
    bread, soda, television = real()["0"], real()["2"], real()["8"]
    assert value(bread, "name", "en_US") == "Bread"
    assert value(bread, "description", "en_US") == "Whole grain bread"
    assert value(bread, "price") == price("2.5", "USD")
    assert value(bread, "rating") == "4"
    assert value(bread, "released") == "1992-01-01"
    assert labels(bread, "supplier") == {"tokyo_traders": {"en_US": "Tokyo Traders"}}
    assert value(soda, "name", "en_US") == "Vint soda"
    assert value(soda, "supplier") == "exotic_liquids"
    assert value(television, "price") == price("1088.8", "USD")
    assert value(television, "released") == "2008-05-08"


def test_null_clears_and_a_date_switches_off() -> None:
    bread, cola = real()["0"], real()["3"]
    sent = field(bread, "values")
    assert isinstance(sent, dict)
    assert sent["discontinued_on"] == [{"locale": None, "scope": None, "data": None}]
    assert field(bread, "enabled") is True
    assert value(cola, "discontinued_on") == "2006-10-01"
    assert field(cola, "enabled") is False


def test_categories_inline_and_prefixes_of_another_choice() -> None:
    assert own().states == {"mapped": 2}
    tea, mug = own()["7"], own()["8"]
    assert field(tea, "categories") == ["category_3", "category_4"]
    assert value(tea, "name", "en_US") == "Assam"
    assert value(tea, "released") == "2020-02-29"
    assert value(tea, "price") == price("4.5", "USD")
    assert value(mug, "name", "en_US") == "Old mug"
    assert value(mug, "price") == price("0", "USD")
    assert field(mug, "enabled") is False
    assert field(mug, "categories") is None
