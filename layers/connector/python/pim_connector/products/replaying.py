"""The records of an earlier run, found again: those kept raw, or those of its file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.aws.bucket import Bucket
from pim_connector.erp.reader import read_records
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.results import Identity, Rejected
from pim_connector.products.batching import Batch, Batcher, Publisher, message_record
from pim_connector.products.decisions import Candidate, RunContext, decide, keep, kept, rejected
from pim_connector.products.splitting import make_plan
from pim_connector.records import SourceRecord, UnreadableFileError, fingerprint
from pim_connector.sync.chunks import identity_hash, manifests_of
from pim_connector.sync.jobs import JobParts, begin, job_name, publish_staged, stage
from pim_connector.sync.message_results import Deliveries
from pim_connector.sync.messages import Force, ProductMessage, decode, encode_record, group_of
from pim_connector.sync.runs import Run
from pim_connector.sync.state import SyncState, state_key

if TYPE_CHECKING:
    from pim_connector.outcomes import State
    from pim_connector.products.decisions import Plan


class Selection(Struct, frozen=True, kw_only=True):
    """Which records of a run: the rejected, those that are named, or else all of its file."""

    rejected: bool = False
    numbers: frozenset[int] = frozenset()
    identifiers: frozenset[str] = frozenset()

    @property
    def everything(self) -> bool:
        return not (self.rejected or self.numbers or self.identifiers)

    def takes(self, number: int, identifier: str | None) -> bool:
        """Say whether a rejected record is meant."""
        named = bool(self.numbers or self.identifiers)
        return number in self.numbers or identifier in self.identifiers or not named


class _PastRecords(Struct, frozen=True, kw_only=True):
    """The selected records of `run`, in the order of the file; `plan` is today's mapping."""

    run: Run
    selection: Selection
    bucket: Bucket
    deliveries: Deliveries
    plan: Plan

    def chosen(self) -> Iterator[SourceRecord]:
        """Give them; ConfigurationError if the file is needed and not there any more.

        A record's number counts by the rules of the mapping that the run was pinned to.
        """
        if self.selection.everything:
            yield from self._from_file(self.plan)
            return
        raw = self._raw()
        yield from (raw[number] for number in sorted(raw))
        wanted = self.selection.numbers - raw.keys()
        if not self.selection.rejected and (self.selection.identifiers or wanted):
            pinned = make_plan(self.run, self.bucket)
            for record in self._from_file(pinned):
                if record.number not in raw and self._is_named(record):
                    yield record

    def _raw(self) -> dict[int, SourceRecord]:
        """Return the rejected records that were kept; the splitter's and the mapper's."""
        bucket, found = self.bucket, dict[int, SourceRecord]()
        for one in kept(bucket, self.run.id):
            if self.selection.takes(one.outcome.number, one.outcome.identifier):
                found[one.outcome.number] = one.record
        refused = {
            stored.number
            for stored in self.deliveries.outcomes(self.run.id)
            if stored.state == "rejected" and self.selection.takes(stored.number, stored.identifier)
        }
        for key in bucket.keys(f"records/{self.run.id}/") if refused else ():
            if key.endswith(".json"):
                message = decode(bucket.get(key))
                assert isinstance(message, ProductMessage)  # noqa: S101 - only those are kept
                found |= dict(_of_message(message, refused))
        return found

    def _is_named(self, record: SourceRecord) -> bool:
        if record.number in self.selection.numbers:
            return True
        identity = self.plan.compiled.identify(record)
        return isinstance(identity, Identity) and identity.identifier in self.selection.identifiers

    def _from_file(self, plan: Plan) -> Iterator[SourceRecord]:
        """Read the very version again that the run was about, which stays where it was uploaded.

        Below `done/` a later file of the same name may have taken its place.
        """
        bucket = self.bucket
        file = bucket.describe(self.run.key, self.run.version)
        if file is None:
            raise ConfigurationError(
                f"the file of run {self.run.id} is not in the bucket any more ({self.run.key},"
                f" version {self.run.version}); only its rejected records can be replayed"
            )
        try:
            yield from read_records(partial(bucket.open, file), plan.compiled, others=plan.others)
        except UnreadableFileError:
            return


def raw_xml(bucket: Bucket, run: str, numbers: Collection[int]) -> dict[int, str]:
    """Return the XML of rejected records, by number, as far as it was kept."""
    wanted = set(numbers)
    found = {
        one.outcome.number: one.record.xml
        for one in (kept(bucket, run) if wanted else ())
        if one.outcome.number in wanted
    }
    for key in bucket.keys(f"records/{run}/") if wanted - found.keys() else ():
        message = decode(bucket.get(key)) if key.endswith(".json") else None
        if isinstance(message, ProductMessage):
            found |= {n: record.xml for n, record in _of_message(message, wanted)}
    return found


