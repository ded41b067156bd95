"""From a DAM's properties to an Akeneo asset: each rule of the mapping, and each way to say no."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pim_connector.akeneo.structure import Structure
from pim_connector.assets.mapping import CompiledAssetMapping, compile_assets, to_asset
from pim_connector.assets.values import MappedAsset
from pim_connector.dam.asset_rules import AssetMapping
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.results import Filtered, Rejected

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "text": {"type": "text", "max_characters": 10},
    "title": {"type": "text", "value_per_locale": True},
    "shop": {"type": "text", "value_per_locale": True, "value_per_channel": True},
    "one": {"type": "single_option"},
    "many": {"type": "multiple_options"},
    "whole": {"type": "number", "min_value": "0", "max_value": "10"},
    "decimal": {"type": "number", "decimals_allowed": True},
    "flag": {"type": "boolean"},
    "day": {"type": "date"},
    "link": {"type": "media_link", "media_type": "image"},
    "cdn": {"type": "media_link", "prefix": "https://cdn.example/", "suffix": "?w=9"},
    "video": {"type": "media_link", "media_type": "youtube"},
    "file": {"type": "media_file", "allowed_extensions": ["jpg"]},
    "brand": {"type": "record", "reference_entity": "brands"},
    "robot": {"type": "auto_tagging"},
}
CATALOG: dict[str, Any] = {
    "channels": [{"code": "web", "locales": ["en_US", "de_DE"], "currencies": ["EUR"]}],
    "asset_families": [{"code": "f"}, {"code": "g"}],
    "asset_attributes": [
        {"code": code, "asset_family": "f", **row} for code, row in ATTRIBUTES.items()
    ],
    "asset_attribute_options": [
        {"code": "Red", "asset_family": "f", "attribute": "one"},
        {"code": "old", "asset_family": "f", "attribute": "many"},
    ],
}
STRUCTURE = Structure.from_catalog(CATALOG)


def compiled(attributes: dict[str, Any] | None = None, **more: Any) -> CompiledAssetMapping:
    described = {"family": "f", "attributes": attributes or {"text": "t"}} | more
    mapping = msgspec.convert(described, AssetMapping)
    return compile_assets(mapping, name="dam.yaml", base_url="https://dam.example")


def value(attribute: str, rule: Any, properties: dict[str, Any], **more: Any) -> Any:
    """The data of the attribute's only value, or the words of the rejection."""
    mapped = to_asset("id1", properties, compiled({attribute: rule}, **more), STRUCTURE)
    if isinstance(mapped, Rejected):
        return mapped.errors[0].message
    assert isinstance(mapped, MappedAsset)
    values: Any = mapped.payload()["values"]
    (found,) = values[attribute]
    return found["data"]


@pytest.mark.parametrize(
    ("attribute", "given_value", "expected"),
    [
        ("text", "abc", "abc"),
        ("text", 12.0, "12"),
        ("text", True, "true"),
        ("whole", 4, "4"),
        ("whole", "7.0", "7"),
        ("decimal", 1.50, "1.5"),
        ("decimal", "0.10", "0.1"),
        ("decimal", 1e3, "1000"),
        ("flag", False, False),
        ("flag", "Yes", True),
        ("day", "2026-01-31", "2026-01-31T00:00:00+00:00"),
        ("day", "2026-01-31T10:20:30.5+02:00", "2026-01-31T10:20:30+02:00"),
        ("one", "red", "Red"),
        ("one", "Dark Blue", "dark_blue"),
        ("many", ["b", "A", "b", "OLD"], ["a", "b", "old"]),
        ("brand", "acme", "acme"),
        ("link", "https://x.example/a b.jpg", "https://x.example/a%20b.jpg"),
        ("link", "//images.example/a.jpg", "https://images.example/a.jpg"),
        ("link", "/uploads/a.jpg", "https://dam.example/uploads/a.jpg"),
        ("cdn", "https://cdn.example/a.jpg?w=9", "a.jpg"),
        ("cdn", "a.jpg", "a.jpg"),
        ("video", "dQw4w9WgXcQ", "dQw4w9WgXcQ"),
    ],
)
def test_a_value_takes_its_attributes_shape(
    attribute: str, given_value: Any, expected: Any
) -> None:
    assert value(attribute, "v", {"v": given_value}) == expected


