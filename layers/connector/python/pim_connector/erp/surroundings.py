"""What the records of a file can see of it: values of its head, and rows of look-up tables."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from pim_connector.erp.cuts import Cut
from pim_connector.erp.entities import Entities
from pim_connector.erp.fragments import HeadDocument
from pim_connector.erp.head import evaluate_head
from pim_connector.erp.plan import Plan
from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.erp.stream import OpenFile, XmlStream
from pim_connector.erp.table_rows import fill_table
from pim_connector.erp.tables import LookupTables, NotedRows
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.compiled import CompiledMapping, CompiledRecord


class Surroundings:
    """Head and tables of one file, as they become known; the head at its first record.

    `head` gives what is known of it beforehand, from an earlier reading of the same file.
    """

    def __init__(
        self, compiled: CompiledMapping, plan: Plan, head: dict[str, str] | None = None
    ) -> None:
        self.head = head or {}
        self.head_is_known = head is not None
        self._compiled = compiled
        self._plan = plan
        self._document = HeadDocument()
        self._heads: dict[str, dict[str, str]] = {}
        self._tables = LookupTables(
            {name: tuple(table.columns) for name, table in compiled.tables.items()}
        )

    def read_other_files(self, stream: XmlStream, others: Mapping[str, OpenFile]) -> None:
        """Fill the tables of second files, which are read as the file of `stream` is.

        Raises ConfigurationError for one that is not given, UnreadableFileError as reading does.
        """
        for table in self._compiled.tables.values():
            if table.file is None:
                continue
            if table.file not in others:
                raise ConfigurationError(
                    f"the table {table.name} needs a second file named {table.file}; "
                    f"given: {', '.join(sorted(others)) or 'none'}"
                )
            other = stream.of(others[table.file])
            try:
                for cut in other.cuts([table.path]):
                    for inner in cut.flat():
                        fill_table(table, inner, self._tables, other.entities)
            except UnreadableFileError as error:
                raise UnreadableFileError(
                    f"in the second file {table.file}: {error.what}",
                    line=error.line,
                    column=error.column,
                ) from error

    def read_all(self, stream: XmlStream) -> None:
        """Read tables and head from the whole file, before its records are read."""
        self._document = HeadDocument()
        for cut in stream.cuts(self._plan.paths):
            for inner in cut.flat():
                self.collect(inner, stream.entities)
                for name in self._plan.tables_of(inner):
                    fill_table(self._compiled.tables[name], inner, self._tables, stream.entities)
        self._evaluate()

    def collect(self, cut: Cut, entities: Entities) -> None:
        """Keep what the head is read from."""
        found = [number for number in cut.paths if number in self._plan.head_paths]
        if found and not (cut.outer is not None and self._plan.is_head(cut.outer)):
            shallow = all(self._plan.paths[number].shallow for number in found)
            self._document.add(cut, shallow=shallow, entities=entities)

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
        self.head = evaluate_head(self._compiled.head.values(), self._document)
        self.head_is_known = True
        self._heads.clear()
