"""One notion of sameness: every spelling the PIM takes for one product is one product to us."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pim_connector.mapping.identity import (
    folded,
    invisible_names,
    is_spreadsheet_damage,
    without_invisible,
)
from pim_connector.mapping.results import Identity, Mapped, Rejected
from pim_connector.products.shaping import rounds
from pim_connector.sync.chunks import HashSet, identity_hash
from pim_connector.sync.message_results import ParkedGroup, overdue
from pim_connector.sync.messages import Force, MessageRecord, group_of
from pim_connector.sync.state import state_key
from tests.unit.erp.reading_world import compiled_mapping_of, records_of

LETTERS = st.characters(categories=["L", "Nd", "Pd"])
NAMES = st.text(LETTERS, min_size=1, max_size=12).filter(lambda name: not invisible_names(name))
BLANKS = st.text(" \t\u00a0\u2003\u3000", max_size=2)


def _spellings(name: str) -> st.SearchStrategy[str]:
    cased = st.sampled_from([name, name.swapcase() if name.isascii() else name.casefold()])
    form = st.sampled_from(["NFC", "NFD"])
    return st.builds(
        lambda left, body, to, right: left + unicodedata.normalize(to, body) + right,
        BLANKS,
        cased,
        form,
        BLANKS,
    )


TWO = NAMES.flatmap(lambda name: st.tuples(_spellings(name), _spellings(name)))


def record(number: int, identifier: str) -> MessageRecord:
    return MessageRecord(
        number=number,
        line=1,
        rule="p",
        identifier=identifier,
        family_key=identifier,
        fingerprint=b"",
        xml="",
    )


def parked(parent: str, since: int, models: tuple[str, ...] = ()) -> ParkedGroup:
    return ParkedGroup(
        parent=parent,
        run="r",
        message="m",
        group=0,
        heavy="",
        since=since,
        records=1,
        models=models,
    )


@given(TWO)
def test_two_spellings_are_one_product_in_every_store(spellings: tuple[str, str]) -> None:
    one, other = spellings
    assert folded(one) == folded(other)
    assert folded(folded(one)) == folded(one)
    assert state_key("s", "product", one) == state_key("s", "product", other)
    assert group_of(one, 7) == group_of(other, 7)
    seen = HashSet()
    assert seen.add(identity_hash("product", one))
    assert not seen.add(identity_hash("product", other))
    assert [len(each) for each in rounds([record(1, one), record(2, other)])] == [1, 1]
    assert Force(identifiers=(one,)).holds(other)
    patient = parked("root", 9, models=(one,))
    assert parked(other, 1) not in overdue([patient, parked(other, 1)], until=5)


@given(NAMES, NAMES)
def test_two_products_stay_two(one: str, other: str) -> None:
    if unicodedata.normalize("NFKD", one.casefold()) != unicodedata.normalize(
        "NFKD", other.casefold()
    ):
        assert state_key("s", "product", one) != state_key("s", "product", other)
        assert identity_hash("product", one) != identity_hash("product", other)


MAPPING = """
version: 1
records:
  p:
    path: /catalog/product
    identifier: sku
    parent: model
    family: {value: goods}
"""


def identified(sku: str, source: str = "", model: str = "") -> Identity | Rejected:
    mapping = MAPPING + source
    xml = f"<catalog><product><sku>{sku}</sku><model>{model}</model></product></catalog>"
    found = compiled_mapping_of(mapping).identify(records_of(xml, mapping)[0])
    assert isinstance(found, Identity | Rejected)
    return found


@pytest.mark.parametrize("hidden", ["\ufeff", "\u200b", "\u00ad", "\u200e", "\u3164", "\ufe0f"])
@pytest.mark.parametrize("pattern", ["{}A1", "A1{}", "A{}1"])
def test_an_invisible_character_never_makes_a_second_product(hidden: str, pattern: str) -> None:
    found = identified(pattern.format(hidden))
    assert isinstance(found, Rejected)
    assert f"U+{ord(hidden):04X} {unicodedata.name(hidden)}" in found.errors[0].message
    strip = "source: {identifiers: {invisible: strip}}\n"
    stripped = identified(pattern.format(hidden), strip, model=f"M{hidden}1")
    assert isinstance(stripped, Identity)
    assert (stripped.identifier, stripped.parent) == ("A1", "M1")


def test_an_invisible_character_in_a_models_code_is_refused_too() -> None:
    found = identified("A1", model="M\u200b1")
    assert isinstance(found, Rejected)
    assert found.errors[0].attribute == "parent"


@given(BLANKS, BLANKS)
def test_white_space_at_the_ends_is_no_part_of_an_identifier(left: str, right: str) -> None:
    found = identified(f"{left}A 1{right}")
    assert isinstance(found, Identity)
    assert found.identifier == "A 1"


@pytest.mark.parametrize(
    "broken", ["4.00638E+12", "-4.1E+12", "1E+05", "#REF!", "#N/A", "#NAME?", "#BEZUG!", "####"]
)
def test_what_a_spreadsheet_has_broken_is_refused_unless_the_mapping_allows_it(broken: str) -> None:
    found = identified(broken)
    assert isinstance(found, Rejected)
    assert "spreadsheet" in found.errors[0].message
    assert found.errors[0].value == broken
    allowed = identified(broken, "source: {identifiers: {spreadsheet_damage: allow}}\n")
    assert isinstance(allowed, Identity)


def test_a_decimal_comma_is_no_way_out() -> None:
    assert is_spreadsheet_damage("4,00638E+12")


@pytest.mark.parametrize("name", ["12E5", "#12", "E+12", "A#REF", "4.5", "N/A-1", "1-E+2"])
def test_identifiers_that_only_look_odd_are_no_damage(name: str) -> None:
    assert not is_spreadsheet_damage(name)


@given(st.text(max_size=20))
def test_what_is_left_hides_nothing(text: str) -> None:
    assert invisible_names(without_invisible(text)) == []


@given(BLANKS, BLANKS)
def test_white_space_around_values_is_stripped_whatever_kind_it_is(left: str, right: str) -> None:
    mapping = MAPPING + "    values: {title: {from: title, type: text}}\n"
    xml = f"<catalog><product><sku>A1</sku><title>{left}Boot{right}</title></product></catalog>"
    mapped = compiled_mapping_of(mapping).map(records_of(xml, mapping)[0], None)
    assert isinstance(mapped, Mapped)
    assert [slot.data for slot in mapped.slots if slot.key[0] == "values"] == ["Boot"]
