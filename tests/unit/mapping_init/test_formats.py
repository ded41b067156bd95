"""Drafts of public formats against values that were checked by hand, and of each kind of structure."""

# ruff: noqa: E501 - XML is written as it is

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from benchmarks.mapping_init import FORMATS, GOAL, compared, sample_of
from drafting.drafting import Drafted, draft_mapping
from pim_connector.akeneo.structure import Structure
from pim_connector.erp.preview import Previewed, Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping

EXPECTED: dict[str, Any] = json.loads((FORMATS / "expected.json").read_text("utf-8"))
PIM = Structure.from_json((FORMATS / "pim.json").read_bytes())


def draft(xml: str | bytes, structure: Structure | None = None, **options: Any) -> Drafted:
    data = xml if isinstance(xml, bytes) else xml.encode()
    return draft_mapping(lambda: io.BytesIO(data), structure, **options)


def mapped(xml: str, structure: Structure | None = None, **options: Any) -> dict[str, Previewed]:
    """What a draft makes of its own sample, by identifier; it also passes the check."""
    compiled = compile_mapping(
        load_mapping(draft(xml, structure, **options).text.encode(), name="d")
    )
    assert structure is None or check_against(compiled, structure) == ()
    records = read_records(lambda: io.BytesIO(xml.encode()), compiled)
    found = [*preview_records(records, compiled, structure, Summary())]
    assert all(record.state != "rejected" for record in found), found
    return {str(record.identifier): record for record in found if record.state == "mapped"}


def data(record: Previewed, attribute: str, locale: str | None = None) -> Any:
    values: Any = (record.payload or {}).get("values", {})
    return next((v["data"] for v in values.get(attribute, []) if v["locale"] == locale), None)


@pytest.mark.parametrize("name", EXPECTED)
def test_most_values_of_a_public_format_are_found_without_an_edit(name: str) -> None:
    hits, missing = compared(sample_of(name), EXPECTED[name], PIM)
    share = len(hits) / (len(hits) + len(missing))
    assert share >= GOAL or name == "exact", missing


SIZES = {
    "attributes": [
        {"code": "sku", "type": "pim_catalog_identifier", "is_main_identifier": True},
        {"code": "name", "type": "pim_catalog_text"},
        {"code": "size", "type": "pim_catalog_simpleselect"},
        {"code": "price", "type": "pim_catalog_price_collection", "decimals_allowed": True},
    ],
    "families": [{"code": "wear", "attributes": ["sku", "name", "size", "price"]}],
    "attribute_options": [{"code": code, "attribute": "size"} for code in ("s", "l")],
}
WITH_AXIS = SIZES | {
    "family_variants": [
        {
            "code": "wear_by_size",
            "family": "wear",
            "variant_attribute_sets": [
                {"level": 1, "axes": ["size"], "attributes": ["sku", "size", "price"]}
            ],
        }
    ]
}
CHILD = "<child nr='{0}-{1}'><cost>{2}</cost><opt><key>Grösse</key><val>{1}</val></opt></child>"
WEAR = (
    "<wear>"
    f"<piece no='7'><label>Cap</label><children>{CHILD.format(7, 'S', 9)}{CHILD.format(7, 'L', 11)}</children></piece>"
    f"<piece no='8'><label>Scarf</label><children>{CHILD.format(8, 'S', 5)}</children></piece>"
    "<piece no='9'><label>Pin</label><cost>2</cost></piece></wear>"
).replace("child", "variant")


def test_variants_inside_products_are_variants_where_the_pim_has_them() -> None:
    found = mapped(WEAR, Structure.from_catalog(WITH_AXIS))
    assert {key: record.resource for key, record in found.items()} == {
        "7": "product_model", "7-S": "product", "7-L": "product",
        "8": "product_model", "8-S": "product", "9": "product",
    }  # fmt: skip
    assert (found["7-L"].payload or {})["parent"] == "7"
    assert data(found["7-L"], "size") == "l"
    assert data(found["7"], "name") == "Cap"
    assert data(found["9"], "price") == [{"amount": "2", "currency": "EUR"}]


