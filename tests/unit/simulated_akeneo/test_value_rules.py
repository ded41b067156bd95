"""Which values the PIM takes: rows of tables, links, numbers of decimals, numbers of items."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from simulators.akeneo.editions import EDITIONS
from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, get, patch, value

Add = Callable[..., None]
FACTS = [
    {"code": "fact", "data_type": "select", "options": [{"code": "Noise"}, {"code": "grip"}]},
    {
        "code": "amount",
        "data_type": "number",
        "validations": {"min": "0", "max": 100, "decimals_allowed": False},
    },
    {"code": "note", "data_type": "text", "validations": {"max_length": 5}},
    {"code": "tested", "data_type": "boolean"},
    {"code": "mass", "data_type": "measurement", "measurement_family_code": "Weight"},
    {"code": "maker", "data_type": "reference_entity", "reference_entity_identifier": "makers"},
]


@pytest.fixture
def add(pim: Pim) -> Add:
    """Puts an attribute into the PIM."""

    def put(code: str, kind: str, **settings: Any) -> None:
        row = {"code": code, "type": kind, "labels": {}, "group": "other", **settings}
        pim.catalog.rows["attributes"][code] = row
        pim.catalog.refresh()

    return put


def write(client: httpx.Client, code: str, data: Any) -> dict[str, Any]:
    """The answer's line to a product with this value."""
    [line] = patch(client, "/products", {"identifier": "a", "values": {code: value(data)}})
    return line


def reasons(line: dict[str, Any]) -> str:
    """All that the PIM says against the line."""
    assert line["status_code"] == 422, line
    told = [line["message"], *(error["message"] for error in line.get("errors", ()))]
    return " ".join(told)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"fact": "grip"}, {"fact": "GRIP"}], '"grip" is used in more than one row'),
        ([{"fact": "colour"}], 'the "colour" option does not exist'),
        ([{"fact": "", "amount": 1}], 'the "fact" column must be filled'),
        ([{"amount": 1}], 'the "fact" column must be filled'),
        ([{"fact": "grip", "weight": 1}], 'The "weight" column does not exist'),
        ([{"fact": "grip", "amount": "much"}], "[0].amount: a number is expected"),
        ([{"fact": "grip", "amount": 1.5}], "a number without decimals is expected"),
        ([{"fact": "grip", "amount": -1}], "a number of 0 or more is expected"),
        ([{"fact": "grip", "amount": "101"}], "a number of 100 or less is expected"),
        ([{"fact": "grip", "note": "too long"}], "at most 5 characters"),
        ([{"fact": "grip", "note": 5}], "a text is expected"),
        ([{"fact": "grip", "tested": "yes"}], "true or false is expected"),
        ([{"fact": "grip", "mass": 4}], "an object with amount and unit"),
        ([{"fact": "grip", "mass": {"amount": "4", "unit": "METER"}}], 'the "METER" unit'),
        ([{"fact": "grip", "maker": "nobody"}], 'the "nobody" record of the "makers"'),
        (["grip"], "one of the rows is not an object"),
        ({"fact": "grip"}, "expects a list of rows"),
    ],
)
def test_a_table_is_refused_with_the_place_of_what_is_wrong(
    pim: Pim, client: httpx.Client, add: Add, rows: Any, reason: str
) -> None:
    add("facts", "pim_catalog_table", table_configuration=FACTS)
    pim.catalog.reference_data["makers"] = {"acme": "Acme"}
    assert reason in reasons(write(client, "facts", rows))
    assert not pim.products


def test_a_table_is_kept_without_empty_cells_and_spelled_as_created(
    pim: Pim, client: httpx.Client, add: Add
) -> None:
    add("facts", "pim_catalog_table", table_configuration=FACTS)
    pim.catalog.reference_data["makers"] = {"acme": "Acme"}
    rows = [
        {"FACT": "noise", "amount": "4", "note": "", "maker": "ACME", "tested": False},
        {"fact": "Grip", "mass": {"amount": 4, "unit": "kilogram"}, "amount": None},
    ]
    assert write(client, "facts", rows)["status_code"] == 201
    assert get(client, "/products/a")["values"]["facts"][0]["data"] == [
        {"fact": "Noise", "amount": "4", "maker": "Acme", "tested": False},
        {"fact": "grip", "mass": {"amount": 4, "unit": "KILOGRAM"}},
    ]


