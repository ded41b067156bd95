"""Which rights the app asks for: what the sources use, and no more."""

from __future__ import annotations

import pytest

from pim_connector.console.scopes import Needs, needs_of, scopes_for
from pim_connector.dam.asset_rules import AssetMapping, OnDelete, ProductLink
from pim_connector.mapping.loading import load_mapping

ALWAYS = {"openid", "profile", "read_channel_localization", "read_channel_settings"}
PRODUCTS = {
    "write_products",
    "read_catalog_structure",
    "read_association_types",
    "read_attribute_options",
    "read_categories",
}
MAPPING = """
version: 1
records:
  item:
    path: /items/item
    identifier: sku
    values: {color: {from: color%s}}
"""
ASSETS = AssetMapping(family="pictures", attributes={"label": "name"})


def asked(needs: Needs) -> set[str]:
    scopes = scopes_for(needs)
    assert len(scopes) == len(set(scopes))
    return set(scopes)


def needs(*, options: str = "", dams: tuple[AssetMapping, ...] = ()) -> Needs:
    mapping = load_mapping((MAPPING % options).encode(), name="test")
    return needs_of([mapping.file], dams, extensions=False)


def test_an_erp_source_asks_for_products_and_their_structure() -> None:
    assert asked(needs()) == ALWAYS | PRODUCTS


def test_a_new_stack_asks_for_what_its_first_import_needs() -> None:
    assert asked(needs_of([], [], extensions=False)) == ALWAYS | PRODUCTS


def test_options_are_written_only_where_a_mapping_creates_them() -> None:
    rule = needs(options=", options: create")
    assert rule.creates_options
    assert asked(rule) == (ALWAYS | PRODUCTS | {"write_attribute_options"}) - {
        "read_attribute_options"
    }
    assert not needs(options=", options: reject").creates_options


def test_assets_alone_do_not_ask_for_products() -> None:
    assert asked(needs_of([], [ASSETS], extensions=False)) == ALWAYS | {
        "read_asset_families",
        "write_assets",
    }


def test_assets_that_are_linked_ask_for_the_products_they_are_linked_to() -> None:
    link = ProductLink(products="skus", attribute="pictures")
    linked = AssetMapping(family="pictures", attributes={"label": "name"}, links=(link,))
    scopes = asked(needs_of([], [linked], extensions=False))
    assert {"write_products", "read_catalog_structure"} <= scopes
    assert "delete_assets" not in scopes


@pytest.mark.parametrize(("action", "deletes"), [("delete", True), ("disable", False)])
def test_assets_are_deleted_only_where_a_source_says_so(action: str, deletes: bool) -> None:
    on_delete = OnDelete(action=action)  # type: ignore[arg-type]
    mapping = AssetMapping(family="p", attributes={"label": "name"}, on_delete=on_delete)
    assert ("delete_assets" in asked(needs_of([], [mapping], extensions=False))) is deletes


def test_extensions_are_managed_only_where_they_are_wanted() -> None:
    assert "manage_extensions" in asked(needs_of([], [], extensions=True))
    assert "manage_extensions" not in asked(needs_of([], [], extensions=False))


def test_nobody_is_asked_for_their_mail_address() -> None:
    every = Needs(
        products=True,
        creates_options=True,
        records=True,
        assets=True,
        deletes_assets=True,
        links_assets=True,
        extensions=True,
    )
    assert "email" not in asked(every)
    assert "delete_products" not in asked(every)
