"""Brings each asset of a batch of messages to hand as the DAM has it, once.

A poll hands the asset over whole; an event, or one too heavy for a message, only its id, and then
the DAM is asked, not before it has settled. What an event calls deleted is asked for, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.dam.asset_messages import AssetMessage, Change
from pim_connector.dam.client import Gone
from pim_connector.dam.pages import Row
from pim_connector.errors import RejectedError, TransientError

MOST_RECEIVED = 30
"""With the waits that `AssetWorker` keeps this is six hours. An asset or file that the DAM cannot
hand out must not hold up its lane for ever; a reconciliation brings it when the DAM can."""
LONGEST_NAP_SECONDS = 20.0
"""Waiting a little is cheaper than having the message come again."""


class NotSettledError(TransientError):
    """It is too early to ask the DAM for this asset; for others it may be time."""


class Dam(Protocol):
    """What the asset mapper asks of a DAM: one asset, as it is now."""

    def asset(self, asset_id: str) -> Row | Gone: ...


class Task(Struct, frozen=True, kw_only=True):
    """One message of the asset queue, under the id that SQS gave it, and the run it counts to.

    `received` is how often SQS has handed it out, this time included.
    """

    id: str
    group: str
    run: str
    message: AssetMessage
    received: int = 1


class Found(Struct, frozen=True, kw_only=True):
    """One asset as the DAM has it; `properties` None: it is gone. `problem`: it cannot be read.

    `again`: somebody asked that it be sent whole.
    """

    dam_id: str
    properties: Mapping[str, Any] | None
    stamp: int | None = None
    problem: str | None = None
    again: bool = False


def coalesce(tasks: Iterable[Task]) -> dict[str, Change]:
    """Give the last change of each asset of one source, in the order of their last mention.

    One that is only about late links does not take the place of a real one, which does all, and
    what an operator asked for is still asked for when the asset changed meanwhile.
    """
    last: dict[str, Change] = {}
    for task in tasks:
        for change in task.message.changes:
            before = last.pop(change.id, None)
            if before and change.origin == "links":
                change = before  # noqa: PLW2901
            elif before and before.origin == "operator":
                change = replace(change, origin="operator")  # noqa: PLW2901
            last[change.id] = change
    return last


class Reading:
    """Reads changes from the DAM where they do not carry the asset."""

    def __init__(
        self,
        dam: Dam,
        *,
        can_ask: bool,
        read_stamp: Callable[[str | None], int | None],
        now: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._dam = dam
        self._can_ask = can_ask
        self._read_stamp = read_stamp
        self._now = now
        self._sleep = sleep

    def found(self, change: Change) -> Found:
        """Give the asset of one change.

        TransientError where the DAM does not answer, NotSettledError where it is far too early.
        """
        if change.kind == "changed" and change.properties is not None:
            return Found(
                dam_id=change.id,
                properties=change.properties,
                stamp=self._stamp(change.stamp),
                again=change.origin == "operator",
            )
        if change.kind == "deleted" and not self._can_ask:
            return Found(dam_id=change.id, properties=None)
        self._settle(change)
        try:
            answer = self._dam.asset(change.id)
        except RejectedError as error:
            return Found(dam_id=change.id, properties={}, problem=str(error))
        if isinstance(answer, Gone) or answer.deleted:
            return Found(dam_id=change.id, properties=None)
        return Found(
            dam_id=change.id,
            properties=answer.properties,
            stamp=answer.stamp,
            again=change.origin == "operator",
        )

    def _stamp(self, printed: str | None) -> int | None:
        try:
            return self._read_stamp(printed)
        except RejectedError:
            return None  # unreadable, so it cannot say which version is newer

    def _settle(self, change: Change) -> None:
        wait = (change.not_before or 0.0) - self._now()
        if wait > LONGEST_NAP_SECONDS:
            raise NotSettledError("the DAM has not settled yet", retry_after=wait)
        if wait > 0:
            self._sleep(wait)


def hopeless(tasks: Iterable[Task]) -> frozenset[str]:
    """Give the assets that were tried so often that the DAM is not waited for any longer."""
    return frozenset(
        change.id
        for task in tasks
        if task.received >= MOST_RECEIVED
        for change in task.message.changes
    )


def unfinished(tasks: Sequence[Task], done: set[str]) -> list[Task]:
    """Give the messages that have to come back: those not done, and in a lane all after them."""
    blocked: set[str] = set()
    back: list[Task] = []
    for task in tasks:
        if task.group in blocked or task.id not in done:
            blocked.add(task.group)
            back.append(task)
    return back
