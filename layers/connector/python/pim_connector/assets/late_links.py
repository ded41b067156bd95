"""Links to products that are not in the PIM yet: they wait in the ledger until the product comes.

An asset often is in the DAM before its product is in the ERP. When a run of the product flow has
ended, and at every reconciliation, the poller announces the assets with such links, and the asset
mapper asks the PIM for the products: neither the DAM nor the assets themselves have a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from msgspec.structs import replace

from pim_connector.assets.ledger import AssetEntry, AssetLedger
from pim_connector.assets.linking import ProductLinks
from pim_connector.assets.outcome import AssetOutcome
from pim_connector.assets.removal import link_of
from pim_connector.dam.asset_messages import Change

SendLinks = Callable[[Sequence[ProductLinks]], frozenset[ProductLinks]]
"""Sends links through the product queue; gives those whose product is not in the PIM yet."""
Announce = Callable[[str, Sequence[Change]], None]
"""Puts changes of a source into the asset queue."""

CHANGES_PER_ROUND = 1000


def announce_waiting(source: str, ledger: AssetLedger, announce: Announce) -> int:
    """Have the asset mapper try all links of a source that wait; give the number of assets.

    Raises what the ledger and `announce` raise. Announcing twice does no harm.
    """
    number = 0
    changes = (Change(id=dam_id, origin="links") for dam_id in ledger.waiting(source))
    for some in _groups(changes):
        announce(source, some)
        number += len(some)
    return number


def link_late(
    source: str, dam_ids: Sequence[str], ledger: AssetLedger, send_links: SendLinks
) -> list[AssetOutcome]:
    """Make those links whose product has come; give what became of each asset (at most 100).

    Raises what the ledger and `send_links` raise.
    """
    entries = ledger.entries(source, dam_ids)
    due = [entry for entry in entries.values() if entry.present and entry.waiting]
    links = [link_of(key, add=(entry.code,)) for entry in due for key in entry.waiting]
    missing = send_links(links)
    after = [
        split_links(replace(entry, links=entry.links + entry.waiting), missing) for entry in due
    ]
    changed = [new for new, old in zip(after, due, strict=True) if new.links != old.links]
    ledger.accept(changed)
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
