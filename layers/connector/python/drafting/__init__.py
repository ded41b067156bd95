from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import Structure


def draft(sample: Callable[[], BinaryIO], structure: Structure | None) -> str:
    """Return a first mapping of a sample as text; what drafts is imported here, when it is asked.

    ConfigurationError where nothing in the sample can be a record.
    """
    from drafting.drafting import draft_mapping

    return draft_mapping(sample, structure).text
