"""What an event asks the splitter to do: which files to take, or to look for them, or to go on.

EventBridge gives keys as they are, S3's own notification gives them URL-encoded
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import Any, BinaryIO, Final, TypeAlias
from urllib.parse import unquote_plus

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.bucket import Bucket, StoredObject
from pim_connector.aws.events import SPLIT_CONTINUES
from pim_connector.aws.table import LEASE_SECONDS
from pim_connector.erp.reader import read_exports, read_order
from pim_connector.errors import ConfigurationError, TransientError
from pim_connector.logs import about
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import Mapping, load_mapping
from pim_connector.mapping.moments import moment_text
from pim_connector.outcomes import STATES
from pim_connector.products.decisions import Plan, SplitterParts, run_file
from pim_connector.products.split import Split
from pim_connector.records import UnreadableFileError
from pim_connector.sync.chunks import LostRunError
from pim_connector.sync.messages import Force, MappingPin
from pim_connector.sync.runs import Phase, Run

logger = logging.getLogger(__name__)

INBOX: Final = "incoming/"
SEQUENCER_LENGTH: Final = 32
NEWEST: Final = "~"
"""Compares as later than any sequencer."""
FORCE: Final = "pim-connector-force"
"""Metadata of an upload: a `Force` as JSON, for a full send."""
_SOURCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_MAPPING = re.compile(rf"config/erp/({_SOURCE.pattern})\.ya?ml")


class Upload(Struct, frozen=True, kw_only=True):
    """A file of a source; without a version it is the one that lies there now.

    `sequencer` is S3's word, in an event, on when it took the file in, hexadecimal.
    """

    source: str
    key: str
    version: str | None = None
    sequencer: str = ""


class Sweep(Struct, frozen=True, kw_only=True):
    """Look for files that have not been processed, of one source or of all."""

    source: str | None = None


class Resume(Struct, frozen=True, kw_only=True):
    """Go on with a split that ran out of time."""

    run: str


class Ignored(Struct, frozen=True, kw_only=True):
    """Nothing is to be done, and why not."""

    key: str
    reason: str


Request: TypeAlias = Upload | Sweep | Resume | Ignored


def read_event(event: dict[str, Any]) -> list[Request]:
    """Read an event of any of the shapes the splitter is called with.

    EventBridge "Object Created" and "SplitContinues", an S3 notification with its records, S3's
    test event, {"sweep": true} or {"sweep": "<source>"}, {"resume": "<run>"}.
    Raises ConfigurationError for any other: somebody connected the function to something else.
    """
    detail = event.get("detail", {})
    match event:
        case {"resume": str(run)}:
            return [Resume(run=run)]
        case {"sweep": str(source)}:
            return [Sweep(source=source)]
        case {"sweep": True}:
            return [Sweep()]
        case {"Event": "s3:TestEvent"}:
            return [Ignored(key="", reason="S3's test event: the notification works")]
        case {"detail-type": "Object Created"}:
            found = detail["object"]
            return [request_for(found["key"], found.get("version-id"), found.get("sequencer", ""))]
        case {"detail-type": kind} if kind == SPLIT_CONTINUES:
            return [Resume(run=detail["run"])]
        case {"Records": [*records]}:
            return [_notified(record) for record in records]
    raise ConfigurationError(
        f"the splitter was called with an event it does not know (keys: {', '.join(event)[:200]}); "
        "connect it to S3's Object Created events, the sweep's schedule and SplitContinues only"
    )


def request_for(key: str, version: str | None = None, sequencer: str = "") -> Request:
    """Decide what a key of the bucket asks for."""
    if key.endswith("/"):
        return Ignored(key=key, reason="a directory marker, not a file: nothing to do")
    mapping = _MAPPING.fullmatch(key)
    if mapping:
        return Sweep(source=mapping[1])
    if not key.startswith(INBOX):
        return Ignored(key=key, reason=f"not in the inbox: put files into {INBOX}<source>/")
    source, slash, _ = key.removeprefix(INBOX).partition("/")
    if not slash:
        return Ignored(key=key, reason=f"in no source's folder: move it to {INBOX}<source>/")
    if not _SOURCE.fullmatch(source):
        reason = "a source's name has 1 to 40 letters, digits, - and _: rename its folder"
        return Ignored(key=key, reason=reason)
    return Upload(source=source, key=key, version=version, sequencer=sequencer)


def run_id(bucket: str, source: str, file: StoredObject) -> str:
    """Name the run of a file version: the same one whenever and however often it is asked for."""
    name = "\0".join((bucket, file.key, file.version))
    digest = blake2b(name.encode(), digest_size=5).hexdigest()
    return f"{file.modified:%Y%m%dT%H%M%SZ}-{source}-{digest}"


def new_run(
    bucket: str,
    source: str,
    file: StoredObject,
    *,
    phase: Phase,
    now: datetime,
    sequencer: str = "",
) -> Run:
    """Make the run of a file version that is taken in `now`.

    Its order is the time S3 took the file in; a mapping may name the export's own time instead
    (`source.order`), which is read when the split begins. S3's clock counts, not the sender's and
    not ours, and never a name.
    """
    id_ = run_id(bucket, source, file)
    order = f"{_turn_of(file.modified or now, sequencer, now)}|{id_}"
    return Run(
        id=id_,
        source=source,
        bucket=bucket,
        key=file.key,
        version=file.version,
        size=file.size,
        order=order,
        turn=order,
        phase=phase,
        counts=dict.fromkeys(STATES, 0),
        registered_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        forced=_forced(file),
    )


def _turn_of(uploaded: datetime, sequencer: str, now: datetime) -> str:
    """Say when S3 took a file in, as a text that compares as the uploads followed one another.

    S3 keeps the time to the second. Within one the `sequencer` of its event decides, which is
    compared as a text that zeros fill up on the right
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html);
    a file that a sweep has found, without an event, is the newest version of its key. Where that
    is equal too, the order in which the files were taken in (`now`) decides.
    """
    sequence = sequencer.upper().ljust(SEQUENCER_LENGTH, "0") if sequencer else NEWEST
    return f"{moment_text(uploaded)}|{sequence}|{moment_text(now)}"


def order_of(exported: datetime, turn: str) -> str:
    """Return the order of a file that says itself when it was exported; ties go by the upload."""
    return f"{moment_text(exported)}|{turn}"


def _forced(file: StoredObject) -> str | None:
    """Read what the uploader wants sent, changed or not; what nobody understands is everything."""
    asked = file.metadata.get(FORCE)
    if asked is None:
        return None
    try:
        return msgspec.json.encode(msgspec.json.decode(asked, type=Force)).decode()
    except msgspec.MsgspecError:
        return msgspec.json.encode(Force()).decode()


def _notified(record: dict[str, Any]) -> Request:
    if record.get("eventSource") != "aws:s3":
        raise ConfigurationError(
            f"the splitter was called with a record of {record.get('eventSource')!r}, not of S3"
        )
    found = record["s3"]["object"]
    key = unquote_plus(found["key"])
    if not record.get("eventName", "").startswith("ObjectCreated:"):
        return Ignored(key=key, reason=f"event {record.get('eventName')}: only new objects count")
    return request_for(key, found.get("versionId"), found.get("sequencer", ""))


# The splitter's use case: take files in, and split those whose turn it is, source by source.


class Intake(Struct, frozen=True, kw_only=True):
    """What became of an event's requests: files taken in, sources to look at, what was ignored."""

    runs: tuple[str, ...]
    sources: tuple[str, ...]
    ignored: tuple[Ignored, ...]


