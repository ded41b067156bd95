"""Values against the PIM's structure: its shapes, and its refusals said before it is asked."""

# ruff: noqa: E501 - XML, mappings and messages are written as they are

from __future__ import annotations

import pytest

from pim_connector.mapping.checking import check_against
from pim_connector.mapping.results import Json, Mapped
from tests.unit.erp.reading_world import compiled_mapping_of
from tests.unit.mapping.mapping_world import PIM, errors_by, mapped_by, mapping_of, slots_by


@pytest.mark.parametrize(
    ("rule", "data"),
    [
        ("stock: {value: '4.00'}", 4),
        ("ratio: {value: '4.50'}", "4.5"),
        ("price: {value: 5, currency: EUR}", [{"amount": "5", "currency": "EUR"}]),
        ("weight: {value: 5, unit: GRAM}", {"amount": "5", "unit": "GRAM"}),
        ("colour: {value: BLUE}", "Blue"),
        ("tags: {value: [b, a]}", ["b", "a"]),
        ("on: {value: 'true'}", True),
        ("day: {value: 2024-05-06}", "2024-05-06"),
        ("body: {value: 5}", "5"),
    ],
)
def test_the_structure_decides_the_shape(rule: str, data: Json) -> None:
    top = "defaults: {options: create}"
    assert list(slots_by("", f"values: {{{rule}}}", top=top, structure=PIM).values()) == [data]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("nmae: {value: x}", "the PIM has no attribute nmae; did you mean name?"),
        (
            "name: {value: x}",
            "the attribute needs a locale: add `locale:` to the rule or to `defaults`",
        ),
        ("short: {value: x, locale: de_DE}", "the attribute needs a channel: add `scope:`"),
        ("body: {value: x, locale: de_DE}", "the attribute has no locale in the PIM"),
        (
            "name: {value: x, locale: de_AT}",
            "the locale de_AT is not activated in the PIM; did you mean de_DE?",
        ),
        (
            "short: {value: x, locale: en_US, scope: print}",
            "the locale en_US does not belong to the channel print",
        ),
        (
            "short: {value: x, locale: de_DE, scope: wbe}",
            "the PIM has no channel wbe; did you mean web?",
        ),
        ("law: {value: x, locale: en_US}", "the attribute is not available in the locale en_US"),
        (
            "name: {value: aaaaaaaaaaaaaaaaaaaaa, locale: de_DE}",
            "21 characters, the attribute takes 20",
        ),
        ("stock: {value: '4.5'}", "the attribute takes whole numbers only"),
        ("stock: {value: -1}", "the attribute takes no number below 0"),
        ("ratio: {value: 11}", "the attribute takes no number above 10"),
        ("price: {value: 5, currency: USD}", "the currency USD is not activated in the PIM"),
        (
            "web_price: {value: 5, currency: CHF, scope: web}",
            "the currency CHF is not activated in the channel web",
        ),
        ("price: {value: 5}", "the currency is missing"),
        ("weight: {value: 5}", "the unit is missing"),
        (
            "weight: {value: 5, unit: GRAMM}",
            "the PIM's Weight has no unit GRAMM; did you mean GRAM?",
        ),
        ("colour: {value: rde}", "the PIM has no option rde; did you mean red?"),
        ("day: {value: 1999-12-31}", "the attribute takes no date before 2000-01-01"),
        ("on: {value: maybe}", "not a yes or no"),
    ],
)
def test_what_the_pim_would_refuse_is_said_with_the_attribute(rule: str, message: str) -> None:
    (error,) = errors_by("", f"values: {{{rule}}}", structure=PIM)
    assert error.startswith(f"{rule.partition(':')[0]}: {message}")


def test_default_locale_and_channel_serve_attributes_that_need_them() -> None:
    top = "defaults: {locale: de_DE, scope: web}"
    slots = slots_by("<n>x</n>", "values: {name: n, body: n, short: n}", top=top, structure=PIM)
    assert set(slots) == {
        ("values", "name", "de_DE", ""),
        ("values", "body", "", ""),
        ("values", "short", "de_DE", "web"),
    }


def test_an_option_the_pim_lacks_is_wanted_where_it_may_be_created() -> None:
    rule = "values: {colour: {value: green, options: create}}"
    result = mapped_by("", rule, structure=PIM)
    assert isinstance(result, Mapped)
    assert [option.code for option in result.options] == ["green"]


CHECKED = """
family: clohting
associations: {UPSEL: {products: a}}
values:
  nmae: {value: x}
  name: {from: a}
  body: {from: a, locale: de_DE}
  stock: {from: a, type: text}
  weight: {from: a, unit: {from: b, steps: [{map: {kg: KILO}}]}}
  price: {from: a, currency: {from: b, steps: [{map: currencies}]}}
  short: {from: a, locale: de_XX, scope: web}
pivots:
  - {each: r, key: "@k", from: ., attributes: {x: colur}}
"""


def test_check_finds_what_the_structure_contradicts_with_line_and_nearest_name() -> None:
    compiled = compiled_mapping_of(mapping_of(CHECKED, "maps: {currencies: {e: EUR, u: USD}}"))
    problems = "\n".join(check_against(compiled, PIM))
    for expected in (
        "test.yaml:7: records.product.family: the PIM has no family clohting; did you mean clothing?",
        "records.product.associations.UPSEL: the PIM has no association type UPSEL; did you mean UPSELL?",
        "test.yaml:10: records.product.values.nmae: the PIM has no attribute nmae; did you mean name?",
        "records.product.values.name: the attribute needs a locale: add `locale:` here or to `defaults`",
        "records.product.values.body.locale: the attribute has no locale in the PIM; remove the key",
        "records.product.values.stock.type: the PIM says number",
        "records.product.values.weight.unit: the PIM has no Weight unit KILO",
        "records.product.values.price.currency: the currency USD is not activated",
        "records.product.values.short.locale: the locale de_XX is not activated in the PIM",
        "records.product.pivots[0].attributes.x: the PIM has no attribute colur; did you mean colour?",
    ):
        assert expected in problems
    assert len(problems.splitlines()) == 10


def test_check_is_content_with_what_fits() -> None:
    rule = "values: {name: {from: a, locale: de_DE}, price: {from: b, currency: EUR}}"
    assert check_against(compiled_mapping_of(mapping_of(rule)), PIM) == ()
