from typing import Any

import httpx
import pytest

from simulators.akeneo.pim import Pim
from tests.unit.simulated_akeneo.small_pim import API, get, patch, value


def test_values_merge_and_lists_are_replaced(client: httpx.Client) -> None:
    patch(
        client,
        "/products",
        {
            "identifier": "d1",
            "categories": ["tools"],
            "values": {
                "name": value("Drill", locale="en_US") + value("Bohrer", locale="de_DE"),
                "price": value([{"amount": "9.5", "currency": "EUR"}]),
            },
        },
        {
            "identifier": "d1",
            "categories": ["drills"],
            "values": {
                "name": value("Power drill", locale="en_US"),
                "price": value([{"amount": 12, "currency": "USD"}]),
            },
        },
    )
    product = get(client, "/products/d1")
    assert product["categories"] == ["drills"]
    names = {entry["locale"]: entry["data"] for entry in product["values"]["name"]}
    assert names == {"en_US": "Power drill", "de_DE": "Bohrer"}
    assert product["values"]["price"][0]["data"] == [{"amount": "12.00", "currency": "USD"}]


@pytest.mark.parametrize("nothing", [None, "", "  ", []])
def test_empty_data_takes_one_value_away(client: httpx.Client, nothing: Any) -> None:
    patch(client, "/products", {"identifier": "d1", "values": {"ean": value("4")}})
    answer = patch(client, "/products", {"identifier": "d1", "values": {"ean": value(nothing)}})
    assert answer[0]["status_code"] == 204
    assert "ean" not in get(client, "/products/d1")["values"]


def test_what_changes_nothing_leaves_updated_alone(pim: Pim, client: httpx.Client) -> None:
    body = {
        "identifier": "d1",
        "values": {
            "weight": value({"amount": "1.5", "unit": "KILOGRAM"}),
            "colour": value("red"),
            "uses": value(["wood", "stone"]),
        },
    }
    patch(client, "/products", body)
    pim.products[next(iter(pim.products))].updated = "2020-01-01T00:00:00+00:00"
    same = {
        "identifier": "d1",
        "values": {
            "weight": value({"amount": "1.5000", "unit": "KILOGRAM"}),
            "colour": value("RED"),
            "uses": value(["stone", "WOOD"]),
        },
    }
    assert patch(client, "/products", same)[0]["status_code"] == 204
    assert get(client, "/products/d1")["updated"] == "2020-01-01T00:00:00+00:00"
    patch(client, "/products", {"identifier": "d1", "enabled": False})
    assert get(client, "/products/d1")["updated"] > "2020-01-02"


def test_options_and_units_are_spelled_as_they_were_created(client: httpx.Client) -> None:
    values = {"colour": value("RED"), "weight": value({"amount": 2, "unit": "kilogram"})}
    patch(client, "/products", {"identifier": "d1", "values": values})
    shown = get(client, "/products/d1")["values"]
    assert shown["colour"][0]["data"] == "Red"
    assert shown["weight"][0]["data"] == {"amount": "2.0000", "unit": "KILOGRAM"}


def test_all_broken_rules_are_told_at_once_and_nothing_is_written(client: httpx.Client) -> None:
    values = {
        "pieces": value("2.5"),
        "colour": value("green"),
        "name": value("x", locale="fr_FR"),
        "weight": value({"amount": -1, "unit": "LIGHTYEAR"}),
    }
    answer = patch(client, "/products", {"identifier": "d1", "values": values})[0]
    assert answer["message"] == "Validation failed."
    assert [error["message"] for error in answer["errors"]] == [
        "The pieces attribute requires a non-decimal value, and 2.5 is not a valid value.",
        "The green value is not in the colour attribute option list.",
        "The name attribute requires a valid locale. The fr_FR locale does not exist.",
        "The weight attribute requires an equal or greater than 0 value.",
        "Please specify a valid metric unit",
    ]
    assert client.get(f"{API}/products/d1").status_code == 404


def test_a_unique_value_is_taken_within_one_call(client: httpx.Client) -> None:
    first, second = patch(
        client,
        "/products",
        {"identifier": "a", "values": {"ean": value("Q1")}},
        {"identifier": "b", "values": {"ean": value("q1")}},
    )
    assert (first["status_code"], second["status_code"]) == (201, 422)
    assert "already set on another product" in second["errors"][0]["message"]


