"""What one delivery works with and on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.delivery.triage import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pim_connector.akeneo import AkeneoClient
    from pim_connector.delivery.kept import Kept
    from pim_connector.delivery.parents import Parents
    from pim_connector.delivery.programs import Pinned, Programs
    from pim_connector.delivery.raw import Raw
    from pim_connector.ledger import Ledger, LedgerEntry
    from pim_connector.media.places import MediaFiles
    from pim_connector.messages import Message, ProductMessage
    from pim_connector.runs.announcements import Announcements
    from pim_connector.runs.deliveries import Deliveries
    from pim_connector.structure_cache import StructureCache
    from pim_connector.threads import Begin

    Entries = Callable[[], Mapping[str, LedgerEntry]]
    """Waits for the ledger's answer. Raises what `Ledger.entries` raises."""


class DeliveryParts(Struct, frozen=True, kw_only=True):
    """All that deliveries work with; kept by a worker between its invocations."""

    ledger: Ledger
    deliveries: Deliveries
    parents: Parents
    programs: Programs
    structures: StructureCache
    kept: Kept
    media: MediaFiles
    announcements: Announcements
    begin: Begin


class Task(Struct, frozen=True, kw_only=True):
    """Records that name each product once, on their way in one PATCH.

    `message` holds only these records; `entries` waits for what the ledger has of them, and maybe
    of others. `first` is False for the later of repeated records, `last_attempt` True where
    unanswered lines are rejected instead of tried again.
    """

    message: ProductMessage
    entries: Entries
    raw: Raw
    pim: AkeneoClient
    parts: DeliveryParts
    pinned: Pinned
    first: bool
    last_attempt: bool


def known(message: Message, ledger: Ledger) -> dict[str, LedgerEntry]:
    """Ask for what the ledger has of a message's products, by `key_of`: one request."""
    return ledger.entries(key_of(message, record.identifier) for record in message.records)