def take_in(requests: Iterable[Request], parts: SplitterParts) -> Intake:
    """Enter every file that the requests name as a run; a file that is known stays what it is.

    A sweep also wakes what waited for the night, and what failed because it had no usable mapping.
    """
    runs: list[str] = []
    sources: dict[str, None] = {}
    ignored: list[Ignored] = []
    for request in requests:
        match request:
            case Ignored():
                ignored.append(request)
            case Upload():
                _take_file(request, parts, runs, ignored)
                sources[request.source] = None
            case Sweep():
                sources |= dict.fromkeys(_sweep(request, parts, runs, ignored))
            case Resume():
                run = parts.registry.get(request.run)
                sources |= {run.source: None} if run else {}
    return Intake(runs=tuple(runs), sources=tuple(sources), ignored=tuple(ignored))


def split_sources(
    sources: Sequence[str], parts: SplitterParts, *, owner: str, remaining: Callable[[], float]
) -> list[str]:
    """Split the waiting files of each source, in their order, while time lasts.

    `owner` names this invocation, `remaining` gives the seconds it has. What is left over goes on
    in a new invocation. Gives the runs whose split ended here. Raises what stops everything:
    TransientError to be called again, ConfigurationError for a stack that is not set up.
    """
    done: list[str] = []
    for source in sources:
        turn = Turn(source=source, owner=owner, parts=parts, remaining=remaining)
        while any(parts.registry.waiting(source)) and turn.take(done):
            pass
    return done


