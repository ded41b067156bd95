"""The end of a run: its report, its file moved, and who is told.

What reads files and mappings is imported where it is needed: most calls find nothing to close.
"""

from __future__ import annotations

import logging
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import DeadLetters, FifoQueue, Outgoing
from pim_connector.aws.table import Leases
from pim_connector.errors import ConnectorError, RejectedError
from pim_connector.logs import about
from pim_connector.outcomes import Problem, RecordOutcome
from pim_connector.products.decisions import kept
from pim_connector.products.splitting import INBOX
from pim_connector.reports import Digest, ReportWriter, report_page, summary
from pim_connector.sync.chunks import Splits
from pim_connector.sync.jobs import GIVEN_UP, publish_staged
from pim_connector.sync.message_results import Deliveries, Parking, links_due, overdue
from pim_connector.sync.messages import (
    ClaimCheck,
    Message,
    decode,
    deduplication_id,
    encode,
    group_id,
)
from pim_connector.sync.runs import Phase, Registry, Run
from pim_connector.sync.snapshot import keep_baseline

if TYPE_CHECKING:
    from pim_connector.sync.runs import Run

logger = logging.getLogger(__name__)

SPOOL_BYTES: Final = 8 * 1_048_576


class HousekeepingParts(Struct, frozen=True, kw_only=True):
    """What the housekeeping works with. `clock` gives the time in UTC."""

    bucket: Bucket
    registry: Registry
    splits: Splits
    deliveries: Deliveries
    parking: Parking
    leases: Leases
    queue: FifoQueue
    dead_letters: DeadLetters
    announcements: Announcements
    parent_wait_seconds: int
    clock: Callable[[], datetime]


def close_run(name: str, parts: HousekeepingParts) -> bool:
    """Close a run if it is settled: report, file moved, told to others. False: it is not.

    May be called at any time and again: it goes on where it was cut short.
    """
    run = parts.registry.get(name)
    if run is None or not (run.settled or run.finished_at):
        return False
    if run.finished_at is None:
        with about(run=run.id, source=run.source):
            run = _finish(run, parts)
    parts.announcements.run_finished(run.id, summary(run))
    parts.registry.close(run.id)
    return True


def _finish(run: Run, parts: HousekeepingParts) -> Run:
    from pim_connector.products.decisions import run_file

    problem = run.problem or _miscount(run)
    phase: Phase = "failed" if problem else "finished"
    folder = "failed/" if problem else "done/"
    target = f"{folder}{run.key.removeprefix(INBOX)}" if run.kind == "file" else run.file or run.key
    now = f"{parts.clock():%Y-%m-%dT%H:%M:%SZ}"
    ended = replace(run, phase=phase, problem=problem, file=target, finished_at=now, dead=0)
    report = _write_report(ended, parts)
    if run.kind == "file":
        chunks, outcomes = parts.splits.chunks, parts.deliveries.outcomes(run.id)
        keep_baseline(run, lambda: chunks(run.id), outcomes, parts.bucket)
    try:
        if run.kind == "file":
            parts.bucket.move(run_file(run), target)
    except FileNotFoundError:
        logger.warning("the file was deleted by somebody else")
    parts.registry.finish(run, phase, file=target, report=report, problem=problem, now=now)
    return replace(ended, report=report)


def _miscount(run: Run) -> str | None:
    if run.accounted == run.records:
        return None
    logger.error("states do not add up", extra={"records": run.records})
    return (
        f"the states of {run.accounted} records are known, the file has {run.records}: this is an "
        "error of the connector, please report it with the run's report"
    )


def _write_report(run: Run, parts: HousekeepingParts) -> str:
    """Write the report as far as it is known, and give the key of its JSON form."""
    key = f"reports/{run.id}/report.json"
    with (
        tempfile.SpooledTemporaryFile(SPOOL_BYTES) as json_file,
        tempfile.SpooledTemporaryFile(SPOOL_BYTES) as csv_file,
    ):
        writer, digest = ReportWriter(run, json_file, csv_file), Digest()
        for message in parts.deliveries.messages(run.id):
            digest.count(message.outcomes, message.at)
        for outcome in _left_behind(run, parts):
            writer.add([outcome])
            digest.explain(outcome)
        writer.close()
        json_file.seek(0)
        csv_file.seek(0)
        parts.bucket.put(key, json_file)
        parts.bucket.put(f"reports/{run.id}/rejected.csv", csv_file)
    from pim_connector.products.replaying import raw_xml

    numbers = {outcome.number for outcome in digest.records}
    page = report_page(run, digest, raw_xml(parts.bucket, run.id, numbers))
    parts.bucket.put(f"reports/{run.id}/report.html", page.encode())
    return key


