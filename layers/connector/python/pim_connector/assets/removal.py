"""What becomes of assets that the DAM has no more: ignored, unlinked, disabled or deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pim_connector.akeneo import Refused, Unanswered
from pim_connector.assets.ledger import AssetEntry
from pim_connector.assets.linking import ProductLinks
from pim_connector.assets.mapping import OnDelete
from pim_connector.assets.outcome import AssetOutcome, AssetState, rejected
from pim_connector.delivery.pim import asking_the_pim
from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.structure import Structure


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
    """Give the links to take out of products: what the connector itself has put there.

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
