"""Look-up tables in memory: rows by key, kept as small as text can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from sys import intern

from lxml import etree

from pim_connector.erp.cuts import Cut
from pim_connector.erp.fragments import Skeletons, record_xml
from pim_connector.erp.record import Row, Tables, UnreadableFileError
from pim_connector.mapping.compiled import CompiledTable
from pim_connector.mapping.context import View, record_node, single_text
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.xpath import Node

_BETWEEN_COLUMNS = "\x1f"
_BETWEEN_ROWS = "\x1e"
"""Control characters that XML does not allow, so no value holds them."""


class LookupTables:
    """The rows of all tables of a mapping.

    A row is one text of its columns: a dictionary entry and the characters, about 150 bytes and
    what the values hold, where a dictionary per row would cost three times that.
    """

    def __init__(self, columns: Mapping[str, Sequence[str]]) -> None:
        self._columns = {name: tuple(map(intern, names)) for name, names in columns.items()}
        self._rows: dict[str, dict[str, str]] = {name: {} for name in columns}

    def fill(self, table: CompiledTable, cut: Cut) -> None:
        """Add the rows that one element holds; a row without key is no row.

        Raises UnreadableFileError for a row that cannot be read: products would silently lack it.
        """
        if cut.fault is not None:
            raise cut.fault
        skeleton = Skeletons().of(cut.ancestors, with_attributes=table.sees_ancestors)
        try:
            node = record_node(record_xml(cut, cut, skeleton))
            view = View({}, {}, node, lambda _, __: [])
            for row in _rows(table, view, node):
                key = single_text(table.key.evaluate(view, row))
                if key:
                    values = [single_text(c.evaluate(view, row)) for c in table.columns.values()]
                    self.add(table.name, key, values)
        except (Refusal, etree.XMLSyntaxError) as error:
            raise UnreadableFileError(
                f"the table {table.name} has a row that cannot be read: {error}",
                line=cut.line,
                column=1,
            ) from error

    def add(self, table: str, key: str, values: Sequence[str]) -> None:
        """Add a row, values in the order of the columns; the same row twice is one row."""
        rows = self._rows[table]
        row = _BETWEEN_COLUMNS.join(values)
        known = rows.get(key)
        if known is None:
            rows[key] = row
        elif row not in known.split(_BETWEEN_ROWS):
            rows[key] = f"{known}{_BETWEEN_ROWS}{row}"

    def rows(self, table: str, key: str) -> list[Row]:
        """Return the rows under a key, in the order of the file; none for an unknown key."""
        packed = self._rows[table].get(key)
        if packed is None:
            return []
        names = self._columns[table]
        return [
            dict(zip(names, row.split(_BETWEEN_COLUMNS), strict=True))
            for row in packed.split(_BETWEEN_ROWS)
        ]

    def __len__(self) -> int:
        return sum(len(rows) for rows in self._rows.values())


class NotedRows:
    """Looks up, and notes every row that was asked for (and every key that has none)."""

    def __init__(self, tables: LookupTables) -> None:
        self._tables = tables
        self.noted: Tables = {}

    def __call__(self, table: str, key: str) -> list[Row]:
        noted = self.noted.setdefault(table, {})
        if key not in noted:
            noted[key] = self._tables.rows(table, key)
        return noted[key]


def _rows(table: CompiledTable, view: View, node: Node) -> list[Node]:
    if table.each is None:
        return [node]
    found = table.each.select(node, view)
    return [row for row in found if not isinstance(row, str)]
