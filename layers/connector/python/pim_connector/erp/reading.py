"""Reads the records of an ERP file, one after another, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

from msgspec import Struct

from pim_connector.erp.cuts import Cut
from pim_connector.erp.fragments import Skeletons, lone_xml, record_xml
from pim_connector.erp.head import read_order
from pim_connector.erp.plan import Group, Plan
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.erp.seen import explain_no_records
from pim_connector.erp.stream import OpenFile, Place, XmlStream
from pim_connector.erp.surroundings import Surroundings
from pim_connector.mapping.compiled import CompiledMapping

__all__ = ["RecordReader", "Resumption", "read_order", "read_records"]


class Resumption(Struct, frozen=True, kw_only=True):
    """How to read a file on without reading again what came before.

    `records` are those before the place, `head` is what the file's head said.
    """

    place: Place
    records: int
    head: dict[str, str]


class RecordReader(Iterator[SourceRecord]):
    """The records of a file, and what there is to say about the reading while it goes on.

    `records_read` counts whole records so far, `dropped` illegal characters left out.
    """

    def __init__(
        self,
        open_file: OpenFile,
        compiled: CompiledMapping,
        *,
        skip: int = 0,
        start: Resumption | None = None,
        others: Mapping[str, OpenFile] | None = None,
    ) -> None:
        said = compiled.mapping.file.file
        self._compiled = compiled
        self._skip = skip
        self._start = start
        self._others = others or {}
        self._stream = XmlStream(
            open_file=open_file,
            encoding=said.encoding,
            illegal_characters=said.illegal_characters,
            max_megabytes=said.max_record_megabytes,
        )
        self._plan = Plan.of(compiled)
        self._surroundings = Surroundings(compiled, self._plan, start.head if start else None)
        self._groups: dict[tuple[int, ...], list[Group]] = {}
        self._skeletons = Skeletons()
        self.records_read = start.records if start else 0
        self._before: tuple[Cut | None, int] = (None, 0)
        self._records = self._placed()

    @property
    def dropped(self) -> int:
        """How many illegal characters and references were left out so far."""
        return self._stream.decoder.dropped

    def resumption(self) -> Resumption | None:
        """How to read on after the records given so far; None where reading has to begin anew.

        It may lie some records before: whoever reads on from there skips those.
        """
        cut, records = self._before
        place = self._stream.place_after(cut) if cut else None
        if place is None:
            return None
        return Resumption(place=place, records=records, head=self._surroundings.head)

    def __iter__(self) -> Iterator[SourceRecord]:
        return self._records

    def __next__(self) -> SourceRecord:
        return next(self._records)

    def _placed(self) -> Iterator[SourceRecord]:
        try:
            yield from self._read()
        except UnreadableFileError as error:
            raise UnreadableFileError(
                error.what, line=error.line, column=error.column, records_read=self.records_read
            ) from error

    def _read(self) -> Iterator[SourceRecord]:
        seen, stream = self._surroundings, self._stream
        seen.read_other_files(stream, self._others)
        if any(table.file is None for table in self._compiled.tables.values()):
            seen.read_all(stream.again())
        start = self._start.place if self._start else None
        for cut in stream.cuts(self._plan.paths, start=start):
            for inner in cut.flat() if cut.inner else (cut,):
                groups = self._groups_of(inner)
                if not seen.head_is_known:
                    seen.collect(inner, stream.entities)
                    if groups:
                        seen.conclude(stream)
                for group in groups:
                    record = self._record(inner, group)
                    if record is not None:
                        yield record
            self._before = (cut, self.records_read)
        if self.records_read == 0:
            explain_no_records(stream, self._plan.record_paths)

    def _record(self, cut: Cut, group: Group) -> SourceRecord | None:
        self.records_read += 1
        if self.records_read <= self._skip:
            return None
        rule = group.record
        root = cut if group.within is None else self._plan.root_of(cut, group)
        skeleton = self._skeletons.of(root.ancestors, with_attributes=rule.sees_ancestors)
        if root is cut and not cut.inner:
            xml = lone_xml(cut, skeleton, self._stream.entities)
        else:
            xml = record_xml(
                cut,
                root,
                skeleton,
                leave_out=self._plan.leaves_out(rule),
                entities=self._stream.entities,
            )
        record = SourceRecord(
            number=self.records_read,
            line=cut.line,
            rule=rule.name,
            xml=xml,
            head=self._surroundings.head_of(rule),
        )
        if len(group.names) == 1 and not rule.table_names:
            return record
        return self._surroundings.with_rows(record, group.names)

    def _groups_of(self, cut: Cut) -> list[Group]:
        found = self._groups.get(cut.paths)
        if found is None:
            found = self._groups[cut.paths] = self._plan.groups_of(cut)
        return found


def read_records(
    open_file: Callable[[], BinaryIO],
    compiled: CompiledMapping,
    *,
    skip: int = 0,
    start: Resumption | None = None,
    others: Mapping[str, Callable[[], BinaryIO]] | None = None,
) -> RecordReader:
    """The records of a file in document order, in constant memory but for the look-up tables.

    `open_file` opens the file anew each time: tables (and a head that comes after the records)
    need a first pass. `skip` passes over the first N records, for going on where reading stopped;
    numbers and lines stay those of the file. With `start`, given by an earlier reading of the same
    file, what lies before it is not even read. `others` are the second files by name.

    Raises UnreadableFileError with line, column and number of whole records before the place, when
    the file is no readable XML to its end, and when no record is at the paths of the mapping.
    """
    return RecordReader(open_file, compiled, skip=skip, start=start, others=others)
