"""Notes in the ledger what the PIM has taken, while it still answers for the rest of its call.

The PIM answers line by line, for five seconds in a full message, and stands idle from the last
answer until the next message's call. So what can be done before the last answer is; and a worker
that dies meanwhile has less to send again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pim_connector.delivery.shaping import accepted_entry, media_slots
from pim_connector.delivery.triage import booked_state
from pim_connector.ledger import ITEMS_PER_WRITE
from pim_connector.threads import Writes

if TYPE_CHECKING:
    from pim_connector.delivery.line import Accepted
    from pim_connector.delivery.task import Task
    from pim_connector.ledger import LedgerEntry
    from pim_connector.states import State


class Notes(Writes):
    """The ledger's entries of one call: all are written when the context ends."""

    def __init__(self, task: Task) -> None:
        super().__init__(task.parts.begin)
        self._task = task
        self._gathered: list[LedgerEntry] = []
        self._noted: set[int] = set()

    def take(self, answer: Accepted) -> None:
        """Note an answer, as soon as there are enough for one request; fails at the end only.

        What follows of the product, its links or files, is missing in its entry.
        """
        self._add(answer)
        if len(self._gathered) == ITEMS_PER_WRITE:
            self.begin(partial(self._task.parts.ledger.accept, self._gathered))
            self._gathered = []

    def complete(self, answers: Sequence[Accepted]) -> None:
        """Note those of all answers that have not been yet."""
        for answer in answers:
            if answer.line.record.number not in self._noted:
                self._add(answer)
        self._task.parts.ledger.accept(self._gathered)
        self._gathered = []

    def _add(self, answer: Accepted) -> None:
        line, message = answer.line, self._task.message
        state = state_of(self._task, answer)
        self._noted.add(line.record.number)
        self._gathered.append(accepted_entry(message, line, state, pending=media_slots(line)))


def state_of(task: Task, answer: Accepted) -> State:
    """Give the state in which an earlier delivery of the record ended, else this one's."""
    before = booked_state(answer.line.entry, task.message, answer.line.record)
    return before or ("created" if answer.created else "updated")
