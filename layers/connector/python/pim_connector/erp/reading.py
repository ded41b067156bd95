"""Reads the records of an ERP file, one after another, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO

from msgspec import Struct

from pim_connector.erp.cuts import Cut
from pim_connector.erp.fragments import HeadDocument, Skeletons, lone_xml, record_xml
from pim_connector.erp.head import evaluate_head, read_order
from pim_connector.erp.plan import Group, Plan
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.erp.seen import explain_no_records
from pim_connector.erp.stream import OpenFile, Place, XmlStream
from pim_connector.erp.table_rows import fill_table
from pim_connector.erp.tables import LookupTables, NotedRows
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.compiled import CompiledRecord
from pim_connector.mapping.program import Program

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
        program: Program,
        *,
        skip: int = 0,
        start: Resumption | None = None,
        others: Mapping[str, OpenFile] | None = None,
    ) -> None:
        said = program.mapping.file.file
        self._program = program
        self._skip = skip
        self._start = start
        self._others = others or {}
        self._stream = XmlStream(
            open_file=open_file,
            encoding=said.encoding,
            illegal_characters=said.illegal_characters,
            max_megabytes=said.max_record_megabytes,
        )
        self._plan = Plan.of(program)
        self._head: dict[str, str] = start.head if start else {}
        self._tables = LookupTables(
            {name: tuple(table.columns) for name, table in program.tables.items()}
        )
        self._groups: dict[tuple[int, ...], list[Group]] = {}
        self._heads: dict[str, dict[str, str]] = {}
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
        return Resumption(place=place, records=records, head=self._head) if place else None

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
        self._read_other_files()
        own_tables = [table for table in self._program.tables.values() if table.file is None]
        head_is_known = self._start is not None
        if own_tables:
            self._first_pass()
            head_is_known = True
        head, start = HeadDocument(), self._start.place if self._start else None
        for cut in self._stream.cuts(self._plan.paths, start=start):
            for inner in cut.flat() if cut.inner else (cut,):
                if not head_is_known:
                    self._collect_head(head, inner)
                groups = self._groups_of(inner)
                if groups and not head_is_known:
                    self._finish_head(head)
                    head_is_known = True
                for group in groups:
                    record = self._record(inner, group)
                    if record is not None:
                        yield record
            self._before = (cut, self.records_read)
        if self.records_read == 0:
            explain_no_records(self._stream, self._plan.record_paths)

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
            head=self._head_of(rule),
        )
        if len(group.names) == 1 and not rule.table_names:
            return record
        return self._with_rows(record, [self._program.records[name] for name in group.names])

    def _groups_of(self, cut: Cut) -> list[Group]:
        found = self._groups.get(cut.paths)
        if found is None:
            found = self._groups[cut.paths] = self._plan.groups_of(cut)
        return found

    def _head_of(self, rule: CompiledRecord) -> dict[str, str]:
        """The head values that a rule uses: one dictionary for all its records."""
        found = self._heads.get(rule.name)
        if found is None:
            found = {name: self._head.get(name, "") for name in sorted(rule.head_names)}
            self._heads[rule.name] = found
        return found

    def _with_rows(self, record: SourceRecord, rules: Sequence[CompiledRecord]) -> SourceRecord:
        """Chooses the rule, and gives the record the look-up rows and head values it needs."""
        rows = NotedRows(self._tables)
        names = tuple(rule.name for rule in rules)
        head = {name: self._head.get(name, "") for rule in rules for name in rule.head_names}
        seen = SourceRecord(
            number=record.number, line=record.line, rule=names[0], xml=record.xml, head=head
        )
        chosen = self._program.chosen(names, seen, rows)
        record = SourceRecord(
            number=record.number,
            line=record.line,
            rule=chosen,
            xml=record.xml,
            head=self._head_of(self._program.records[chosen]),
        )
        rows = NotedRows(self._tables)
        if self._program.records[chosen].table_names:
            self._program.rows_used(record, rows)
        return SourceRecord(
            number=record.number,
            line=record.line,
            rule=chosen,
            xml=record.xml,
            head=record.head,
            tables=rows.noted,
        )

    def _first_pass(self) -> None:
        """Tables and head from the whole document, before the records are read."""
        head = HeadDocument()
        for cut in self._stream.cuts(self._plan.paths):
            for inner in cut.flat():
                self._collect_head(head, inner)
                for name in self._plan.tables_of(inner):
                    fill_table(
                        self._program.tables[name], inner, self._tables, self._stream.entities
                    )
        self._evaluate_head(head)

    def _finish_head(self, head: HeadDocument) -> None:
        """At the first record: the head is known, or else is looked for in the whole document."""
        self._evaluate_head(head)
        used = {name for rule in self._program.records.values() for name in rule.head_names}
        if any(not self._head.get(name) for name in used):
            stream, self._stream = self._stream, self._stream.again()
            try:
                self._first_pass()
            finally:
                self._stream = stream

    def _collect_head(self, head: HeadDocument, cut: Cut) -> None:
        found = [number for number in cut.paths if number in self._plan.head_paths]
        if found and not (cut.outer is not None and self._plan.is_head(cut.outer)):
            shallow = all(self._plan.paths[number].shallow for number in found)
            head.add(cut, shallow=shallow, entities=self._stream.entities)

    def _evaluate_head(self, head: HeadDocument) -> None:
        self._head = evaluate_head(self._program.head.values(), head)
        self._heads.clear()

    def _read_other_files(self) -> None:
        for table in self._program.tables.values():
            if table.file is None:
                continue
            if table.file not in self._others:
                raise ConfigurationError(
                    f"the table {table.name} needs a second file named {table.file}; "
                    f"given: {', '.join(sorted(self._others)) or 'none'}"
                )
            stream = self._stream.of(self._others[table.file])
            try:
                for cut in stream.cuts([table.path]):
                    for inner in cut.flat():
                        fill_table(table, inner, self._tables, stream.entities)
            except UnreadableFileError as error:
                raise UnreadableFileError(
                    f"in the second file {table.file}: {error.what}",
                    line=error.line,
                    column=error.column,
                ) from error


def read_records(
    open_file: Callable[[], BinaryIO],
    program: Program,
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
    return RecordReader(open_file, program, skip=skip, start=start, others=others)
