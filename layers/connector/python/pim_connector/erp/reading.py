"""Reads the records of an ERP file, one after another, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from pim_connector.erp.fragments import HeadDocument, record_xml
from pim_connector.erp.paths import ElementPath
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.erp.scanner import Cut
from pim_connector.erp.seen import explain_no_records
from pim_connector.erp.stream import OpenFile, XmlStream
from pim_connector.erp.table_rows import fill_table
from pim_connector.erp.tables import LookupTables, NotedRows
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.converters.refusal import Refusal
from pim_connector.mapping.program import CompiledRecord, HeadValue, Program, record_node
from pim_connector.mapping.view import View, single_text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Record rules of one path: alternatives, of which an element goes to one."""

    names: tuple[str, ...]
    record: CompiledRecord
    path: int
    within: int | None


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
        others: Mapping[str, OpenFile] | None = None,
    ) -> None:
        said = program.mapping.file.file
        self._program = program
        self._skip = skip
        self._others = others or {}
        self._stream = XmlStream(
            open_file=open_file,
            encoding=said.encoding,
            illegal_characters=said.illegal_characters,
            max_megabytes=said.max_record_megabytes,
        )
        self._plan = _Plan.of(program)
        self._head: dict[str, str] = {}
        self._tables = LookupTables(
            {name: tuple(table.columns) for name, table in program.tables.items()}
        )
        self.records_read = 0
        self._records = self._read()

    @property
    def dropped(self) -> int:
        """How many illegal characters and references were left out so far."""
        return self._stream.decoder.dropped

    def __next__(self) -> SourceRecord:
        try:
            return next(self._records)
        except UnreadableFileError as error:
            raise UnreadableFileError(
                error.what, line=error.line, column=error.column, records_read=self.records_read
            ) from error

    def _read(self) -> Iterator[SourceRecord]:
        self._read_other_files()
        own_tables = [table for table in self._program.tables.values() if table.file is None]
        head_is_known = False
        if own_tables:
            self._first_pass()
            head_is_known = True
        head = HeadDocument()
        for cut in self._stream.cuts(self._plan.paths):
            for inner in cut.flat():
                if not head_is_known:
                    self._collect_head(head, inner)
                groups = self._plan.groups_of(inner)
                if groups and not head_is_known:
                    self._finish_head(head)
                    head_is_known = True
                for group in groups:
                    record = self._record(inner, group)
                    if record is not None:
                        yield record
        if self.records_read == 0:
            explain_no_records(self._stream, self._plan.record_paths)

    def _record(self, cut: Cut, group: _Group) -> SourceRecord | None:
        self.records_read += 1
        if self.records_read <= self._skip:
            return None
        rule = group.record
        xml = record_xml(
            cut,
            self._plan.root_of(cut, group),
            leave_out=self._plan.leaves_out(rule),
            with_attributes=rule.sees_ancestors,
            entities=self._stream.entities,
        )
        record = SourceRecord(
            number=self.records_read,
            line=cut.line,
            rule=group.names[0],
            xml=xml,
            head={name: self._head.get(name, "") for name in sorted(rule.head_names)},
        )
        rules = [self._program.records[name] for name in group.names]
        if len(rules) == 1 and not rule.table_names:
            return record
        return self._with_rows(record, rules)

    def _with_rows(self, record: SourceRecord, rules: Sequence[CompiledRecord]) -> SourceRecord:
        """Chooses the rule, and gives the record the look-up rows and head values it needs."""
        rows = NotedRows(self._tables)
        names = tuple(rule.name for rule in rules)
        head = {name: self._head.get(name, "") for rule in rules for name in rule.head_names}
        seen = SourceRecord(
            number=record.number, line=record.line, rule=names[0], xml=record.xml, head=head
        )
        chosen = self._program.chosen(names, seen, rows)
        needed = self._program.records[chosen].head_names
        record = SourceRecord(
            number=record.number,
            line=record.line,
            rule=chosen,
            xml=record.xml,
            head={name: head[name] for name in sorted(needed)},
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
    others: Mapping[str, Callable[[], BinaryIO]] | None = None,
) -> RecordReader:
    """The records of a file in document order, in constant memory but for the look-up tables.

    `open_file` opens the file anew each time: tables (and a head that comes after the records)
    need a first pass. `skip` passes over the first N records, for going on where reading stopped;
    numbers and lines stay those of the file. `others` are the second files by name.

    Raises UnreadableFileError with line, column and number of whole records before the place, when
    the file is no readable XML to its end, and when no record is at the paths of the mapping.
    """
    return RecordReader(open_file, program, skip=skip, others=others)


