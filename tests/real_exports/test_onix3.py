"""ONIX for Books 3: everything is a row with a code that says what it is."""

from __future__ import annotations

import io

import pytest

from pim_connector.erp.reader import read_records
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from tests.real_exports.exports import (
    OWN,
    Export,
    field,
    labels,
    mapping_text,
    media,
    own_export,
    price,
    problems_of,
    value,
)

MAPPING = "docs/mappings/onix3.yaml"
PIM = "books.json"


def own() -> Export:
    return own_export("onix3.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_books_go_by_their_isbn_and_those_taken_back_are_disabled() -> None:
    assert own().states == {"mapped": 3}
    assert [(r.identifier, field(r, "enabled")) for r in own().records] == [
        ("9783161484100", True),
        ("9783161484117", True),
        ("9783161484124", False),
    ]


def test_a_title_with_or_without_prefix_in_the_language_it_says_or_that_of_the_file() -> None:
    wood, digital = own()["9783161484100"], own()["9783161484117"]
    assert value(wood, "name", "de_DE") == "Der lange Wald"
    assert value(wood, "subtitle", "de_DE") == "Ein Roman"
    assert value(digital, "name", "en_US") == "The Long Wood"
    assert value(digital, "subtitle", "en_US") is None


def test_texts_are_xhtml_escaped_html_or_plain() -> None:
    wood = own()["9783161484100"]
    assert value(wood, "description", "de_DE") == "<p>Ein <em>großer</em> Roman.</p>"
    assert value(wood, "description", "en_US") == "<p>A great novel.</p>"
    assert value(wood, "short_description", "de_DE") == "Kurz & gut."


def test_people_and_groups_by_what_they_did() -> None:
    wood = own()["9783161484100"]
    assert value(wood, "authors") == "Anna Müller; Waldgruppe"
    assert value(wood, "contributors") == "Bo Li"
    assert value(wood, "publisher") == "verlag_am_wald"
    assert labels(wood, "publisher") == {"verlag_am_wald": {"de_DE": "Verlag am Wald"}}
    assert value(wood, "imprint") == "lichtung"


def test_measures_pages_series_and_subjects() -> None:
    wood = own()["9783161484100"]
    assert value(wood, "height") == {"amount": "210", "unit": "MILLIMETER"}
    assert value(wood, "width") == {"amount": "13.5", "unit": "CENTIMETER"}
    assert value(wood, "weight") == {"amount": "450", "unit": "GRAM"}
    assert value(wood, "pages") == 320
    assert (value(wood, "series"), value(wood, "series_number")) == ("Waldromane", "4")
    assert value(wood, "subjects") == ["fba", "fxp"]
    assert value(wood, "keywords") == "Wald; Natur"
    assert value(wood, "publisher_number") == "V-77"


def test_the_price_of_the_territory_or_for_all_in_the_currency_of_the_file() -> None:
    wood, digital = own()["9783161484100"], own()["9783161484117"]
    assert value(wood, "price") == price("24", "EUR")
    assert value(digital, "price") == price("9.99", "EUR")


def test_dates_are_read_by_the_format_that_stands_beside_them() -> None:
    wood, digital = own()["9783161484100"], own()["9783161484117"]
    assert value(wood, "published") == "2024-03-01"
    assert value(digital, "published") == "2024-11-01"


def test_cover_and_other_forms_of_the_work() -> None:
    wood = own()["9783161484100"]
    assert media(wood) == {"cover": "https://verlag.example/cover/1.jpg"}
    assert field(wood, "associations") == {"X_SELL": {"products": ["9783161484117"]}}


@pytest.mark.parametrize("namespace", ['xmlns="http://ns.editeur.org/onix/3.1/reference"', ""])
def test_a_file_of_another_version_or_without_namespace_is_read_as_well(namespace: str) -> None:
    text = (OWN / "onix3.xml").read_text()
    other = text.replace('xmlns="http://ns.editeur.org/onix/3.0/reference"', namespace)
    compiled = compile_mapping(load_mapping(mapping_text(MAPPING).encode(), name=MAPPING))
    assert len([*read_records(lambda: io.BytesIO(other.encode()), compiled)]) == 3


def test_short_tags_say_the_same_as_reference_tags() -> None:
    short = own_export("onix3_short.xml", "docs/mappings/onix3_short.yaml", PIM)
    assert [(r.state, r.payload, r.media) for r in short.records] == [
        (r.state, r.payload, r.media) for r in own().records
    ]
    assert problems_of("docs/mappings/onix3_short.yaml", PIM) == ()