def test_a_unique_value_is_free_again_when_its_product_lost_it(client: httpx.Client) -> None:
    answers = patch(
        client,
        "/products",
        {"identifier": "a", "values": {"ean": value("1")}},
        {"identifier": "a", "values": {"ean": value(None)}},
        {"identifier": "b", "values": {"ean": value("1")}},
    )
    assert [answer["status_code"] for answer in answers] == [201, 204, 201]


def test_a_variant_drops_common_values_and_needs_its_axis(client: httpx.Client) -> None:
    patch(client, "/product-models", {"code": "m", "family_variant": "drill_by_colour"})
    missing, good, twin = patch(
        client,
        "/products",
        {"identifier": "v0", "parent": "m"},
        {
            "identifier": "v1",
            "parent": "m",
            "values": {"colour": value("blue"), "cordless": value(True)},
        },
        {"identifier": "v2", "parent": "m", "values": {"colour": value("BLUE")}},
    )
    assert missing["errors"][0]["message"].startswith('Attribute "colour" cannot be empty')
    assert good["status_code"] == 201
    assert "cordless" not in get(client, "/products/v1")["values"]
    assert twin["errors"][0]["message"] == (
        'Cannot set value "[blue]" for the attribute axis "colour" on variant product "v2", '
        'as the variant product "v1" already has this value'
    )


def test_a_variant_shows_what_its_model_has(client: httpx.Client) -> None:
    model = {
        "code": "m",
        "family_variant": "drill_by_colour",
        "categories": ["tools"],
        "values": {"cordless": value(True)},
    }
    patch(client, "/product-models", model)
    values = {"colour": value("blue")}
    patch(client, "/products", {"identifier": "v1", "parent": "m", "values": values})
    variant = get(client, "/products/v1")
    assert variant["family"] == "drill"
    assert variant["categories"] == ["tools"]
    assert variant["values"]["cordless"][0]["data"] is True


def test_a_two_way_link_shows_on_the_other_side_and_goes_with_its_first(
    client: httpx.Client,
) -> None:
    patch(
        client,
        "/products",
        {"identifier": "a"},
        {"identifier": "b", "associations": {"TWIN": {"products": ["a"]}}},
    )
    assert get(client, "/products/a")["associations"]["TWIN"]["products"] == ["b"]
    patch(client, "/products", {"identifier": "b", "associations": {"TWIN": {"products": []}}})
    assert get(client, "/products/a")["associations"]["TWIN"]["products"] == []


def test_a_product_model_wants_the_scope_key_and_words_an_unknown_attribute_its_way(
    client: httpx.Client,
) -> None:
    model = {"code": "m", "family_variant": "drill_by_colour"}
    no_scope, unknown = patch(
        client,
        "/product-models",
        model | {"values": {"cordless": [{"locale": None, "data": True}]}},
        model | {"values": {"nope": value("x")}},
    )
    assert no_scope["message"].startswith('Property "cordless" expects an array with the key')
    assert unknown["message"].startswith('Property "nope" does not exist.')


def test_bodies_of_any_shape_get_an_answer(client: httpx.Client) -> None:
    odd: list[Any] = [
        {"identifier": "x", "values": {"price": value({"a": 1})}},
        {"identifier": "x", "values": [1, 2]},
        {"identifier": "x", "associations": {"RELATED": {"products": [None]}}},
        {"identifier": "x", "quantified_associations": {"SET": {"products": [7]}}},
        {"identifier": "x", "categories": {"a": ["b"]}},
        {"identifier": "x", "family": True},
        {"identifier": "x", "enabled": "yes"},
        {"identifier": "x", "1": 2},
    ]
    statuses = [answer["status_code"] for answer in patch(client, "/products", *odd)]
    assert statuses == [422, 422, 422, 422, 422, 422, 422, 400]


@pytest.mark.parametrize("field", ["associations", "quantified_associations"])
def test_refused_links_leave_a_product_without_links_as_it_was(
    client: httpx.Client, field: str
) -> None:
    patch(client, "/products", {"identifier": "lonely"})
    code = "SET" if field.startswith("quantified") else "RELATED"
    target = {"identifier": "nobody", "quantity": 1} if code == "SET" else "nobody"
    links = {code: {"products": [target]}}
    refused = patch(client, "/products", {"identifier": "lonely", field: links})
    assert refused[0]["status_code"] == 422
    assert patch(client, "/products", {"identifier": "lonely"})[0]["status_code"] == 204
    held = get(client, "/products/lonely")[field].get(code, {"products": []})
    assert held["products"] == []