def split_lease(source: str) -> str:
    """Name the lease that lets one splitter at a time work on a source."""
    return f"split#{source}"


class Turn(Struct, kw_only=True):
    """The turn of one invocation at one source, while it holds the source's lease."""

    source: str
    owner: str
    parts: SplitterParts
    remaining: Callable[[], float]
    renewed: float = 0.0

    def take(self, done: list[str]) -> bool:
        """Split until nothing waits. False: somebody else is at it, or time is up."""
        try:
            self._renew()
            unfinished = self._split_all(done)
        except LostRunError as lost:
            logger.info("%s", lost, extra={"source": self.source})
            return False
        finally:
            self.parts.leases.release(split_lease(self.source), self.owner)
        if unfinished:
            self.parts.announcements.split_continues(unfinished)
        return unfinished is None

    def _split_all(self, done: list[str]) -> str | None:
        while run := self._next():
            with about(run=run.id, source=run.source):
                if not split_run(run, self.parts, self.pulse):
                    return run.id
                done.append(run.id)
                self._tell_if_settled(run.id)
        return None

    def _next(self) -> Run | None:
        """Return the file whose split was begun, else the oldest that waits."""
        registry = self.parts.registry
        begun = registry.begun(self.source)
        waiting = None if begun else next(iter(registry.waiting(self.source)), None)
        run = registry.get(waiting.run) if waiting else begun
        if waiting and run is None:
            raise LostRunError(f"run {waiting.run} waits but has no header")
        return run

    def _tell_if_settled(self, run: str) -> None:
        """Do what the mapper does after a last message: there may be none, or it was faster."""
        ended = self.parts.registry.get(run)
        if ended and ended.settled:
            self.parts.announcements.run_settled(run)

    def pulse(self) -> float:
        """Keep the lease alive, and give the seconds that are left."""
        if self.parts.clock().timestamp() - self.renewed > LEASE_SECONDS / 3:
            self._renew()
        return self.remaining()

    def _renew(self) -> None:
        now = self.parts.clock().timestamp()
        if not self.parts.leases.acquire(split_lease(self.source), self.owner, now):
            raise LostRunError(f"another splitter is at work on source {self.source}")
        self.renewed = now


