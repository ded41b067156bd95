"""The copy of a message in the bucket, from which records of it can be replayed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pim_connector.threads import Writes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pim_connector.delivery.line import Line
    from pim_connector.delivery.task import DeliveryParts
    from pim_connector.messages import ProductMessage
    from pim_connector.states import RecordOutcome


class Raw(Writes):
    """Kept once, if any record of the message has a problem, and before the message is booked.

    Most problems are known before the PIM has the message: then it is kept meanwhile. A copy that
    another attempt has left is written over, or nobody asks for it.
    """

    def __init__(self, message: ProductMessage, parts: DeliveryParts) -> None:
        super().__init__(parts.begin)
        self._keep = partial(parts.kept.keep_raw, message)
        self._begun = False

    def see(self, ends: Iterable[RecordOutcome], lines: Iterable[Line] = ()) -> None:
        """Begin to keep the message if it is to be kept for one of these."""
        if self._begun:
            return
        troubled = any(end.state in ("rejected", "parked") or end.problems for end in ends)
        if troubled or any(line.problems for line in lines):
            self._begun = True
            self.begin(self._keep)
