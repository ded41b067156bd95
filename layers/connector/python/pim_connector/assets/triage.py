"""Decides what the PIM must hear of a mapped asset. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pim_connector.assets.asset import MappedAsset
from pim_connector.assets.ledger import AssetEntry
from pim_connector.delta import changed_slots
from pim_connector.mapping.result import Slot


class Send(Struct, frozen=True, kw_only=True):
    """The slots to send; `fresh` when the PIM is not known to have the asset.

    `lost`: its file was waited for long enough.
    """

    asset: MappedAsset
    slots: tuple[Slot, ...]
    fresh: bool
    stamp: int | None = None
    lost: bool = False


def is_superseded(entry: AssetEntry | None, stamp: int | None) -> bool:
    """Say whether the PIM holds a newer version; of two with one stamp nobody knows which is."""
    if entry is None or entry.stamp is None or stamp is None:
        return False
    return stamp < entry.stamp


def is_unchanged(asset: MappedAsset, entry: AssetEntry | None) -> bool:
    """Say whether the PIM has accepted exactly this before, under the same code and links."""
    return (
        entry is not None
        and entry.present
        and (entry.family, entry.code) == (asset.family, asset.code)
        and entry.hashes == asset.hashes
        and set(link_keys(asset)) == set(entry.links)
    )


def link_keys(asset: MappedAsset) -> tuple[str, ...]:
    """Give each link of an asset as the text that the ledger keeps."""
    return tuple(
        "|".join(
            (link.resource, link.product, link.attribute, link.locale or "", link.channel or "")
        )
        for link in asset.links
    )


def slots_due(asset: MappedAsset, entry: AssetEntry | None) -> tuple[Slot, ...]:
    """Give the slots that are new or changed since the PIM last accepted; all, if it never did."""
    if (
        entry is None
        or not entry.present
        or (entry.family, entry.code) != (asset.family, asset.code)
    ):
        return asset.slots
    return changed_slots(asset.slots, entry.hashes)


def needs_current(due: tuple[Slot, ...], *, fresh: bool) -> bool:
    """Say whether the owners of what is due make it necessary to ask the PIM first."""
    return any(slot.owner == "if_empty" or (slot.owner == "create_only" and fresh) for slot in due)


def chosen(
    asset: MappedAsset,
    due: tuple[Slot, ...],
    current: Mapping[str, Any] | None,
    *,
    exists: bool,
) -> tuple[Slot, ...]:
    """Choose what to send, by owner. `current` is the PIM's asset where it was asked for."""

    def is_wanted(slot: Slot) -> bool:
        if slot.owner == "create_only":
            return not exists
        if slot.owner == "if_empty" and exists:
            return current is not None and not holds(current, slot.key)
        return True

    wanted = {slot.key for slot in due if is_wanted(slot)}
    return tuple(
        slot for slot in asset.slots if slot.key in wanted or (wanted and slot.owner == "always")
    )


def holds(current: Mapping[str, Any], key: tuple[str, ...]) -> bool:
    """Say whether the PIM's asset has a value there."""
    _, attribute, locale, channel = key
    return any(
        (value.get("locale") or "") == locale
        and (value.get("channel") or "") == channel
        and value.get("data") not in (None, "", [])
        for value in current.get("values", {}).get(attribute, ())
    )
