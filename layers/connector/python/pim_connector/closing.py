"""The end of a run: its report, its file moved, and who is told.

What reads files and mappings is imported where it is needed: most calls find nothing to close.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.baseline import keep_baseline
from pim_connector.bucket import Bucket
from pim_connector.dead_letters import DeadLetters
from pim_connector.inbox import INBOX
from pim_connector.kept import kept
from pim_connector.log_keys import about
from pim_connector.queues import FifoQueue
from pim_connector.report import ReportWriter, summary
from pim_connector.report_digest import Digest
from pim_connector.report_page import report_page
from pim_connector.runs.announcements import Announcements
from pim_connector.runs.deliveries import Deliveries
from pim_connector.runs.leases import Leases
from pim_connector.runs.parking import Parking
from pim_connector.runs.registry import Registry
from pim_connector.runs.run import Phase, Run
from pim_connector.runs.splits import Splits
from pim_connector.states import Problem, RecordOutcome

logger = logging.getLogger(__name__)

SPOOL_BYTES: Final = 8 * 1_048_576


class CaretakerParts(Struct, frozen=True, kw_only=True):
    """What the caretaker works with. `clock` gives the time in UTC."""

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


def close_run(name: str, parts: CaretakerParts) -> bool:
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


def _finish(run: Run, parts: CaretakerParts) -> Run:
    from pim_connector.split_parts import run_file

    problem = run.problem or _miscount(run)
    phase: Phase = "failed" if problem else "finished"
    folder = "failed/" if problem else "done/"
    target = f"{folder}{run.key.removeprefix(INBOX)}" if run.kind == "file" else run.file or run.key
    now = f"{parts.clock():%Y-%m-%dT%H:%M:%SZ}"
    ended = replace(run, phase=phase, problem=problem, file=target, finished_at=now, dead=0)
    report = write_report(ended, parts)
    if run.kind == "file":
        windows, outcomes = parts.splits.windows, parts.deliveries.outcomes(run.id)
        keep_baseline(run, lambda: windows(run.id), outcomes, parts.bucket)
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


def write_report(run: Run, parts: CaretakerParts) -> str:
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
    from pim_connector.past_records import raw_xml

    numbers = {outcome.number for outcome in digest.records}
    page = report_page(run, digest, raw_xml(parts.bucket, run.id, numbers))
    parts.bucket.put(f"reports/{run.id}/report.html", page.encode())
    return key


def _left_behind(run: Run, parts: CaretakerParts) -> Iterator[RecordOutcome]:
    yield from (record.outcome for record in kept(parts.bucket, run.id))
    yield from _troubled(run, parts)
    yield from _dead(run, parts)


def _troubled(run: Run, parts: CaretakerParts) -> Iterator[RecordOutcome]:
    """Give what the mapper rejected, what is still parked, and what went in, but not all of it."""
    waiting: set[int] = set()
    if run.counts["parked"]:
        for outcome in parts.deliveries.outcomes(run.id):
            (waiting.add if outcome.state == "parked" else waiting.discard)(outcome.number)
    for outcome in parts.deliveries.outcomes(run.id):
        parked = outcome.state == "parked" and outcome.number in waiting
        in_part = outcome.state in ("created", "updated") and outcome.problems
        if parked or in_part or outcome.state == "rejected":
            yield outcome


def _dead(run: Run, parts: CaretakerParts) -> Iterator[RecordOutcome]:
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
