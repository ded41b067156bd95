"""The sample export and the expectation are made apart from one another; here they meet."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from local.demo import arrival, assortment, expectation, export

ROOT = Path(__file__).resolve().parents[3]
GOODS = assortment.assortment()
EXPECTED = expectation.expectation(GOODS)
FILE = export.export(GOODS)
RECORDS = list(etree.fromstring(FILE).iter("style", "article"))
CATALOG = json.loads((ROOT / "local" / "demo" / "catalog.json").read_text())
ATTRIBUTES = {attribute["code"]: attribute for attribute in CATALOG["attributes"]}


def test_the_sample_is_the_same_every_time() -> None:
    assert export.export(assortment.assortment()) == FILE


def test_the_sample_has_a_thousand_products_and_their_models() -> None:
    kinds = Counter(record.tag for record in RECORDS)

    assert kinds == {"article": 1000, "style": len(GOODS.styles)}
    assert EXPECTED.records == len(RECORDS)


def test_every_record_is_accepted_filtered_or_rejected() -> None:
    assert len(EXPECTED.accepted) + EXPECTED.filtered + len(EXPECTED.rejected) == EXPECTED.records
    assert EXPECTED.filtered
    assert len(EXPECTED.rejected) == len(assortment.FLAWS)


@pytest.mark.parametrize("rejection", EXPECTED.rejected.values(), ids=lambda r: r.blamed)
def test_a_rejection_names_the_line_and_identifier_of_its_record(
    rejection: expectation.Rejection,
) -> None:
    record = RECORDS[rejection.record - 1]

    assert str(record.sourceline) == str(rejection.line)
    assert record.get("number") == rejection.identifier


def test_identifiers_and_eans_are_unique_where_they_must_be() -> None:
    numbers = [record.get("number") for record in RECORDS if record.get("number")]
    eans = [article.ean for article in GOODS.articles]

    assert len(set(numbers)) == len(numbers)
    assert len(set(eans)) == len(eans)


def test_what_is_expected_can_be_said_in_the_catalogue() -> None:
    families = {family["code"]: set(family["attributes"]) for family in CATALOG["families"]}
    categories = {category["code"] for category in CATALOG["categories"]}
    for identifier, entity in EXPECTED.accepted.items():
        assert set(entity.categories) <= categories
        for attribute, locale, scope in entity.values:
            assert attribute in families[entity.family], identifier
            assert bool(locale) == ATTRIBUTES[attribute]["localizable"]
            assert bool(scope) == ATTRIBUTES[attribute]["scopable"]


def test_numbers_are_written_as_the_erp_writes_them() -> None:
    dearest = max(GOODS.articles, key=lambda article: article.prices["EUR"])
    dearest_written = etree.fromstring(export.article_element(dearest)).findtext("price") or ""

    assert dearest.prices["EUR"] >= 1000
    assert Decimal(dearest_written.replace(".", "").replace(",", ".")) == dearest.prices["EUR"]
    assert "." in dearest_written


def in_the_pim() -> dict[str, expectation.Entity]:
    return dict(EXPECTED.accepted)


def test_a_pim_that_has_what_the_file_says_has_no_differences() -> None:
    assert arrival.differences(EXPECTED, in_the_pim()) == []


def test_every_kind_of_difference_is_told() -> None:
    found = in_the_pim()
    missing, wrong, *_ = found
    del found[missing]
    values = {**found[wrong].values, ("name", "de_DE", None): "Zelt"}
    found[wrong] = expectation.Entity(
        resource=found[wrong].resource,
        family=found[wrong].family,
        parent=found[wrong].parent,
        family_variant=found[wrong].family_variant,
        enabled=False,
        categories=found[wrong].categories,
        values=values,
    )
    found["TENT-0200"] = found[wrong]

    told = "\n".join(arrival.differences(EXPECTED, found))

    assert f"{missing} is not in the PIM" in told
    assert f"{wrong}, name de_DE: the file says" in told
    assert f"{wrong}, enabled: the file says" in told
    assert "TENT-0200 is in the PIM although it must be rejected" in told


def test_values_are_compared_as_values_and_not_as_they_are_written() -> None:
    read = arrival._values(
        {
            "sku": [{"locale": None, "scope": None, "data": "A"}],
            "price": [
                {
                    "locale": None,
                    "scope": None,
                    "data": [
                        {"amount": "2.50", "currency": "USD"},
                        {"amount": 2, "currency": "EUR"},
                    ],
                }
            ],
            "weight": [
                {"locale": None, "scope": None, "data": {"amount": "1.2000", "unit": "KILOGRAM"}}
            ],
            "launch_date": [{"locale": None, "scope": None, "data": "2026-03-01T00:00:00+00:00"}],
            "waterproof": [{"locale": None, "scope": None, "data": True}],
        }
    )

    assert read == {
        ("price", None, None): [("EUR", Decimal(2)), ("USD", Decimal("2.5"))],
        ("weight", None, None): (Decimal("1.2"), "KILOGRAM"),
        ("launch_date", None, None): "2026-03-01",
        ("waterproof", None, None): True,
    }