def _of_message(message: ProductMessage, numbers: set[int]) -> Iterator[tuple[int, SourceRecord]]:
    for record in message.records:
        if record.number in numbers:
            yield (
                record.number,
                SourceRecord(
                    number=record.number,
                    line=record.line,
                    rule=record.rule,
                    xml=record.xml,
                    head=message.head,
                    tables=record.tables,
                ),
            )


# Sends records of an earlier run again, with today's mapping, as a new run.
#
# The new run has the old one's order and its records their numbers, so nothing that is newer is
# overwritten: neither what the sync state has of a later file or record, nor what a later file
# held.


CHUNK: Final = 1_000
_STATES: Final[dict[str, State]] = {"f": "filtered", "r": "rejected", "s": "superseded"}


class ReplayParts(Struct, frozen=True, kw_only=True):
    """What a replay works with beside what every job needs."""

    jobs: JobParts
    deliveries: Deliveries
    sync_state: SyncState


def replay(
    run: Run, selection: Selection, parts: ReplayParts, *, force: Force | None = None
) -> Run:
    """Send the selected records of `run` again, and give the new run.

    ConfigurationError if there are none, or the source's mapping of today cannot be used.
    """
    if run.kind not in ("file", "replay"):
        raise ConfigurationError(f"run {run.id} is a {run.kind}: it has no records to be replayed")
    if run.kind == "replay" and selection.everything:
        raise ConfigurationError(
            f"run {run.id} is a replay of {run.of}: replay that one, or only what was rejected here"
        )
    bucket = parts.jobs.bucket
    today = make_plan(replace(run, mapping=None), bucket)
    past = _PastRecords(
        run=run, selection=selection, bucket=bucket, deliveries=parts.deliveries, plan=today
    )
    if next(past.chosen(), None) is None:
        raise ConfigurationError(
            f"run {run.id} has no such record; `pim-connector rejects {run.id}` lists the rejected"
        )
    name = job_name(run, "replay", parts.jobs.clock())
    job = begin(run, "replay", name, parts.jobs, pin=today.pin)
    return Sending(job=job, plan=today, parts=parts, force=force).send(past.chosen())


class Sending:
    """One replay under way: decides, packs, and counts what goes no further."""

    def __init__(self, *, job: Run, plan: Plan, parts: ReplayParts, force: Force | None) -> None:
        self.job, self.plan, self.parts, self.force = job, plan, parts, force
        self._batcher = Batcher(parts.jobs.groups)
        self._run_context = RunContext(
            order=job.order,
            digest=plan.pin.digest,
            shortcut=False,
            newer=manifests_of(parts.jobs.registry.newer_split(job), parts.jobs.bucket),
            force=force,
        )
        self._chunks = 0
        self._decisions: Counter[str] = Counter()

    def send(self, records: Iterator[SourceRecord]) -> Run:
        """Write all down, put it on the queue, and enter how many there are."""
        jobs = self.parts.jobs
        publisher = Publisher(self.job, self.plan.pin, jobs.bucket, jobs.queue, self.force)
        entries = list(publisher.stage(self._batches(records)))
        counts = {state: self._decisions[letter] for letter, state in _STATES.items()}
        written = stage(self.job, entries, jobs, records=self._decisions.total(), counts=counts)
        return publish_staged(written, jobs) if written.phase == "sending" else written

    def _batches(self, records: Iterator[SourceRecord]) -> Iterator[Batch]:
        while chunk := list(islice(records, CHUNK)):
            for candidate, identity in self._queued([self._sight(record) for record in chunk]):
                group = group_of(identity.family_key, self.parts.jobs.groups)
                encoded = encode_record(message_record(candidate, identity, self.force))
                head = candidate.record.head
                yield from self._batcher.add(group, identity.resource, head, encoded)
        yield from self._batcher.flush()

    def _sight(self, record: SourceRecord) -> Candidate:
        found = self.plan.compiled.identify(record)
        if not isinstance(found, Identity):
            return Candidate(record=record, found=found)
        hash_ = identity_hash(found.resource, found.identifier)
        return Candidate(record=record, found=found, hash=hash_, fingerprint=fingerprint(record))

    def _queued(self, candidates: list[Candidate]) -> Iterator[tuple[Candidate, Identity]]:
        keys = [self._key(candidate) for candidate in candidates]
        entries = self.parts.sync_state.versions(key for key in keys if key)
        refused = []
        for candidate, key in zip(candidates, keys, strict=True):
            decision = decide(candidate, entries.get(key), self._run_context)
            if decision == "q" and isinstance(candidate.found, Identity):
                yield candidate, candidate.found
            elif isinstance(candidate.found, Rejected):
                refused.append(rejected(candidate.record, candidate.found.errors))
            self._decisions[decision] += 1
        self._chunks += 1
        keep(self.parts.jobs.bucket, self.job.id, self._chunks, refused)

    def _key(self, candidate: Candidate) -> str:
        if not isinstance(candidate.found, Identity):
            return ""
        return state_key(self.job.source, candidate.found.resource, candidate.found.identifier)
