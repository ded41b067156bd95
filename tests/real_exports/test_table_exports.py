"""Exports of tables, whose columns have a place and no name: Excel 2003 and FileMaker."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    labels,
    media,
    own_export,
    price,
    problems_of,
    value,
)

EXCEL = "docs/mappings/spreadsheetml.yaml"
FILEMAKER = "docs/mappings/filemaker.yaml"
PIM = "goods.json"


def excel() -> Export:
    return own_export("spreadsheetml.xml", EXCEL, PIM)


def filemaker() -> Export:
    return own_export("filemaker.xml", FILEMAKER, PIM)


def test_the_starters_fit_their_pim() -> None:
    assert problems_of(EXCEL, PIM) == ()
    assert problems_of(FILEMAKER, PIM) == ()


def test_the_rows_of_the_sheet_are_products_and_the_header_is_none() -> None:
    assert excel().states == {"mapped": 3, "filtered": 2}
    assert [r.identifier for r in excel().records if r.identifier] == ["A-100", "A-101", "102"]


def test_cells_go_by_the_names_in_the_header() -> None:
    drill = excel()["A-100"]
    assert value(drill, "name", "de_DE") == "Bohrer 5 mm"
    assert value(drill, "price") == price("12.5", "EUR")
    assert value(drill, "weight") == {"amount": "0.05", "unit": "KILOGRAM"}
    assert value(drill, "colour") == "silber"
    assert labels(drill, "colour") == {"silber": {"de_DE": "Silber"}}
    assert value(drill, "updated") == "2024-05-06"
    assert value(drill, "erp_group") == "Bohrer/Holz"


def test_cells_after_a_gap_are_in_the_column_that_they_say() -> None:
    black, bold = excel()["A-101"], excel()["102"]
    assert value(black, "price") is None
    assert value(black, "weight") is None
    assert value(black, "colour") == "schwarz"
    assert value(black, "updated") is None
    assert value(black, "erp_group") == "Bohrer/Metall"
    assert value(bold, "name", "de_DE") == "Bohrer 7 mm"
    assert value(bold, "price") is None
    assert value(bold, "weight") == {"amount": "0.012", "unit": "KILOGRAM"}
    assert value(bold, "colour") is None
    assert value(bold, "updated") == "2024-05-07"


def test_merged_cells_shift_no_column() -> None:
    merged = own_export("spreadsheetml_merged.xml", EXCEL, PIM)
    rake, spade = merged["M-1"], merged["M-2"]
    assert value(rake, "name", "de_DE") == "Rechen, Preis auf Anfrage"
    assert value(rake, "price") is None
    assert value(rake, "weight") == {"amount": "1.5", "unit": "KILOGRAM"}
    assert value(rake, "colour") == "grun"
    assert value(spade, "colour") == "rot"
    assert value(spade, "updated") is None
    assert value(spade, "erp_group") == "Garten"


def test_error_cells_are_no_value_and_a_broken_number_is_no_product() -> None:
    merged = own_export("spreadsheetml_merged.xml", EXCEL, PIM)
    hoe = merged["M-3"]
    assert (value(hoe, "price"), value(hoe, "colour")) == (None, None)
    assert value(hoe, "weight") == {"amount": "2", "unit": "KILOGRAM"}
    assert value(hoe, "erp_group") == "Garten"
    assert merged.records[-1].state == "rejected"


def test_columns_of_filemaker_have_the_names_of_its_metadata() -> None:
    assert filemaker().states == {"mapped": 2, "filtered": 1}
    chair, table = filemaker()["0100"], filemaker()["0101"]
    assert value(chair, "name", "de_DE") == "Stuhl „Eiche“"
    assert value(chair, "price") == price("1099.5", "EUR")
    assert value(chair, "created") == "2024-05-06"
    assert media(chair) == {"image": "a.jpg", "image_2": "b.jpg"}
    assert value(table, "name", "de_DE") == "Tisch"
    assert value(table, "price") is None
    assert value(table, "created") == "2023-12-31"
    assert media(table) == {}