def test_variants_inside_products_are_products_where_the_pim_has_no_family_variant() -> None:
    found = mapped(WEAR, Structure.from_catalog(SIZES))
    assert set(found) == {"7-S", "7-L", "8-S", "9"}
    assert (data(found["7-S"], "name"), data(found["7-S"], "size")) == ("Cap", "s")
    assert data(found["9"], "name") == "Pin"


def test_a_container_of_different_things_is_no_record() -> None:
    rows = "".join(
        f"<msg><{kind} gid='{kind}{n}'><label>{kind} {n}</label><cost>{n}.5</cost></{kind}></msg>"
        if kind == "ware" else f"<msg><{kind} gid='{kind}{n}'/></msg>"
        for kind in ("unit", "ware", "taxes") for n in (1, 2)
    )  # fmt: skip
    assert set(mapped(f"<batch>{rows}</batch>")) == {"ware1", "ware2"}


def test_of_a_dump_that_writes_all_under_one_name_the_goods_are_taken() -> None:
    goods = "<obj class='article' key='A{0}'><f n='label'>Lamp {0}</f><f n='price'>{0}</f></obj>"
    other = "<obj class='country' key='C{0}'><f n='iso'>X{0}</f></obj>"
    xml = f"<dump>{other.format(1)}{other.format(2)}{goods.format(1)}{goods.format(2)}</dump>"
    assert set(mapped(xml)) == {"A1", "A2"}


@pytest.mark.parametrize(
    "row",
    [
        "<m><t>{0}</t><v>{1}</v><u>mm</u></m>",
        "<dim kind='{0}' amount='{1}' uom='mm'/>",
        "<mass><qual>{0}</qual><quantity unit='mm'>{1}</quantity></mass>",
    ],
)
def test_rows_whose_meaning_is_a_code_are_a_pivot_with_units(row: str) -> None:
    items = "".join(
        f"<p><id>N-{n}</id>{row.format('01', 190 + n)}{row.format('02', 130 + n)}</p>"
        for n in (1, 2, 3)
    )
    first = mapped(f"<c>{items}</c>")["N-1"]
    values: Any = (first.payload or {})["values"]
    amounts = [
        v["data"] for envelopes in values.values() for v in envelopes if isinstance(v["data"], dict)
    ]
    assert amounts == [{"amount": a, "unit": "MILLIMETER"} for a in ("191", "131")]


def test_one_record_per_language_gives_each_product_all_its_languages() -> None:
    row = "<line><art>{0}</art><sprache>{1}</sprache><bez>{2}</bez><cost>5</cost></line>"
    xml = f"<t>{row.format('X1', 'de', 'Hut')}{row.format('X1', 'fr', 'Chapeau')}{row.format('X2', 'de', 'Rock')}</t>"
    found = mapped(xml.replace("art>", "sku>"))
    assert (data(found["X1"], "bez", "de_DE"), data(found["X1"], "bez", "fr_FR")) == (
        "Hut",
        "Chapeau",
    )
    assert data(found["X2"], "bez", "de_DE") == "Rock"


def test_a_text_without_language_stands_beside_those_that_say_one() -> None:
    item = "<i><sku>A{0}</sku><name>Stool {0}</name><tr lang='de'><name>Hocker {0}</name></tr></i>"
    first = mapped(f"<s>{item.format(1)}{item.format(2)}</s>", PIM)["A1"]
    assert (data(first, "name", "en_US"), data(first, "name", "de_DE")) == ("Stool 1", "Hocker 1")


@pytest.mark.parametrize(
    ("leaf", "off"),
    [
        ("<op>{}</op>", ("op", "update", "delete")),
        ("<Deleted>{}</Deleted>", ("", "0", "1")),
        ("<LVORM>{}</LVORM>", ("", "", "X")),
        ("<state><code>{}</code></state>", ("", "active", "inactive")),
    ],
)
def test_flags_of_deletion_disable(leaf: str, off: tuple[str, str, str]) -> None:
    _, kept, gone = off
    item = "<i><sku>A{0}</sku><name>Stool {0}</name><cost>{0}</cost>{1}</i>"
    leaf = leaf.replace("op>", "operation>")
    xml = f"<s>{item.format(1, leaf.format(kept))}{item.format(2, leaf.format(gone))}</s>"
    found = mapped(xml)
    assert [(found[key].payload or {}).get("enabled") for key in ("A1", "A2")] == [True, False]


