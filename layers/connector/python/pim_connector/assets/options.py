"""Creates options of asset attributes before the assets that use them, and remembers them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from pim_connector.akeneo.errors import RefusedError
from pim_connector.structure import AssetAttributeOption, Structure

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.assets.asset import MappedAsset


def missing_options(
    assets: Iterable[MappedAsset], structure: Structure
) -> tuple[AssetAttributeOption, ...]:
    """Give the options the assets want and the PIM has not, each once. Pure."""
    wanted: dict[tuple[str, str, str], AssetAttributeOption] = {}
    for asset in assets:
        for option in asset.options:
            known = structure.asset_options(asset.family, option.attribute) or frozenset()
            if option.code in known:
                continue
            key = (asset.family, option.attribute, option.code.casefold())
            wanted.setdefault(
                key,
                AssetAttributeOption(
                    code=option.code,
                    asset_family=asset.family,
                    attribute=option.attribute,
                    labels=option.labels,
                ),
            )
    return tuple(wanted.values())


def create_options(
    pim: AkeneoClient, options: Iterable[AssetAttributeOption]
) -> dict[tuple[str, str, str], str]:
    """Create options one by one (the PIM has no bulk call for them), at the client's pace.

    Gives the PIM's reason for each it refuses, by family, attribute and code.
    """
    refused: dict[tuple[str, str, str], str] = {}
    for option in options:
        item = {"code": option.code, "labels": option.labels}
        try:
            pim.upsert_asset_attribute_option(option.asset_family, option.attribute, item)
        except RefusedError as error:
            refused[option.asset_family, option.attribute, option.code] = str(error)
    return refused


def with_options(structure: Structure, created: Iterable[AssetAttributeOption]) -> Structure:
    """Add options that the PIM has just taken to what is known of it."""
    known = {
        (o.asset_family, o.attribute, o.code): o for o in structure.asset_attribute_options or ()
    }
    known |= {(o.asset_family, o.attribute, o.code): o for o in created}
    return msgspec.structs.replace(structure, asset_attribute_options=tuple(known.values()))
