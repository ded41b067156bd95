"""What one delivery works with and on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.delivery.kept import Kept
    from pim_connector.delivery.parents import Parents
    from pim_connector.delivery.programs import Pinned, Programs
    from pim_connector.ledger import Ledger
    from pim_connector.media.places import MediaFiles
    from pim_connector.messages import ProductMessage
    from pim_connector.runs.announcements import Announcements
    from pim_connector.runs.deliveries import Deliveries
    from pim_connector.structure_cache import StructureCache


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


class Task(Struct, frozen=True, kw_only=True):
    """Records that name each product once, on their way in one PATCH.

    `message` holds only these records. `first` is False for the later of repeated records,
    `last_attempt` True where unanswered lines are rejected instead of tried again.
    """

    message: ProductMessage
    pim: AkeneoClient
    parts: DeliveryParts
    pinned: Pinned
    first: bool
    last_attempt: bool
