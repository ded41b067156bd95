"""Reads the records of an ERP file, one after another, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import BinaryIO, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from pim_connector.erp.elements import OpenFile, XmlStream, explain_no_records
from pim_connector.erp.fragments import (
    Cut,
    HeadDocument,
    LookupTables,
    NotedRows,
    Skeletons,
    record_xml,
)
from pim_connector.erp.recovery import told
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.compiled import CompiledMapping, CompiledRecord, HeadValue
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.moments import export_moment, time_zone
from pim_connector.records import ElementPath, SourceRecord, UnreadableFileError


def read_records(
    open_file: OpenFile,
    compiled: CompiledMapping,
    *,
    skip: int = 0,
    others: Mapping[str, OpenFile] | None = None,
    pulse: Callable[[], object] = lambda: None,
) -> RecordReader:
    """The records of a file in document order, in constant memory but for the look-up tables.

    `open_file` opens the file anew each time: tables (and a head that comes after the records)
    need a first pass. `skip` passes over the first N records, for going on where reading stopped;
    numbers and lines stay those of the file. `others` are the second files by name. `pulse` is
    called for each piece of the file, also inside a long record; what it raises passes through.

    Raises UnreadableFileError with line, column and number of whole records before the place, when
    the file is no readable XML to its end, and when no record is at the paths of the mapping. With
    `file.recover: records` what is not well-formed comes as a record with a `fault` instead.
    """
    return RecordReader(open_file, compiled, skip=skip, others=others, pulse=pulse)


def read_order(open_file: Callable[[], BinaryIO], compiled: CompiledMapping) -> datetime | None:
    """The export's own time, by the mapping's `source.order`, in UTC; None when it names none.

    Reads the file as far as the value is. Raises UnreadableFileError when it is not there or names
    no moment: the order decides which of two files is newer, so it must not be guessed.
    """
    if compiled.order is None:
        return None
    return _moment(_read_early(open_file, compiled, compiled.order), compiled)


def read_exports(
    open_file: Callable[[], BinaryIO], compiled: CompiledMapping
) -> Literal["full", "delta"]:
    """Say whether a file holds everything or only changes, by the mapping's `source.exports`.

    Reads the file as far as the value is, where the file says it itself. Raises
    UnreadableFileError when it says neither: what is missing from a file must not be guessed.
    """
    said: object = compiled.mapping.file.source.exports
    if compiled.exports is not None:
        said = _read_early(open_file, compiled, compiled.exports)
    if said == "full":
        return "full"
    if said == "delta":
        return "delta"
    raise UnreadableFileError(
        f'`source.exports` reads "{said}", which is neither `full` nor `delta`: add a `map` step '
        "that makes one of them of it"
    )


def _read_early(
    open_file: Callable[[], BinaryIO], compiled: CompiledMapping, value: HeadValue
) -> str:
    stream = XmlStream(open_file=open_file, options=compiled.mapping.file.file)
    head = HeadDocument()
    for cut in stream.cuts(value.anchors):
        for inner in cut.flat():
            head.add(inner, shallow=all(value.anchors[number].shallow for number in inner.paths))
        found = head.evaluate([value])[value.name]
        if found:
            return found
    raise UnreadableFileError(f"`source.{value.name}` finds no value at {value.reader.label}")


def _moment(text: str, compiled: CompiledMapping) -> datetime:
    try:
        return export_moment(text, time_zone(compiled.mapping.file.source.time_zone))
    except Refusal as refusal:
        advice = f"; {refusal.advice}" if refusal.advice else ""
        raise UnreadableFileError(f'`source.order` reads "{text}": {refusal}{advice}') from refusal


class RecordReader(Iterator[SourceRecord]):
    """The records of a file, and what there is to say about the reading while it goes on.

    `records_read` counts records so far, `holes` those of them that could not be read; `repairs`
    counts what was repaired or passed over, by the name of the option under `file`.
    """

    def __init__(
        self,
        open_file: OpenFile,
        compiled: CompiledMapping,
        *,
        skip: int = 0,
        others: Mapping[str, OpenFile] | None = None,
        pulse: Callable[[], object] = lambda: None,
    ) -> None:
        self.records_read = self.holes = 0
        self._compiled = compiled
        self._skip = skip
        self._others = others or {}
        self._stream = XmlStream(
            open_file=open_file, options=compiled.mapping.file.file, pulse=pulse
        )
        self._plan = Plan.of(compiled)
        self._surroundings = _Surroundings(compiled, self._plan)
        self._groups: dict[tuple[int, ...], list[Group]] = {}
        self._skeletons = Skeletons()
        self._records = self._placed()

    @property
    def repairs(self) -> Mapping[str, int]:
        """How often each repair was made; complete when the file has been read."""
        return self._stream.repairs

    def notes(self) -> list[str]:
        """What there is to tell about a file that was not quite XML, a phrase for each."""
        holes = [f"records that could not be read: {self.holes}"] if self.holes else []
        return [*holes, *told(self.repairs)]

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
        for cut in stream.cuts(self._plan.paths):
            if cut.fault is not None:
                yield from self._hole(cut, cut.fault)
                continue
            for inner in cut.flat() if cut.inner else (cut,):
                groups = self._groups_of(inner)
                if not seen.head_is_known:
                    seen.collect(inner)
                    if groups:
                        seen.conclude(stream)
                for group in groups:
                    record = self._record(inner, group)
                    if record is not None:
                        yield record
        if self.records_read == 0:
            explain_no_records(stream, self._plan.record_paths)

    def _hole(self, cut: Cut, fault: UnreadableFileError) -> Iterator[SourceRecord]:
        """What stands for an element that is not well-formed, or for a spot between elements."""
        groups = self._groups_of(cut)
        if not groups and self._plan.serves(cut):
            raise fault  # products would silently lack a row or a value of the head
        self.records_read += 1
        self.holes += 1
        if self.records_read <= self._skip:
            return
        name = groups[0].names[0] if groups else next(iter(self._compiled.records))
        place = f" (line {fault.line}, column {fault.column})" if fault.line else ""
        yield SourceRecord(
            number=self.records_read, line=cut.line, rule=name, xml="", fault=f"{fault.what}{place}"
        )

    def _record(self, cut: Cut, group: Group) -> SourceRecord | None:
        self.records_read += 1
        if self.records_read <= self._skip:
            return None
        rule = group.record
        root = cut if group.within is None else self._plan.root_of(cut, group)
        skeleton = self._skeletons.of(root.ancestors, with_attributes=rule.sees_ancestors)
        record = SourceRecord(
            number=self.records_read,
            line=cut.line,
            rule=rule.name,
            xml=record_xml(cut, root, skeleton, leave_out=self._plan.leaves_out(rule)),
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


class Group(Struct, frozen=True, kw_only=True):
    """Record rules of one path: alternatives, of which an element goes to one."""

    names: tuple[str, ...]
    record: CompiledRecord
    path: int
    within: int | None


class Plan(Struct, kw_only=True):
    """Which paths are followed through the file, and what each of them is for."""

    paths: list[ElementPath] = field(default_factory=list)
    record_paths: list[ElementPath] = field(default_factory=list)
    head_paths: set[int] = field(default_factory=set)
    groups: dict[int, list[Group]] = field(default_factory=dict)
    tables: dict[int, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, compiled: CompiledMapping) -> Plan:
        plan = cls()
        for names in _alternatives(compiled):
            record = compiled.records[names[0]]
            path = plan._number(record.path)
            within = None if record.within is None else plan._number(record.within)
            group = Group(names=names, record=record, path=path, within=within)
            plan.groups.setdefault(path, []).append(group)
            plan.record_paths.append(record.path)
        for table in compiled.tables.values():
            if table.file is None:
                plan.tables.setdefault(plan._number(table.path), []).append(table.name)
        for value in compiled.head.values():
            plan.head_paths.update(plan._number(anchor) for anchor in value.anchors)
        return plan

    def _number(self, path: ElementPath) -> int:
        for number, known in enumerate(self.paths):
            if known.steps == path.steps and known.shallow == path.shallow:
                return number
        self.paths.append(path)
        return len(self.paths) - 1

    def groups_of(self, cut: Cut) -> list[Group]:
        return [group for number in cut.paths for group in self.groups.get(number, ())]

    def tables_of(self, cut: Cut) -> list[str]:
        return [name for number in cut.paths for name in self.tables.get(number, ())]

    def is_head(self, cut: Cut) -> bool:
        return any(number in self.head_paths for number in cut.paths)

    def serves(self, cut: Cut) -> bool:
        """Whether records may see something of the element."""
        return any(number in self.tables or number in self.head_paths for number in cut.paths)

    def root_of(self, cut: Cut, group: Group) -> Cut:
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


def _alternatives(compiled: CompiledMapping) -> list[tuple[str, ...]]:
    """Rules by path: one group of alternatives, and each rule with `continue` by itself."""
    groups: list[tuple[str, ...]] = []
    choices: dict[tuple[object, ...], list[str]] = {}
    for name, record in compiled.records.items():
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


class _Surroundings:
    """Head and tables of one file, as they become known; the head at its first record."""

    def __init__(self, compiled: CompiledMapping, plan: Plan) -> None:
        self.head: dict[str, str] = {}
        self.head_is_known = False
        self._compiled = compiled
        self._plan = plan
        self._document = HeadDocument()
        self._heads: dict[str, dict[str, str]] = {}
        self._tables = LookupTables(
            {name: tuple(table.columns) for name, table in compiled.tables.items()}
        )

    def read_other_files(self, stream: XmlStream, others: Mapping[str, OpenFile]) -> None:
        """Fill the tables of second files, which are read as the file of `stream` is.

        Each is read once, whatever tables it holds. Raises ConfigurationError for one that is not
        given, UnreadableFileError as reading does.
        """
        tables = [table for table in self._compiled.tables.values() if table.file is not None]
        for name in dict.fromkeys(table.file for table in tables):
            here = [table for table in tables if table.file == name]
            if name is None or name not in others:
                raise ConfigurationError(
                    f"the table {here[0].name} needs a second file named {name}; "
                    f"given: {', '.join(sorted(others)) or 'none'}"
                )
            try:
                for cut in stream.of(others[name]).cuts([table.path for table in here]):
                    for inner in cut.flat():
                        for number in inner.paths:
                            self._tables.fill(here[number], inner)
            except UnreadableFileError as error:
                raise UnreadableFileError(
                    f"in the second file {name}: {error.what}", line=error.line, column=error.column
                ) from error

    def read_all(self, stream: XmlStream) -> None:
        """Read tables and head from the whole file, before its records are read."""
        self._document = HeadDocument()
        for cut in stream.cuts(self._plan.paths):
            for inner in cut.flat():
                self.collect(inner)
                for name in self._plan.tables_of(inner):
                    self._tables.fill(self._compiled.tables[name], inner)
        self._evaluate()

    def collect(self, cut: Cut) -> None:
        """Keep what the head is read from."""
        found = [number for number in cut.paths if number in self._plan.head_paths]
        if found and not (cut.outer is not None and self._plan.is_head(cut.outer)):
            self._document.add(
                cut, shallow=all(self._plan.paths[number].shallow for number in found)
            )

    def conclude(self, stream: XmlStream) -> None:
        """At the first record: the head is known, or else is looked for in the whole file."""
        self._evaluate()
        used = {name for rule in self._compiled.records.values() for name in rule.head_names}
        if any(not self.head.get(name) for name in used):
            self.read_all(stream.again())

    def head_of(self, rule: CompiledRecord) -> dict[str, str]:
        """The head values that a rule uses: one dictionary for all its records."""
        found = self._heads.get(rule.name)
        if found is None:
            found = {name: self.head.get(name, "") for name in sorted(rule.head_names)}
            self._heads[rule.name] = found
        return found

    def with_rows(self, record: SourceRecord, names: tuple[str, ...]) -> SourceRecord:
        """Choose the record's rule, and give it the look-up rows and head values it needs."""
        rules = [self._compiled.records[name] for name in names]
        rows = NotedRows(self._tables)
        head = {name: self.head.get(name, "") for rule in rules for name in rule.head_names}
        seen = replace(record, rule=names[0], head=head)
        chosen = self._compiled.records[self._compiled.chosen(names, seen, rows)]
        record = replace(record, rule=chosen.name, head=self.head_of(chosen))
        if not chosen.table_names:
            return record
        rows = NotedRows(self._tables)
        self._compiled.rows_used(record, rows)
        return replace(record, tables=rows.noted)

    def _evaluate(self) -> None:
        self.head = self._document.evaluate(self._compiled.head.values())
        self.head_is_known = True
        self._heads.clear()
