"""What becomes of assets that the DAM has no more: ignored, unlinked, disabled or deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pim_connector.akeneo import Refused, Unanswered
from pim_connector.akeneo.pim import asking_the_pim
from pim_connector.assets.state import AssetEntry, AssetSyncState
from pim_connector.assets.values import AssetOutcome, AssetState, rejected
from pim_connector.dam.asset_rules import OnDelete
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.products.asset_links import ProductLinks
from pim_connector.sync.messages import Change

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.structure import Structure


def remove(
    entries: Sequence[AssetEntry], rule: OnDelete, pim: AkeneoClient, structure: Structure
) -> tuple[list[AssetOutcome], list[AssetEntry]]:
    """Do what the source says with assets that are gone; give outcomes and entries as they are now.

    Raises TransientError where the PIM does not answer, ConfigurationError for a rule that the
    PIM's structure does not allow.
    """
    with asking_the_pim():
        if rule.action == "delete":
            for entry in entries:
                pim.delete_asset(entry.family, entry.code)
        if rule.action == "disable":
            return _disable(entries, rule, pim, structure)
    return [_done(entry, rule) for entry in entries], [_absent(entry, rule) for entry in entries]


def unlinking(entry: AssetEntry, rule: OnDelete) -> list[ProductLinks]:
    """Return the links to take out of products: what the connector itself has put there.

    Links that Akeneo's product link rules made are Akeneo's to undo.
    """
    if rule.action not in ("unlink", "delete"):
        return []
    return [link_of(key, remove=(entry.code,)) for key in entry.links]


def link_of(key: str, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> ProductLinks:
    """Read `resource|product|attribute|locale|channel`; a product's identifier may hold `|`."""
    resource, rest = key.split("|", 1)
    product, attribute, locale, channel = rest.rsplit("|", 3)
    return ProductLinks(
        resource=resource,
        product=product,
        attribute=attribute,
        locale=locale or None,
        channel=channel or None,
        add=add,
        remove=remove,
    )


def _disable(
    entries: Sequence[AssetEntry], rule: OnDelete, pim: AkeneoClient, structure: Structure
) -> tuple[list[AssetOutcome], list[AssetEntry]]:
    outcomes: list[AssetOutcome] = []
    absent: list[AssetEntry] = []
    for family in sorted({entry.family for entry in entries}):
        members = [entry for entry in entries if entry.family == family]
        items = [_disabled(entry, rule, structure) for entry in members]
        answers = pim.upsert_assets(family, items)
        if any(isinstance(answer, Unanswered) for answer in answers):
            raise TransientError("the PIM did not answer for all assets that are to be disabled")
        for entry, answer in zip(members, answers, strict=True):
            if isinstance(answer, Refused):
                outcomes.append(rejected(entry.dam_id, answer.message, code=entry.code))
            else:
                outcomes.append(_done(entry, rule))
                absent.append(_absent(entry, rule))
    return outcomes, absent


def _disabled(entry: AssetEntry, rule: OnDelete, structure: Structure) -> dict[str, object]:
    attribute = structure.asset_attribute(entry.family, rule.attribute or "")
    if rule.attribute is None or (attribute is None and structure.asset_attributes is not None):
        raise ConfigurationError(
            f"on_delete: disable needs an `attribute` that asset family {entry.family} has;"
            f" {rule.attribute} is not one"
        )
    if attribute is not None and (attribute.value_per_locale or attribute.value_per_channel):
        raise ConfigurationError(
            f"on_delete: attribute {rule.attribute} has a value per locale or channel; disabling"
            " needs one that has a single value"
        )
    value = {"locale": None, "channel": None, "data": rule.value}
    return {"code": entry.code, "values": {rule.attribute: [value]}}


def _done(entry: AssetEntry, rule: OnDelete) -> AssetOutcome:
    state: AssetState = "filtered" if rule.action == "ignore" else "updated"
    return AssetOutcome(dam_id=entry.dam_id, state=state, code=entry.code)


def _absent(entry: AssetEntry, rule: OnDelete) -> AssetEntry:
    links = () if rule.action in ("unlink", "delete") else entry.links
    return replace(entry, present=False, hashes=b"", links=links, waiting=())


# Links to products that are not in the PIM yet: they wait in the sync state until the product
# comes.
#
# An asset often is in the DAM before its product is in the ERP. When a run of the product flow has
# ended, and at every reconciliation, the poller announces the assets with such links, and the asset
# mapper asks the PIM for the products: neither the DAM nor the assets themselves have a part in it.


SendLinks = Callable[[Sequence[ProductLinks]], frozenset[ProductLinks]]
"""Sends links through the product queue; gives those whose product is not in the PIM yet."""
Announce = Callable[[str, Sequence[Change]], None]
"""Puts changes of a source into the asset queue."""

CHANGES_PER_ROUND = 1000


def announce_waiting(source: str, sync_state: AssetSyncState, announce: Announce) -> int:
    """Have the asset mapper try all links of a source that wait; give the number of assets.

    Raises what the sync state and `announce` raise. Announcing twice does no harm.
    """
    number = 0
    changes = (Change(id=dam_id, origin="links") for dam_id in sync_state.waiting(source))
    for some in _groups(changes):
        announce(source, some)
        number += len(some)
    return number


def link_late(
    source: str, dam_ids: Sequence[str], sync_state: AssetSyncState, send_links: SendLinks
) -> list[AssetOutcome]:
    """Make those links whose product has come; give what became of each asset (at most 100).

    Raises what the sync state and `send_links` raise.
    """
    entries = sync_state.entries(source, dam_ids)
    due = [entry for entry in entries.values() if entry.present and entry.waiting]
    links = [link_of(key, add=(entry.code,)) for entry in due for key in entry.waiting]
    missing = send_links(links)
    after = [
        split_links(replace(entry, links=entry.links + entry.waiting), missing) for entry in due
    ]
    changed = [new for new, old in zip(after, due, strict=True) if new.links != old.links]
    sync_state.accept(changed)
    linked = {entry.dam_id for entry in changed}
    return [
        AssetOutcome(
            dam_id=dam_id,
            state="updated" if dam_id in linked else "unchanged",
            code=entries[dam_id].code if dam_id in entries else None,
        )
        for dam_id in dam_ids
    ]


def split_links(entry: AssetEntry, missing: frozenset[ProductLinks]) -> AssetEntry:
    """Tell the links of an entry that were made from those whose product is missing."""
    absent = {(one.resource, one.product) for one in missing}
    waiting = tuple(key for key in entry.links if _product(key) in absent)
    return replace(
        entry, links=tuple(key for key in entry.links if key not in waiting), waiting=waiting
    )


def _product(key: str) -> tuple[str, str]:
    link = link_of(key)
    return link.resource, link.product


def _groups(changes: Iterator[Change]) -> Iterator[list[Change]]:
    while some := list(islice(changes, CHANGES_PER_ROUND)):
        yield some