def read_order(open_file: Callable[[], BinaryIO], program: Program) -> str | None:
    """The export's own time, by the mapping's `source.order`; None when it names none.

    Reads the file as far as the value is. Raises UnreadableFileError when it is not there: the
    order decides which of two files is newer, so it must not be guessed.
    """
    if program.order is None:
        return None
    said = program.mapping.file.file
    stream = XmlStream(
        open_file=open_file,
        encoding=said.encoding,
        illegal_characters=said.illegal_characters,
        max_megabytes=said.max_record_megabytes,
    )
    head = HeadDocument()
    anchors = program.order.anchors
    for cut in stream.cuts(anchors):
        for inner in cut.flat():
            shallow = all(anchors[number].shallow for number in inner.paths)
            head.add(inner, shallow=shallow, entities=stream.entities)
        order = evaluate_head([program.order], head)["order"]
        if order:
            return order
    raise UnreadableFileError(f"`source.order` finds no value at {program.order.reader.label}")


def evaluate_head(values: Collection[HeadValue], head: HeadDocument) -> dict[str, str]:
    """The head values by name, "" where there is none. Raises UnreadableFileError for several."""
    xml = head.xml()
    if not xml:
        return {value.name: "" for value in values}
    node = record_node(xml)
    view = View({}, {}, node, lambda _, __: [])
    found = {}
    for value in values:
        try:
            found[value.name] = single_text(value.reader.evaluate(view, node))
        except Refusal as refusal:
            raise UnreadableFileError(
                f"the head value {value.name} ({value.reader.label}): {refusal}: {refusal.value}"
            ) from refusal
    return found


@dataclass(slots=True, kw_only=True)
class _Plan:
    """Which paths are followed through the file, and what each of them is for."""

    paths: list[ElementPath] = field(default_factory=list)
    record_paths: list[ElementPath] = field(default_factory=list)
    head_paths: set[int] = field(default_factory=set)
    groups: dict[int, list[_Group]] = field(default_factory=dict)
    tables: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program) -> _Plan:
        plan = cls()
        for names in _alternatives(program):
            record = program.records[names[0]]
            path = plan._number(record.path)
            within = None if record.within is None else plan._number(record.within)
            group = _Group(names=names, record=record, path=path, within=within)
            plan.groups.setdefault(path, []).append(group)
            plan.record_paths.append(record.path)
        for table in program.tables.values():
            if table.file is None:
                plan.tables.setdefault(plan._number(table.path), []).append(table.name)
        for value in program.head.values():
            plan.head_paths.update(plan._number(anchor) for anchor in value.anchors)
        return plan

    def _number(self, path: ElementPath) -> int:
        for number, known in enumerate(self.paths):
            if known.steps == path.steps and known.shallow == path.shallow:
                return number
        self.paths.append(path)
        return len(self.paths) - 1

    def groups_of(self, cut: Cut) -> list[_Group]:
        return [group for number in cut.paths for group in self.groups.get(number, ())]

    def tables_of(self, cut: Cut) -> list[str]:
        return [name for number in cut.paths for name in self.tables.get(number, ())]

    def is_head(self, cut: Cut) -> bool:
        return any(number in self.head_paths for number in cut.paths)

    def root_of(self, cut: Cut, group: _Group) -> Cut:
        """The record itself, or the ancestor it is to be seen in."""
        above: Cut | None = cut
        while group.within is not None and above is not None:
            if group.within in above.paths:
                return above
            above = above.outer
        return cut

    def leaves_out(self, record: CompiledRecord) -> Callable[[Cut], bool]:
        """Records inside (or beside) a record are out of its sight, unless the rule keeps them."""
        if record.rule.nested == "keep":
            return lambda _: False
        return lambda cut: any(number in self.groups for number in cut.paths)


def _alternatives(program: Program) -> list[tuple[str, ...]]:
    """Rules by path: one group of alternatives, and each rule with `continue` by itself."""
    groups: list[tuple[str, ...]] = []
    choices: dict[tuple[object, ...], list[str]] = {}
    for name, record in program.records.items():
        if record.rule.continue_:
            groups.append((name,))
            continue
        key = (record.path.steps, record.within and record.within.steps)
        if key not in choices:
            choices[key] = []
            groups.append((name,))
        choices[key].append(name)
    chosen = {names[0]: tuple(names) for names in choices.values()}
    return [chosen.get(names[0], names) for names in groups]