def _left_behind(run: Run, parts: HousekeepingParts) -> Iterator[RecordOutcome]:
    yield from (record.outcome for record in kept(parts.bucket, run.id))
    yield from _troubled(run, parts)
    yield from _dead(run, parts)


def _troubled(run: Run, parts: HousekeepingParts) -> Iterator[RecordOutcome]:
    """Return what the mapper rejected, what is still parked, and what went in, but not all of
    it.
    """
    waiting: set[int] = set()
    if run.counts["parked"]:
        for outcome in parts.deliveries.outcomes(run.id):
            (waiting.add if outcome.state == "parked" else waiting.discard)(outcome.number)
    for outcome in parts.deliveries.outcomes(run.id):
        parked = outcome.state == "parked" and outcome.number in waiting
        in_part = outcome.state in ("created", "updated") and outcome.problems
        if parked or in_part or outcome.state == "rejected":
            yield outcome


def _dead(run: Run, parts: HousekeepingParts) -> Iterator[RecordOutcome]:
    for message, records in parts.registry.dead_letters(run.id):
        if parts.deliveries.message_recorded(run.id, message):
            continue
        problem = Problem(
            reason=f"message {message} is in the dead-letter queue: its delivery crashed",
            advice="see the mapper's log, then run `pim-connector redrive`",
        )
        for number, line, identifier in records:
            yield RecordOutcome(
                number=number,
                line=line,
                state="parked",
                identifier=identifier,
                problems=(problem,),
            )


# A round of the housekeeping: looks after every run that is not closed.
#
# What reads files and mappings is imported where it is needed: most rounds find nothing to do, and
# there are 288 of them a day.


PREPARING_SECONDS: Final = 3600
"""After this long a command that has not written its job down is taken to be gone."""


class Round(Struct, frozen=True, kw_only=True):
    """What one round did: runs closed, splits and jobs taken up again, parked groups sent."""

    closed: tuple[str, ...]
    resumed: tuple[str, ...]
    expired: int
    dead: int


def make_round(parts: HousekeepingParts) -> Round:
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
                from pim_connector.products.splitting import split_lease

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


def _take_up(job: Run, parts: HousekeepingParts) -> dict[str, str]:
    """Send a job that is written down, whose command may be gone; give up one that is not.

    The withdrawal of a file that is still being split is begun again by the splitter.
    """
    if job.phase == "sending":
        publish_staged(job, parts)
        return {job.id: job.id}
    now = parts.clock()
    since = datetime.fromisoformat(job.started_at or job.registered_at or f"{now}")
    of = parts.registry.get(job.of or "")
    if (now - since).total_seconds() > PREPARING_SECONDS and not (of and of.phase == "splitting"):
        parts.registry.give_up(job, GIVEN_UP, f"{now:%Y-%m-%dT%H:%M:%SZ}")
        close_run(job.id, parts)
    return {}


def _expire_parked(run: Run, parts: HousekeepingParts) -> int:
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
            group=group_id(group.group),
            deduplication=deduplication_id(run.id, f"{group.message}-last"),
            body=encode(ClaimCheck(run=run.id, heavy=group.heavy, last=True)),
        )
        for group in late
    )
    for group in late:
        parts.parking.unpark(group)
    return len(late)


def _name_dead_letters(parts: HousekeepingParts) -> int:
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
            _write_report(replace(run, dead=len(dead)), parts)
            with about(run=run.id, source=run.source):
                logger.error("messages in the dead-letter queue", extra={"n": len(dead)})
    return sum(map(len, found.values()))


def _message(body: str, bucket: Bucket) -> Message | None:
    try:
        message = decode(body)
        if isinstance(message, ClaimCheck):
            message = decode(bucket.get(message.heavy))
    except (RejectedError, FileNotFoundError) as error:
        logger.error("a dead letter that cannot be read: %s", error)
        return None
    return None if isinstance(message, ClaimCheck) else message
