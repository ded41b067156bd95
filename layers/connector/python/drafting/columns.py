"""Tables: rows whose cells have a place and no name, which a header or a list elsewhere names."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from drafting.rows import key_rows, literal
from drafting.sample import Element, Names
from drafting.statistics import Place, places_of
from drafting.values import kind_of

MOST_COLUMNS = 200


@dataclass(slots=True)
class Columns:
    """The condition that leaves the header row out, and whether cells say their column."""

    header: str | None
    gaps: bool


def spread_columns(top: Place, names: Names, root: Element) -> Columns | None:
    """Puts a place per column where the record is nothing but cells; None where it is not.

    Columns get the names of the header row, or of elements around that are as many and have names.
    """
    cell = top.elements[0] if len(top.elements) == 1 else None
    if cell is None or not 2 < cell.most <= MOST_COLUMNS:
        return None
    if sum(not inner.is_attribute for inner in cell.inside()) > 2 or key_rows(cell) is not None:
        return None
    rows: dict[int, list[Element]] = {}
    for record, node in cell.nodes:
        rows.setdefault(record, []).append(node)
    named = _named_around(root, cell.most)
    header = named is None and _has_header([*rows.values()], cell.most)
    if header:
        named = [_text(node) for node in rows.pop(next(iter(rows)))]
        top.nodes = top.nodes[1:]
    del top.below[cell.step]
    for n in range(cell.most):
        step = f"{cell.step}[{n + 1}]"
        cells = [(record, nodes[n]) for record, nodes in rows.items() if n < len(nodes)]
        column = places_of([node for _, node in cells], names, step)
        column.above, top.below[step] = top, column
        for place in (column, *column.inside()):
            place.texts = [(cells[at][0], text) for at, text in place.texts]
            place.nodes = [(cells[at][0], node) for at, node in place.nodes]
            place.named = named[n] if named else f"{cell.name}_{n + 1}"
            if place.is_attribute:
                place.texts, place.holders = [], []
    quoted = literal(named[0]) if header and named else None
    gaps = any(
        str(key).endswith(("Index", "MergeAcross")) for _, c in cell.nodes for key in c.attrib
    )
    return Columns(f"normalize-space({cell.step}[1]) != {quoted}" if quoted else None, gaps)


def _named_around(root: Element, width: int) -> list[str] | None:
    """Names that stand elsewhere: as many elements as there are columns, each with a name."""
    for parent in root.iter(etree.Element):
        children = list(parent.iterchildren(etree.Element))
        if len(children) == width:
            said = [v for c in children for k, v in c.attrib.items() if str(k).lower() == "name"]
            if len(set(said)) == width:
                return [str(name) for name in said]
    return None


def _has_header(rows: list[list[Element]], width: int) -> bool:
    """Whether the first row is names: a text for each column, over columns that are no texts."""
    names = [_text(node) for node in rows[0]]
    if len(rows) < 2 or len(names) != width or len({*names, ""}) <= width:
        return False
    below = [[_text(row[n]) for row in rows[1:] if n < len(row)] for n in range(width)]
    kinds = {kind_of("", [text for text in texts if text]).name for texts in below}
    names_are_texts = all(kind_of("", [name]).name == "text" for name in names)
    return names_are_texts and bool(kinds - {"text", "empty"})


def _text(node: Element) -> str:
    return " ".join("".join(str(text) for text in node.itertext()).split())
