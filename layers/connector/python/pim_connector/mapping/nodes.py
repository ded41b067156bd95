"""The element of a record, read from the XML it travels as."""

from __future__ import annotations

from lxml import etree

from pim_connector.erp.record import RECORD_MARK
from pim_connector.mapping.selection import Node


def record_node(xml: str) -> Node:
    """The record's element inside its skeleton: the one after the mark; the root without mark."""
    root = etree.fromstring(xml, _PARSER)
    if _is_mark(root.getprevious()):
        return root
    node = root
    while len(node):
        node = node[0]
        if _is_mark(node):
            break
    else:
        node = next((found for found in root.iter(etree.PI) if _is_mark(found)), root)
    after = node.getnext()
    return root if after is None else after


def _is_mark(node: Node | None) -> bool:
    return isinstance(node, etree._ProcessingInstruction) and node.target == RECORD_MARK


_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True
)
"""For records only: they hold no DTD and no entity, and the reader has bounded their size."""
