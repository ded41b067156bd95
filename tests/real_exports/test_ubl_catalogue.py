"""UBL catalogues: PEPPOL's third use case, and a public framework contract for notebooks."""

from __future__ import annotations

from tests.real_exports.exports import (
    Export,
    field,
    labels,
    media,
    own_export,
    price,
    problems_of,
    real_export,
    value,
)

MAPPING = "docs/mappings/ubl_catalogue.yaml"
PIM = "trade.json"
ITALIAN = ("{value: en_US}", "{value: it_IT}")


def peppol() -> Export:
    return real_export("ubl_peppol_uc3.xml", MAPPING, PIM)


def consip() -> Export:
    return real_export("ubl_consip.xml", MAPPING, PIM, ITALIAN)


def own() -> Export:
    return own_export("ubl_catalogue.xml", MAPPING, PIM)


def test_the_starter_fits_its_pim() -> None:
    assert problems_of(MAPPING, PIM) == ()


def test_all_twelve_lines_are_products() -> None:
    assert peppol().states == {"mapped": 12}
    assert [r.identifier for r in peppol().records] == [
        "2451015",
        "2451037",
        "2451027",
        "1038195",
        "7690213",
        "123",
        "55123",
        "4747",
        "1111",
        "111",
        "11",
        "D345gold",
    ]


def test_a_line_with_number_price_brand_and_picture() -> None:
    pen = peppol()["2451015"]
    assert value(pen, "name", "en_US") == "Ballpoint pen. Blue 0.7 mm"
    assert value(pen, "keywords") == "writing equipment, felt pen"
    assert value(pen, "gtin") == "05790000436057"
    assert value(pen, "price") == price("20", "NOK")
    assert value(pen, "tax_rate") == "25"
    assert value(pen, "order_unit") == "XBX"
    assert value(pen, "content_quantity") == "10"
    assert labels(pen, "brand") == {"fictive_industry_inc": {"en_US": "FICTIVE INDUSTRY INC."}}
    assert field(pen, "categories") == ["unspsc_44121701"]
    assert value(pen, "certificates") == ["NEO"]
    assert media(pen) == {"image": "http://anskaffelser.no/imagearchive/Kontrakt_1_3.jpg?w=800"}


def test_a_line_without_dates_of_its_own_has_those_of_the_catalogue() -> None:
    assert value(peppol()["2451015"], "valid_to") == "2020-12-31"
    assert value(peppol()["4747"], "valid_from") == "2019-10-01"
    assert value(peppol()["2451015"], "supplier") == "medical"
    assert value(peppol()["2451015"], "contract") == "3299-RA"
    assert value(peppol()["2451015"], "catalogue") == "1236"


def test_item_properties_with_their_quantities() -> None:
    paper = peppol()["7690213"]
    assert value(paper, "part_size") == "A4"
    assert value(paper, "paper_weight") == {"amount": "80", "unit": "GRAM"}
    assert value(paper, "color") == "white"
    assert value(paper, "mpn") == "2453005"
    assert value(paper, "pack_quantity") == "5"


def test_packages_hold_what_they_are_made_of() -> None:
    bottle, case, pallet = peppol()["1111"], peppol()["111"], peppol()["11"]
    assert field(bottle, "quantified_associations") is None
    assert (value(bottle, "orderable"), field(bottle, "enabled")) == (False, True)
    assert field(case, "quantified_associations") == {
        "COMPONENTS": {"products": [{"identifier": "1111", "quantity": 6}]}
    }
    assert field(pallet, "quantified_associations") == {
        "COMPONENTS": {"products": [{"identifier": "111", "quantity": 18}]}
    }
    assert value(pallet, "price") == price("3456", "NOK")
    assert value(pallet, "min_order_quantity") == "1"
    assert value(case, "pack_size") == "6x250 ml"


def test_a_price_per_square_metre_becomes_one_per_roll() -> None:
    paper = peppol()["D345gold"]
    assert value(paper, "price") == price("835", "NOK")  # 160.58 times 5.1999
    assert value(paper, "lead_time") == {"amount": "2", "unit": "WEEK"}
    assert value(peppol()["123"], "lead_time") == {"amount": "5", "unit": "DAY"}


def test_brand_country_and_tax_of_apples() -> None:
    apples = peppol()["4747"]
    assert value(apples, "brand") == "pomonax"
    assert value(apples, "country_of_origin") == "NO"
    assert value(apples, "tax_rate") == "12"
    assert value(apples, "price") == price("21.1", "NOK")


def test_all_six_notebook_lines_are_products() -> None:
    assert consip().states == {"mapped": 6}
    notebook = consip()["L1A_HP_WINDOWS"]
    assert value(notebook, "name", "it_IT") == "HP Compaq 6730b"  # Name is empty
    assert value(notebook, "description", "it_IT") is None
    assert value(notebook, "price") == price("539.73", "EUR")
    assert field(notebook, "categories") == ["cpv_30213100_6", "eclass_19_01_02_00"]
    assert value(notebook, "country_of_origin") == "IT"
    assert labels(notebook, "brand") == {"hp_compaq": {"en_US": "HP Compaq"}}
    assert value(notebook, "valid_to") == "2010-12-31"
    url = value(notebook, "document_url")
    assert isinstance(url, str)
    assert url.endswith("PC_Portatili_9-Guida_alla_Convenzione_Lotto_1.pdf")


def test_empty_elements_send_nothing() -> None:
    notebook, battery = consip()["L1A_HP_WINDOWS"], consip()["2"]
    assert [value(notebook, a) for a in ("processor", "memory", "hard_disk", "gtin")] == [None] * 4
    assert value(battery, "brand") is None
    assert field(battery, "categories") is None
    assert value(battery, "price") == price("35.7", "EUR")
    assert media(consip()["3"]) == {"image": "test.jpg"}
    assert value(consip()["3"], "name", "it_IT") == "Tastiera Speciale"


def test_names_in_their_languages_under_prefixes_of_another_choice() -> None:
    screws = own()["S-200"]
    assert value(screws, "name", "nb_NO") == "Skruer på eske"
    assert value(screws, "name", "en_US") == "Box of screws"
    assert value(screws, "description", "nb_NO") == "Eske med skruer, rustfrie, 5×40"
    assert value(screws, "paper_weight") == {"amount": "1.2", "unit": "KILOGRAM"}
    assert value(screws, "part_size") is None
    assert value(screws, "price") == price("25", "NOK")  # 12.50 for 100, 200 in a box
    assert labels(screws, "supplier") == {"kontorvarer_a_s": {"en_US": "Kontorvarer A/S"}}


def test_a_deleted_line_switches_its_product_off() -> None:
    gone = own()["S-0"]
    assert field(gone, "enabled") is False
    assert value(gone, "name", "en_US") == "Old screw"


def test_a_price_for_an_odd_quantity_is_refused_and_not_guessed() -> None:
    assert own().states == {"mapped": 2, "rejected": 1}
    (error,) = own().records[2].errors
    assert (error.attribute, error.message, error.value) == ("price", '"7" is not in the map', "7")