def test_numbers_and_guids_go_before_bar_codes_and_uniqueness_before_names() -> None:
    item = "<i><ean>400638133393{0}</ean><guid>3f2a-{0}</guid><name>n{0}</name></i>"
    assert "identifier: guid" in draft(f"<s>{item.format(1)}{item.format(2)}</s>").text
    again = "<i><sku>SAME</sku><ean>400638133393{0}</ean></i>"
    assert "identifier: ean" in draft(f"<s>{again.format(1)}{again.format(2)}</s>").text


def test_values_in_rows_elsewhere_are_looked_up_by_the_identifier() -> None:
    items = "<item><sku>A1</sku><name>Pan</name></item><item><sku>A2</sku><name>Pot</name></item>"
    prices = (
        "<list><price item='A1' cur='EUR'>5.5</price><price item='A2' cur='EUR'>7</price></list>"
    )
    found = mapped(f"<s><items>{items}</items>{prices}</s>", PIM)
    assert data(found["A2"], "price") == [{"amount": "7", "currency": "EUR"}]


def test_a_record_at_any_depth_can_be_named() -> None:
    xml = "<c><a><n><id>x1</id><name>Spade</name></n></a><b><d><n><id>x2</id><name>Rake</name></n></d></b></c>"
    assert set(mapped(xml, record="//n")) == {"x1", "x2"}
    with pytest.raises(ConfigurationError, match="not in the file"):
        draft(xml, record="//q")


def test_an_encoding_that_the_file_lies_about_can_be_named_and_is_written_down() -> None:
    item = "<i><sku>A{0}</sku><name>Stühle {0}</name></i>"
    lying = f"<?xml version='1.0' encoding='utf-8'?><s>{item.format(1)}{item.format(2)}</s>"
    said = draft(lying.encode("cp1250"), encoding="cp1250").text
    assert "file:\n  encoding: cp1250" in said
    assert "Stühle 1" in said
    guessed = draft(lying.encode("windows-1252")).text
    assert "encoding: windows-1252" in guessed
    with pytest.raises(ConfigurationError, match="no such encoding"):
        draft(lying.encode(), encoding="klingon")


def test_the_last_line_says_how_much_of_the_sample_is_read() -> None:
    item = "<i><sku>A{0}</sku><name>Stool {0}</name><odd>{0}</odd></i>"
    said = draft(f"<s>{item.format(1)}{item.format(2)}</s>", PIM).said[-1]
    assert said == "the draft reads 2 of the 3 leaves of the sample's records (67 %)"


def test_a_rule_that_does_not_fit_some_records_leaves_the_value_out_and_not_the_product() -> None:
    rows = "".join(
        f"<i><sku>A{n}</sku><name>n{n}</name><w unit='{unit}'>{n}</w></i>"
        for n, unit in ((1, "kg"), (2, "kg"), (3, "kg"), (4, "bushel"))
    )
    xml = f"<s>{rows}</s>".replace("w ", "weight ").replace("/w>", "/weight>")
    found = mapped(xml, PIM)
    assert data(found["A1"], "weight") == {"amount": "1", "unit": "KILOGRAM"}
    assert data(found["A4"], "weight") is None


def test_a_starter_is_taken_cut_and_put_on_the_attributes_of_the_pim() -> None:
    sample = sample_of("bmecat2005fd").read_bytes()
    drafted = draft(sample, PIM)
    assert drafted.said[0] == "records: the starter bmecat2005.yaml"
    assert "order_unit" not in drafted.text.partition("records:")[2].split("# Not used")[0]
    assert "unit_of_measure: PRODUCT_ORDER_DETAILS/ORDER_UNIT" in drafted.text
    assert "price_valid_from" not in drafted.text
    plain = draft(sample)
    assert "order_unit" in plain.text
    assert "price_valid_from" not in plain.text