def test_a_table_has_at_most_100_rows(client: httpx.Client, add: Add) -> None:
    options = [{"code": f"o{number}"} for number in range(101)]
    columns = [{"code": "fact", "data_type": "select", "options": options}]
    add("facts", "pim_catalog_table", table_configuration=columns)
    rows = [{"fact": option["code"]} for option in options]
    assert write(client, "facts", rows[:100])["status_code"] == 201
    assert "more than 100 rows" in reasons(write(client, "facts", rows))


def test_a_column_that_the_edition_does_not_have_is_refused(pim: Pim, client: httpx.Client) -> None:
    columns = [*FACTS[:1], {"code": "other", "data_type": "product_link"}]
    body = {
        "code": "facts",
        "type": "pim_catalog_table",
        "group": "other",
        "table_configuration": columns,
    }
    catalog = client.put("/_simulator/catalog", json={"attributes": [body]})
    assert "facts.other (product_link)" in catalog.json()["message"]
    refused = client.patch(f"{API}/attributes/facts", json=body)
    assert '"product_link" given' in refused.json()["message"]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ({"type": "product", "identifier": "nothing"}, 'the "nothing" product does not exist'),
        ({"type": "product_model", "id": "nothing"}, 'the "nothing" product model does not exist'),
        ({"type": "product_model", "identifier": "m"}, "a link has a type"),
        ({"type": "product", "id": "x", "identifier": "b"}, "a link has a type"),
        ("b", "a link has a type"),
    ],
)
def test_a_link_needs_its_form_and_its_other_end(
    pim: Pim, client: httpx.Client, add: Add, link: Any, reason: str
) -> None:
    pim.edition = EDITIONS["saas"]
    add("spare", "pim_catalog_product_link")
    assert reason in reasons(write(client, "spare", link))


def test_a_link_is_shown_as_it_was_sent(pim: Pim, client: httpx.Client, add: Add) -> None:
    pim.edition = EDITIONS["saas"]
    add("spare", "pim_catalog_product_link")
    patch(client, "/products", {"identifier": "b"})
    uuid = get(client, "/products/b")["uuid"]
    for link in ({"type": "product", "identifier": "b"}, {"type": "product", "id": uuid}):
        assert write(client, "spare", link)["status_code"] in (201, 204)
        assert get(client, "/products/a")["values"]["spare"][0]["data"] == link


@pytest.mark.parametrize(
    ("strategy", "sent", "kept"),
    [
        ("round", "1.255", "1.2600"),
        ("round", 1.244, "1.2400"),
        ("trim", "1.259", "1.2500"),
        ("trim", "-1.259", "-1.2500"),
        ("forbid", "1.2500", "1.2500"),
        (None, "1.259", "1.2590"),
    ],
)
def test_decimals_are_rounded_trimmed_or_kept_as_the_attribute_says(
    client: httpx.Client, add: Add, strategy: str | None, sent: Any, kept: str
) -> None:
    settings = {"decimals_allowed": True, "decimal_places": 2, "decimal_places_strategy": strategy}
    add("size", "pim_catalog_number", **settings)
    add("mass", "pim_catalog_metric", metric_family="Weight", **settings)
    write(client, "size", sent)
    write(client, "mass", {"amount": sent, "unit": "GRAM"})
    values = get(client, "/products/a")["values"]
    assert values["size"][0]["data"] == kept
    assert values["mass"][0]["data"]["amount"] == kept


def test_more_decimals_than_allowed_are_refused_where_they_are_forbidden(
    client: httpx.Client, add: Add
) -> None:
    settings = {"decimals_allowed": True, "decimal_places": 2}
    add("size", "pim_catalog_number", decimal_places_strategy="forbid", **settings)
    assert "more than 2 decimal places" in reasons(write(client, "size", "1.255"))


def test_a_collection_holds_no_more_items_than_the_attribute_says(
    pim: Pim, client: httpx.Client
) -> None:
    pim.catalog.rows["attributes"]["uses"]["max_items_count"] = 1
    pim.catalog.refresh()
    assert write(client, "uses", ["wood"])["status_code"] == 201
    assert "not contain more than 1 items" in reasons(write(client, "uses", ["wood", "stone"]))


def test_a_model_of_another_family_than_its_variant_is_refused(client: httpx.Client) -> None:
    body = {"code": "m", "family": "other", "family_variant": "drill_by_colour"}
    for given in (body, dict(reversed(body.items()))):
        [line] = patch(client, "/product-models", given)
        assert line["status_code"] == 422
        assert line["message"].startswith(
            'The family "other" does not match the family of the variant "drill_by_colour".'
        )
