"""Which rights the app asks the PIM for: what the sources of this stack use, and no more.

Scopes:
https://api.akeneo.com/apps/authentication-and-authorization.html#available-authorization-scopes.
Each `write_` includes its `read_`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from pim_connector.dam.asset_rules import AssetMapping
    from pim_connector.mapping.language import MappingFile

SIGN_IN: Final = ("openid", "profile")
"""No `email`: nobody is known by it, and mails go to the addresses of the settings."""


class Needs(Struct, frozen=True, kw_only=True):
    """What the sources of a stack do in the PIM."""

    products: bool = False
    creates_options: bool = False
    records: bool = False
    assets: bool = False
    deletes_assets: bool = False
    links_assets: bool = False
    extensions: bool = False


def needs_of(
    mappings: Iterable[MappingFile], assets: Iterable[AssetMapping], *, extensions: bool
) -> Needs:
    """Work out what the sources need. A stack without any yet imports products soon."""
    products, dams = list(mappings), list(assets)
    rules = [rule for mapping in products for rule in _rules(msgspec.to_builtins(mapping))]
    return Needs(
        products=bool(products) or not dams,
        creates_options=any(rule.get("options") == "create" for rule in rules),
        records=any(str(rule.get("type", "")).startswith("reference_entity") for rule in rules),
        assets=bool(dams),
        deletes_assets=any(mapping.on_delete.action == "delete" for mapping in dams),
        links_assets=any(mapping.links for mapping in dams),
        extensions=extensions,
    )


def scopes_for(needs: Needs) -> tuple[str, ...]:
    """Return the scopes for the needs, sorted, with those of sign-in."""
    scopes = {*SIGN_IN, "read_channel_localization", "read_channel_settings"}
    if needs.products or needs.links_assets:
        scopes |= {"write_products", "read_catalog_structure"}
    if needs.products:
        scopes |= {"read_association_types", "read_attribute_options", "read_categories"}
    if needs.creates_options:
        scopes |= {"write_attribute_options"}
        scopes -= {"read_attribute_options"}
    if needs.records:
        scopes |= {"read_reference_entities", "read_reference_entity_records"}
    if needs.assets:
        scopes |= {"read_asset_families", "write_assets"}
    if needs.deletes_assets:
        scopes |= {"delete_assets"}
    if needs.extensions:
        scopes |= {"manage_extensions"}
    return tuple(sorted(scopes))


def _rules(part: Any) -> Iterator[dict[str, Any]]:
    """Walk all objects of a mapping: a rule may sit in a pivot, a condition, a column."""
    if isinstance(part, dict):
        yield part
        for inner in part.values():
            yield from _rules(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _rules(inner)
