"""What the PIM would say of a record as a whole is said before it is sent."""

from __future__ import annotations

import pytest

from pim_connector.akeneo.structure import Structure
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.results import Mapped, Rejected
from tests.unit.erp.reading_world import compiled_mapping_of
from tests.unit.mapping.mapping_world import errors_by, mapped_by, slots_by

COLUMNS = [
    {
        "code": "vitamin",
        "data_type": "select",
        "options": [{"code": "b12"}, {"code": "C"}],
    },
    {"code": "dose", "data_type": "number"},
]
PIM = Structure.from_catalog(
    {
        "attributes": [
            {"code": "sku", "type": "pim_catalog_identifier", "unique": True},
            {"code": "title", "type": "pim_catalog_text"},
            {"code": "ean", "type": "pim_catalog_text", "unique": True},
            {"code": "colour", "type": "pim_catalog_simpleselect"},
            {"code": "size", "type": "pim_catalog_simpleselect"},
            {"code": "stray", "type": "pim_catalog_text"},
            {"code": "dosage", "type": "pim_catalog_table", "table_configuration": COLUMNS},
        ],
        "attribute_options": [
            {"code": "red", "attribute": "colour"},
            {"code": "m", "attribute": "size"},
        ],
        "families": [
            {
                "code": "shoes",
                "attributes": ["sku", "title", "ean", "colour", "size", "dosage"],
            },
            {"code": "laces", "attributes": ["sku", "title"]},
        ],
        "family_variants": [
            {
                "code": "by_size",
                "family": "shoes",
                "variant_attribute_sets": [
                    {"level": 1, "axes": ["size"], "attributes": ["sku", "size"]}
                ],
            }
        ],
        "categories": [{"code": "master"}, {"code": "winter", "parent": "master"}],
        "association_types": [{"code": "SET", "is_quantified": True}, {"code": "UPSELL"}],
    }
)
ROWS = "values: {dosage: {each: v, columns: {vitamin: '@c', dose: '@d'}}}"
MODEL = "resource: product_model\nfamily_variant: {value: by_size}\n"
VARIANT = "parent: p\nfamily: {value: shoes}\n"


def warnings_by(product: str, rule: str) -> list[str]:
    result = mapped_by(product, rule, structure=PIM)
    assert isinstance(result, Mapped), result
    return [f"{warning.attribute}: {warning.message}" for warning in result.warnings]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("categories: c", "categories: the PIM has no category sumer"),
        ("family: {from: c}", "family: the PIM has no family sumer"),
        (
            "associations: {SUMER: {products: c}}",
            "associations.SUMER.products: the PIM has no association type SUMER",
        ),
    ],
)
def test_a_code_that_the_pim_has_not_rejects_the_record(rule: str, error: str) -> None:
    (found,) = errors_by("<c>sumer</c>", rule, structure=PIM)

    assert found.startswith(error)


def test_codes_are_sent_as_the_pim_spells_them() -> None:
    slots = slots_by(
        "<c>Winter</c><c>WINTER</c><f>Shoes</f>", "categories: c\nfamily: {from: f}", structure=PIM
    )

    assert slots == {("categories",): ["winter"], ("family",): "shoes"}


def test_without_knowing_the_categories_none_is_judged() -> None:
    slots = slots_by("<c>sumer</c>", "categories: c", structure=Structure())

    assert slots == {("categories",): ["sumer"]}


def test_an_unknown_category_is_dropped_alone_where_the_mapping_drops_values() -> None:
    rule = "refused: drop_value\ncategories: c"

    result = mapped_by("<c>winter</c><c>sumer</c>", rule, structure=PIM)

    assert isinstance(result, Mapped)
    assert [slot.data for slot in result.slots] == [["winter"]]
    assert [warning.value for warning in result.warnings] == ["sumer"]


def test_categories_none_of_which_is_known_are_left_as_they_are_in_the_pim() -> None:
    rule = "refused: drop_value\ncategories: c"

    assert slots_by("<c>sumer</c>", rule, structure=PIM) == {}


