"""What kind of values a place holds."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drafting.values import NUMBERS, kind_of
from pim_connector.mapping.converters import read_date
from pim_connector.mapping.language import NumberFormat
from pim_connector.mapping.numbers import read_number


@pytest.mark.parametrize(
    ("name", "values", "kind", "format_"),
    [
        ("price", ["17,23", "1.017,78"], "price", {"decimal": ",", "thousands": "."}),
        ("price", ["17.23", "1,017.78"], "price", {"decimal": ".", "thousands": ","}),
        ("width", ["0.5", "12"], "number", None),
        ("width", ["0,5", "12"], "number", {"decimal": ","}),
        ("cena", ["1 234,50", "9,90"], "price", {"decimal": ",", "thousands": " "}),
        ("created", ["31.12.2023", "01.02.2024"], "date", "dd.MM.yyyy"),
        ("changed", ["2024-01-31", "2024-02-29T08:00:00Z"], "date", None),
        ("date", ["20240131"], "date", "yyyyMMdd"),
        ("isactive", ["Y", "N"], "boolean", {"true": ["Y"], "false": ["N"]}),
        ("available", ["true", "false"], "boolean", None),
        ("Auslauf", ["ja", "nein"], "boolean", {"true": ["ja"], "false": ["nein"]}),
        ("img", ["https://x.example/a.jpg?v=1", "b/c.png"], "image", None),
        ("datasheet", ["https://x.example/a.pdf"], "file", None),
        ("link", ["https://x.example/shop"], "url", None),
        ("desc", ["<p>Text</p>"], "html", None),
    ],
)
def test_values_tell_their_kind_and_their_format(
    name: str, values: list[str], kind: str, format_: object
) -> None:
    found = kind_of(name, values)
    assert (found.name, found.format) == (kind, format_)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sku", "12345"),
        ("ean", "4006209796856"),
        ("article", "0815"),
        ("taxcode", "T1"),
        ("stock", "1234567890123"),
        ("size", "38/40"),
        ("dimension", "20x30"),
    ],
)
def test_numbers_that_are_names_stay_text(name: str, value: str) -> None:
    assert kind_of(name, [value]).name == "text"


def test_an_amount_and_its_currency_or_unit_in_one_text_are_told_apart() -> None:
    assert kind_of("p", ["123 KZT", "9 KZT"]).words == ("KZT",)
    assert kind_of("p", ["500,00 Kč"]).name == "price"
    assert kind_of("Moc", ["65W", "90 W"]).name == "metric"
    assert kind_of("VAT", ["21%"]).decorated


def test_what_can_be_read_in_two_ways_is_doubted() -> None:
    assert "thousands" in (kind_of("price", ["1.234", "5.678"]).doubt or "")
    assert "MM/dd/yyyy" in (kind_of("date", ["01/02/2024"]).doubt or "")
    assert "only 'N'" in (kind_of("is_bundle", ["N"]).doubt or "")
    assert kind_of("price", ["0.123"]).doubt is None


@given(st.lists(st.text(max_size=30), max_size=8), st.sampled_from(["price", "date", "x", "isA"]))
def test_a_kind_that_is_guessed_is_one_the_connector_reads(values: list[str], name: str) -> None:
    values = [value.strip() for value in values if value.strip()]
    kind = kind_of(name, values)
    if kind.name in ("number", "price") and values:
        form = NumberFormat(**(kind.format or {}), decoration=kind.decorated)
        assert all(isinstance(read_number(value, form), Decimal) for value in values)
    elif kind.name == "date":
        assert all(read_date(value, kind.format or "iso") for value in values)
    elif not values:
        assert kind.name == "empty"


def test_the_plain_format_is_tried_first() -> None:
    assert NUMBERS[0] == {}