@pytest.mark.parametrize(
    ("attribute", "given_value", "said"),
    [
        ("text", "x" * 11, "11 characters; the PIM takes 10"),
        ("text", ["a", "b"], "expected one value, found 2"),
        ("text", {"a": 1}, "an object"),
        ("whole", 1.5, "whole numbers only"),
        ("whole", -1, "less than 0"),
        ("whole", 11, "more than 10"),
        ("whole", "4 stars", "not a number"),
        ("flag", "maybe", "not a yes or no"),
        ("day", "yesterday", "not a date"),
        ("one", ["a", "b"], "one option expected"),
        ("many", {"a": 1}, "an object"),
        ("brand", "Acme & Co", "only letters, digits"),
        ("link", "a.jpg", "not a web address"),
        ("link", "javascript:alert(1)", "not a web address"),
        ("cdn", "https://other.example/a.jpg", "another address"),
        ("file", "https://dam.example/a.exe", "only files named jpg"),
        ("file", "ftp://dam.example/a.jpg", "not a web address"),
        ("robot", "x", "not filled by a DAM"),
        ("nosuch", "x", "no such attribute"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_words(
    attribute: str, given_value: Any, said: str
) -> None:
    assert said in str(value(attribute, "v", {"v": given_value}))


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/a.jpg?Expires=1700000000&Signature=abc&Key-Pair-Id=K",
        "https://b.s3.amazonaws.com/a.jpg?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=900",
        "https://b.s3.amazonaws.com/a.jpg?x-amz-signature=abc",
        "https://storage.googleapis.com/a.jpg?X-Goog-Signature=abc",
        "https://x.blob.core.windows.net/a.jpg?sv=2020&se=2026-01-01&sig=abc",
        "https://x.example/a.jpg?hdnts=exp=1700000000~hmac=abc",
        "https://x.example/a.jpg?token=abc",
        "https://x.example/a.jpg?access_token=",
    ],
)
def test_a_url_that_expires_is_never_written_into_a_media_link(url: str) -> None:
    said = value("link", "v", {"v": url})
    assert "will stop working" in str(said)
    assert "abc" not in str(said)
    assert value("link", {"from": "v", "stable": True}, {"v": url}) == url
    stable = {"template": "https://cdn.example/{{id}}/{{v2}}"}
    assert value("link", stable, {"v": url, "v2": "x"}) == "https://cdn.example/id1/x"


def test_a_url_with_harmless_parameters_is_taken() -> None:
    url = "https://x.example/a.jpg?width=100&v=3&format=webp"
    assert value("link", "v", {"v": url}) == url


def test_a_file_is_known_by_its_version_and_not_by_its_signature() -> None:
    def identity(url: str, version: int | None = None) -> Any:
        rule = {"from": "v", "file_version": "n"}
        return value("file", rule, {"v": url, "n": version})

    base = "https://dam.example/a.jpg"
    assert identity(f"{base}?Signature=1") == identity(f"{base}?Signature=2")
    assert identity(base, 1) != identity(base, 2)
    assert identity(f"{base}?a=1") != identity(f"{base}?a=2")


def test_the_steps_are_those_of_the_erp_mapping() -> None:
    sku = {"from": "name", "steps": [{"extract": r"^(\w+?)_"}, "upper"]}
    assert value("text", sku, {"name": "ab12_front.jpg"}) == "AB12"
    tags = {"from": "tags", "steps": [{"split": ";"}, {"map": {"Alt": "old"}, "unknown": "keep"}]}
    assert value("many", tags, {"tags": "Alt; neu"}) == ["neu", "old"]
    amount = {"from": "v", "steps": [{"number": {"decimal": ","}}, {"multiply": 2}]}
    assert value("decimal", amount, {"v": "1,25"}) == "2.5"
    day = {"from": "v", "steps": [{"date": "dd.MM.yyyy"}]}
    assert value("day", day, {"v": "31.01.2026"}) == "2026-01-31T00:00:00+00:00"


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"from": "v", "steps": [{"lookup": "t", "column": "c"}]}, "needs a table"),
        ({"from": "v", "steps": [{"date": {"from": "x"}}]}, "needs an ERP file"),
        ({"from": "v", "steps": [{"extract": "("}]}, "not a regular expression"),
        ({"from": "v", "value": 1}, "exactly one of from, template and value"),
        ({"steps": ["upper"]}, "exactly one of from, template and value"),
        ({"from": "v ||"}, "is not JMESPath"),
        ({"template": "{{v ||}}"}, "is not JMESPath"),
    ],
)
def test_a_rule_that_cannot_work_names_file_and_key(rule: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"dam\.yaml, assets\.attributes\.text") as caught:
        compiled({"text": rule})
    assert said in str(caught.value)