QUANTITIES = "quantified_associations: {SET: {products: {each: p, from: '@i', quantity: '@q'}}}"


def test_a_link_with_a_quantity_of_nought_is_dropped_alone() -> None:
    parts = "<p i='a' q='2'/><p i='b' q='0'/>"

    (data,) = slots_by(parts, f"refused: drop_value\n{QUANTITIES}").values()

    assert data == [{"identifier": "a", "quantity": 2}]
    assert errors_by(parts, QUANTITIES) == [
        "quantified_associations.SET.products: a quantity is a whole number from 1 to 2147483647"
    ]


def test_a_component_on_two_lines_is_dropped_or_added_up() -> None:
    parts = "<p i='a' q='2'/><p i='a' q='1'/><p i='b' q='1'/>"
    summed = QUANTITIES.replace("}}}", ", repeated: sum}}}")

    (dropped,) = slots_by(parts, f"refused: drop_value\n{QUANTITIES}").values()
    (added,) = slots_by(parts, summed).values()

    assert dropped == [{"identifier": "b", "quantity": 1}]
    assert added == [{"identifier": "a", "quantity": 3}, {"identifier": "b", "quantity": 1}]


@pytest.mark.parametrize("code", ["Größe XL", "x-y", "a" * 101])
def test_no_option_is_created_by_a_code_that_the_pim_refuses(code: str) -> None:
    (error,) = errors_by(
        f"<c>{code}</c>", "values: {colour: {from: c, options: create}}", structure=PIM
    )

    assert "may contain only letters, numbers and underscores" in error


def test_table_rows_follow_the_pim_s_rules() -> None:
    def refused(rows: str) -> str:
        (error,) = errors_by(rows, ROWS, structure=PIM)
        return error

    assert "two rows of the table have C" in refused("<v c='c' d='1'/><v c='C' d='2'/>")
    assert "has no option d3" in refused("<v c='d3' d='1'/>")
    assert "the first column of the table, vitamin, is empty" in refused("<v c='' d='1'/>")


def test_an_option_in_a_table_is_sent_as_the_pim_spells_it() -> None:
    (data,) = slots_by("<v c='B12' d='1'/>", ROWS, structure=PIM).values()

    assert data == [{"vitamin": "b12", "dose": "1"}]


def test_a_model_of_another_family_than_its_family_variant_s_is_rejected() -> None:
    rule = MODEL + "family: {value: laces}"

    (error,) = errors_by("", rule, structure=PIM)

    assert error == "family: the family variant by_size belongs to the family shoes, not laces"


def test_a_value_of_another_level_is_a_warning() -> None:
    (title,) = warnings_by("<p>M</p><n>x</n>", VARIANT + "values: {title: n, ean: n}")
    (size,) = warnings_by("<n>m</n>", MODEL + "values: {size: n, title: n}")

    assert title.startswith("title: belongs to the product model of by_size")
    assert size.startswith("size: belongs to the variants of by_size")


def check(rule: str) -> str:
    body = "".join(f"    {line}\n" for line in rule.splitlines())
    text = f"version: 1\nrecords:\n  r:\n    path: /c/p\n    identifier: sku\n{body}"
    return "\n".join(check_against(compiled_mapping_of(text), PIM))


def test_mapping_check_says_the_same_of_what_is_constant() -> None:
    assert "by_size belongs to the family shoes" in check(MODEL + "family: {value: laces}")
    assert "title: belongs to the product model" in check(VARIANT + "values: {title: n}")
    assert "size: belongs to the variants" in check(MODEL + "values: {size: n}")
    assert not check("family: {value: shoes}\nvalues: {stray: n}")
    assert check(VARIANT + "values: {size: n, ean: n}") == ""
    assert check("family: {value: shoes}\nvalues: {title: n, size: n}") == ""


def test_a_rejected_record_tells_all_that_is_wrong() -> None:
    rule = MODEL + "family: {value: laces}\ncategories: c"

    result = mapped_by("<c>sumer</c>", rule, structure=PIM)

    assert isinstance(result, Rejected)
    assert [error.attribute for error in result.errors] == ["categories", "family"]
