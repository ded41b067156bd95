"""A round of the caretaker: looks after every run that is not closed.

What reads files and mappings is imported where it is needed: most rounds find nothing to do, and
there are 288 of them a day.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.closing import CaretakerParts, close_run, write_report
from pim_connector.consignment import GIVEN_UP, send_written
from pim_connector.errors import ConnectorError, RejectedError
from pim_connector.lanes import message_group
from pim_connector.log_keys import about
from pim_connector.messages import HeavyPointer, Message, decode, deduplication_id, encode
from pim_connector.queues import Outgoing
from pim_connector.runs.parking import links_due, overdue

if TYPE_CHECKING:
    from pim_connector.bucket import Bucket
    from pim_connector.runs.run import Run

logger = logging.getLogger(__name__)

PREPARING_SECONDS: Final = 3600
"""After this long a command that has not written its errand down is taken to be gone."""


class Round(Struct, frozen=True, kw_only=True):
    """What one round did: runs closed, splits and errands taken up again, parked groups sent."""

    closed: tuple[str, ...]
    resumed: tuple[str, ...]
    expired: int
    dead: int


def make_round(parts: CaretakerParts) -> Round:
    """Look after every run that is not closed; what fails for one run does not stop the others."""
    closed, resumed, expired = [], dict[str, str](), 0
    for name in list(parts.registry.open_runs()):
        run = parts.registry.get(name.run)
        if run is None:
            continue
        try:
            if close_run(run.id, parts):
                closed.append(run.id)
            elif run.phase in ("waiting", "splitting") and run.source not in resumed:
                from pim_connector.splitting import split_lease

                if not parts.leases.held(split_lease(run.source), parts.clock().timestamp()):
                    parts.announcements.split_continues(run.id)
                    resumed[run.source] = run.id
            elif run.phase in ("preparing", "sending"):
                resumed |= _take_up(run, parts)
            elif run.phase == "delivering":
                expired += _expire_parked(run, parts)
        except ConnectorError as error:
            logger.error("%s", error, extra={"run": run.id, "source": run.source})
    dead = _name_dead_letters(parts)
    return Round(closed=tuple(closed), resumed=tuple(resumed.values()), expired=expired, dead=dead)


def _take_up(errand: Run, parts: CaretakerParts) -> dict[str, str]:
    """Send an errand that is written down, whose command may be gone; give up one that is not.

    The withdrawal of a file that is still being split is begun again by the splitter.
    """
    if errand.phase == "sending":
        send_written(errand, parts)
        return {errand.id: errand.id}
    now = parts.clock()
    since = datetime.fromisoformat(errand.started_at or errand.registered_at or f"{now}")
    of = parts.registry.get(errand.of or "")
    if (now - since).total_seconds() > PREPARING_SECONDS and not (of and of.phase == "splitting"):
        parts.registry.give_up(errand, GIVEN_UP, f"{now:%Y-%m-%dT%H:%M:%SZ}")
        close_run(errand.id, parts)
    return {}


def _expire_parked(run: Run, parts: CaretakerParts) -> int:
    """Send a last time what has waited too long for its parent, or for the rest of the run.

    But not while messages of the run are still to be delivered: behind a PIM that is down the
    parent may be among them.
    """
    if run.recorded + run.dead < run.sent:
        return 0
    until = parts.clock().timestamp() - parts.parent_wait_seconds
    groups = list(parts.parking.of_run(run.id))
    late = overdue(groups, until) + links_due(run, groups)
    parts.queue.send(
        Outgoing(
            group=message_group(group.lane),
            deduplication=deduplication_id(run.id, f"{group.message}-last"),
            body=encode(HeavyPointer(run=run.id, heavy=group.heavy, last=True)),
        )
        for group in late
    )
    for group in late:
        parts.parking.unpark(group)
    return len(late)


def _name_dead_letters(parts: CaretakerParts) -> int:
    found: dict[str, dict[str, list[tuple[int, int, str]]]] = defaultdict(dict)
    for body in parts.dead_letters.bodies():
        message = _message(body, parts.bucket)
        if message:
            names = [(each.number, each.line, each.identifier) for each in message.records]
            found[message.run][message.id] = names
    for name in list(parts.registry.open_runs()):
        run = parts.registry.get(name.run)
        dead = found.get(name.run, {})
        if run and (dead or run.dead) and len(dead) != run.dead:
            parts.registry.note_dead_letters(run.id, dead)
            write_report(replace(run, dead=len(dead)), parts)
            with about(run=run.id, source=run.source):
                logger.error("messages in the dead-letter queue", extra={"n": len(dead)})
    return sum(map(len, found.values()))


def _message(body: str, bucket: Bucket) -> Message | None:
    try:
        message = decode(body)
        if isinstance(message, HeavyPointer):
            message = decode(bucket.get(message.heavy))
    except (RejectedError, FileNotFoundError) as error:
        logger.error("a dead letter that cannot be read: %s", error)
        return None
    return None if isinstance(message, HeavyPointer) else message