def test_what_is_missing_is_cleared_kept_or_refused_as_the_rule_says() -> None:
    assert value("text", "v", {}) is None
    assert value("text", {"from": "v", "absent": "reject"}, {"v": ""}).startswith("the DAM has no")
    kept = compiled({"text": {"from": "v", "absent": "leave"}, "whole": "n"})
    mapped = to_asset("id1", {"n": 1}, kept, STRUCTURE)
    assert isinstance(mapped, MappedAsset)
    assert [slot.key[1] for slot in mapped.slots] == ["whole"]


def test_locale_and_channel_follow_the_attribute_and_the_file() -> None:
    rules = {
        "title": ["en", {"from": "de", "locale": "de_DE"}],
        "shop": {"from": "en", "channel": "web"},
        "text": "en",
    }
    mapped = to_asset("1", {"en": "Hi", "de": "Ho"}, compiled(rules, locale="en_US"), STRUCTURE)
    assert isinstance(mapped, MappedAsset)
    assert [slot.key[1:] for slot in mapped.slots] == [
        ("title", "en_US", ""),
        ("title", "de_DE", ""),
        ("shop", "en_US", "web"),
        ("text", "", ""),
    ]


@pytest.mark.parametrize(
    ("rule", "more", "said"),
    [
        ({"title": "v"}, {}, "say which with `locale`"),
        ({"title": "v"}, {"locale": "fr_FR"}, "locale fr_FR is not active"),
        ({"title": "v"}, {"locale": {"from": "lang"}}, "say which with `locale`"),
        ({"text": {"from": "v", "locale": "en_US"}}, {}, "no value per locale"),
        ({"shop": "v"}, {"locale": "en_US", "channel": "print"}, "channel print is not active"),
    ],
)
def test_a_wrong_locale_or_channel_is_refused(rule: Any, more: Any, said: str) -> None:
    mapped = to_asset("1", {"v": "x"}, compiled(rule, **more), STRUCTURE)
    assert isinstance(mapped, Rejected)
    assert said in mapped.errors[0].message


def test_the_family_and_the_product_assets_are_chosen_by_expression() -> None:
    rules = compiled(
        {"text": {"from": "v", "families": ["f"]}},
        family={"from": "folder", "steps": [{"map": {"Packshots": "f", "Manuals": "g"}}]},
        only="contains(tags, 'shop')",
    )
    found = to_asset("1", {"folder": "Packshots", "tags": ["shop"], "v": "x"}, rules, STRUCTURE)
    assert isinstance(found, MappedAsset)
    assert found.family == "f"
    other = to_asset("1", {"folder": "Manuals", "tags": ["shop"]}, rules, STRUCTURE)
    assert isinstance(other, MappedAsset)
    assert (other.family, other.slots) == ("g", ())
    assert isinstance(to_asset("1", {"folder": "x", "tags": []}, rules, STRUCTURE), Filtered)
    lost = to_asset("1", {"folder": "Other", "tags": ["shop"]}, rules, STRUCTURE)
    assert isinstance(lost, Rejected)
    nothing = to_asset("1", {"tags": ["shop"]}, rules, STRUCTURE)
    assert isinstance(nothing, Rejected)
    assert nothing.errors[0].attribute == "family"
    broken = to_asset("1", {"tags": 5}, rules, STRUCTURE)
    assert isinstance(broken, Rejected)


