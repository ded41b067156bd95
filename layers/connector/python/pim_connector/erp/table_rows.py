"""Reads the rows of look-up tables out of elements of a file."""

from __future__ import annotations

from lxml import etree

from pim_connector.erp.cuts import Cut
from pim_connector.erp.entities import Entities
from pim_connector.erp.fragments import Skeletons, record_xml
from pim_connector.erp.record import UnreadableFileError
from pim_connector.erp.tables import LookupTables
from pim_connector.mapping.compiled import CompiledTable
from pim_connector.mapping.context import View, record_node, single_text
from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.xpath import Node


def fill_table(table: CompiledTable, cut: Cut, tables: LookupTables, entities: Entities) -> None:
    """Adds the rows that one element holds; a row without key is no row.

    Raises UnreadableFileError for a row that cannot be read: products would silently lack it.
    """
    xml = record_xml(
        cut,
        cut,
        Skeletons().of(cut.ancestors, with_attributes=table.sees_ancestors),
        leave_out=lambda _: False,
        entities=entities,
    )
    try:
        node = record_node(xml)
        view = View({}, {}, node, lambda _, __: [])
        for row in _rows(table, view, node):
            key = single_text(table.key.evaluate(view, row))
            if key:
                values = [single_text(c.evaluate(view, row)) for c in table.columns.values()]
                tables.add(table.name, key, values)
    except (Refusal, etree.XMLSyntaxError) as error:
        raise UnreadableFileError(
            f"the table {table.name} has a row that cannot be read: {error}",
            line=cut.line,
            column=1,
        ) from error


def _rows(table: CompiledTable, view: View, node: Node) -> list[Node]:
    if table.each is None:
        return [node]
    found = table.each.select(node, view)
    return [row for row in found if not isinstance(row, str)]
