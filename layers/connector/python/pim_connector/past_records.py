"""The records of an earlier run, found again: those kept raw, or those of its file."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.bucket import Bucket
from pim_connector.erp.reader import read_records
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.errors import ConfigurationError
from pim_connector.kept import kept
from pim_connector.mapping.result import Identity
from pim_connector.messages import ProductMessage, decode
from pim_connector.runs.deliveries import Deliveries
from pim_connector.runs.run import Run
from pim_connector.splitting import make_plan

if TYPE_CHECKING:
    from pim_connector.split_parts import Plan


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


class PastRecords(Struct, frozen=True, kw_only=True):
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
        """Give the rejected records that were kept; the splitter's and the mapper's."""
        bucket, found = self.bucket, dict[int, SourceRecord]()
        for one in kept(bucket, self.run.id):
            if self.selection.takes(one.outcome.number, one.outcome.identifier):
                found[one.outcome.number] = one.record
        refused = {
            booked.number
            for booked in self.deliveries.outcomes(self.run.id)
            if booked.state == "rejected" and self.selection.takes(booked.number, booked.identifier)
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
        identity = self.plan.program.identify(record)
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
            yield from read_records(partial(bucket.open, file), plan.program, others=plan.others)
        except UnreadableFileError:
            return


def raw_xml(bucket: Bucket, run: str, numbers: Collection[int]) -> dict[int, str]:
    """Give the XML of rejected records, by number, as far as it was kept."""
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