def test_all_that_is_wrong_is_said_at_once() -> None:
    rules = compiled({"text": "a", "whole": "b", "flag": "c"})
    mapped = to_asset("1", {"a": "x" * 11, "b": "x", "c": "x"}, rules, STRUCTURE)
    assert isinstance(mapped, Rejected)
    assert [error.attribute for error in mapped.errors] == ["text", "whole", "flag"]


def test_an_option_that_may_not_be_created_is_refused() -> None:
    rule = {"from": "v", "options": "reject"}
    assert value("one", rule, {"v": "RED"}) == "Red"
    assert "may not be created" in str(value("one", rule, {"v": "Green"}))


def test_an_attribute_with_all_the_options_it_may_have_gets_no_more() -> None:
    options = [{"code": f"o{n}", "asset_family": "f", "attribute": "one"} for n in range(100)]
    full = Structure.from_catalog(CATALOG | {"asset_attribute_options": options})
    mapped = to_asset("1", {"v": "one more"}, compiled({"one": "v"}), full)
    assert isinstance(mapped, Rejected)
    assert "100 already" in mapped.errors[0].message


def test_links_name_one_product_or_several() -> None:
    links = [
        {"products": {"from": "skus", "steps": [{"split": ","}]}, "attribute": "pictures"},
        {"products": "model", "attribute": "pictures", "resource": "product_model"},
    ]
    mapped = to_asset("1", {"skus": "A,B", "model": "M"}, compiled(links=links), STRUCTURE)
    assert isinstance(mapped, MappedAsset)
    assert [(link.resource, link.product) for link in mapped.links] == [
        ("product", "A"),
        ("product", "B"),
        ("product_model", "M"),
    ]


def test_without_a_pim_the_declared_structure_counts() -> None:
    families = {"f": {"attributes": {"title": {"type": "text", "per_locale": True}}}}
    rules = compiled({"title": "t"}, families=families, locale="en_US")
    mapped = to_asset("1", {"t": "x"}, rules)
    assert isinstance(mapped, MappedAsset)
    assert mapped.slots[0].key == ("values", "title", "en_US", "")


ids = st.text(min_size=1, max_size=300)


@settings(max_examples=200, deadline=None)
@given(first=ids, second=ids)
def test_codes_are_clean_and_stable_and_with_distinct_unlike_each_other(
    first: str, second: str
) -> None:
    rules = compiled(code={"distinct": True, "prefix": "d_"})
    codes = []
    for dam_id in (first, second, first):
        mapped = to_asset(dam_id, {}, rules, STRUCTURE)
        if isinstance(mapped, Rejected):
            return  # nothing in the id that a code could be made of
        assert isinstance(mapped, MappedAsset)
        assert mapped.code.isascii()
        assert mapped.code.replace("_", "a").isalnum()
        assert len(mapped.code) <= 255
        codes.append(mapped.code)
    assert codes[0] == codes[2]
    if first != second:
        assert codes[0] != codes[1]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
EVERYTHING = compiled(
    {
        row["code"]: "v"
        for row in CATALOG["asset_attributes"]
        if row["code"] not in ("title", "shop")
    }
    | {"title": {"from": "v", "locale": "en_US", "steps": ["strip", "distinct", "first"]}},
    code={"from": "c"},
)


@settings(max_examples=300, deadline=None)
@given(properties=st.dictionaries(st.sampled_from("vcx"), json_values))
def test_nothing_a_dam_may_send_breaks_the_mapping(properties: dict[str, Any]) -> None:
    mapped = to_asset("1", properties, EVERYTHING, STRUCTURE)
    assert isinstance(mapped, MappedAsset | Rejected)
    if isinstance(mapped, MappedAsset):
        msgspec.json.encode(mapped.payload())