def split_run(run: Run, parts: SplitterParts, remaining: Callable[[], float]) -> bool:
    """Split one file, or go on where an earlier splitter was; False says that time is up.

    A file without a usable mapping is set aside in the inbox, an empty one ends its run.
    """
    if run.size == 0:
        problem = f"{run.key} is empty (0 bytes): have the ERP write it again"
        parts.splits.complete(run, sent=0, problem=problem, now=parts.now())
        return True
    try:
        plan = make_plan(run, parts.bucket)
    except ConfigurationError as error:
        logger.error("%s", error)
        parts.registry.set_aside(run, str(error))
        return True
    try:
        order = _order(run, plan, parts.bucket)
        exports = read_exports(partial(parts.bucket.open, run_file(run)), plan.compiled)
    except UnreadableFileError as error:
        problem = f"{run.key}: {error}"
        parts.splits.complete(run, sent=0, problem=problem, now=parts.now())
        return True
    begun = parts.splits.begin(run, plan.pin, parts.now(), order=order)
    try:
        return Split(begun, replace(plan, exports=exports), parts).read(remaining)
    except LostRunError:
        raise
    except TransientError:
        parts.splits.take_back(begun)
        raise


def make_plan(run: Run, bucket: Bucket) -> Plan:
    """Load the mapping that the run has pinned, or pin the one that is in the bucket now.

    Raises ConfigurationError that says what to do where there is none, or none that can be used.
    """
    key = f"config/erp/{run.source}.yaml"
    version = run.mapping.version if run.mapping else None
    found = bucket.describe(key, version)
    if found is None:
        raise ConfigurationError(
            f"source {run.source} has no mapping: upload {key} to the bucket "
            "(pim-connector config push); the file stays in the inbox and is taken up then"
        )
    mapping = load_mapping(bucket.get(key, found.version), name=key)
    return Plan(
        pin=MappingPin(key=key, version=found.version, digest=mapping.digest),
        compiled=compile_mapping(mapping),
        origin=mapping.file.source,
        others=dict(_others(run.source, mapping, bucket)),
    )


def _order(run: Run, plan: Plan, bucket: Bucket) -> str:
    exported = read_order(partial(bucket.open, run_file(run)), plan.compiled)
    return run.turn if exported is None else order_of(exported, run.turn)


def _others(
    source: str, mapping: Mapping, bucket: Bucket
) -> Iterator[tuple[str, Callable[[], BinaryIO]]]:
    for name in {table.file for table in mapping.file.tables.values() if table.file}:
        key = f"config/erp/{source}/{name}"
        file = bucket.describe(key)
        if file is None:
            raise ConfigurationError(
                f"the mapping of {source} reads tables from {name}: upload it to {key}"
            )
        yield name, partial(bucket.open, file)


def _take_file(
    upload: Upload, parts: SplitterParts, runs: list[str], ignored: list[Ignored]
) -> Run | None:
    file = parts.bucket.describe(upload.key, upload.version)
    if file is None:
        reason = "not there any more: it was moved or deleted after the event"
        ignored.append(Ignored(key=upload.key, reason=reason))
        return None
    phase: Phase = "waiting" if parts.trigger == "upload" else "noted"
    run = new_run(
        parts.bucket.name,
        upload.source,
        file,
        phase=phase,
        now=parts.clock(),
        sequencer=upload.sequencer,
    )
    if parts.registry.register(run):
        with about(run=run.id, source=run.source):
            logger.info("file taken in", extra={"file": run.key, "version": run.version})
        runs.append(run.id)
        return run
    return parts.registry.get(run.id)


def _sweep(
    sweep: Sweep, parts: SplitterParts, runs: list[str], ignored: list[Ignored]
) -> Iterator[str]:
    prefix = f"{INBOX}{sweep.source}/" if sweep.source else INBOX
    for request in map(request_for, parts.bucket.keys(prefix)):
        if isinstance(request, Upload):
            run = _take_file(request, parts, runs, ignored)
            if run:
                yield from _wake(run, parts)
        elif isinstance(request, Ignored):
            ignored.append(request)
    for name in [*parts.registry.open_runs(), *parts.registry.aside()]:
        noted = parts.registry.get(name.run)
        if noted and sweep.source in (None, noted.source):
            yield from _wake(noted, parts)


def _wake(run: Run, parts: SplitterParts) -> Iterator[str]:
    if run.phase == "noted" or (run.phase == "failed" and run.retryable):
        parts.registry.wake(run)
    if run.phase in ("noted", "waiting", "splitting", "failed"):
        yield run.source
