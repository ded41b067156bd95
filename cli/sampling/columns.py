"""Tables: rows whose cells have a place and no name, which a header or a list elsewhere names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cli.sampling.kinds import kind_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.rows import literal, pairs_of
from cli.sampling.shapes import Shape, look_at
from pim_connector.mapping.xpath import Node

LEAST_COLUMNS = 3
MOST_COLUMNS = 200


@dataclass(slots=True)
class Columns:
    """What was found: the condition that leaves the header row out, and whether cells have gaps."""

    header: str | None
    gaps: bool


def spread_columns(
    top: Shape, prefixes: Prefixes, records: int, around: Iterable[list[Node]]
) -> Columns | None:
    """Puts a place per column where the record is nothing but cells; None where it is not.

    Columns get the names of the header row, or of elements around that are as many and have names.
    """
    cell = top.elements[0] if len(top.elements) == 1 else None
    if cell is None or cell.most < LEAST_COLUMNS or cell.most > MOST_COLUMNS:
        return None
    if sum(not inner.is_attribute for inner in cell.inside()) > 2 + cell.markup:
        return None
    if pairs_of(cell, prefixes, records) is not None:
        return None
    rows: dict[int, list[Node]] = {}
    for record, node in cell.nodes:
        rows.setdefault(record, []).append(node)
    names = _named_around(around, cell.most)
    header = names is None and _has_header([*rows.values()], cell.most)
    first = next(iter(rows))
    if header:
        names = [_text(node) for node in rows.pop(first)]
    del top.below[cell.path]
    for n in range(cell.most):
        column = top.below[f"{cell.path}[{n + 1}]"] = Shape(f"{cell.path}[{n + 1}]", top)
        column.named = names[n] if names else f"{cell.name}_{n + 1}"
        look_at(column, [(r, cells[n]) for r, cells in rows.items() if n < len(cells)], prefixes)
        for inner in column.elements if len(column.elements) == 1 else ():
            inner.named = column.named
    quoted = literal(names[0]) if header and names else None
    gaps = any(str(key).rpartition("}")[2] == "Index" for _, c in cell.nodes for key in c.attrib)
    return Columns(f"normalize-space({cell.path}[1]) != {quoted}" if quoted else None, gaps)


def _named_around(around: Iterable[list[Node]], width: int) -> list[str] | None:
    """Names that stand elsewhere: as many elements as there are columns, each with a name."""
    for nodes in around:
        names = [str(v) for n in nodes for key, v in n.attrib.items() if str(key).lower() == "name"]
        if len(nodes) == len(names) == len(set(names)) == width:
            return names
    return None


def _has_header(rows: list[list[Node]], width: int) -> bool:
    """Whether the first row is names: a text for each column, over columns that are no texts."""
    names = [_text(node) for node in rows[0]]
    if len(rows) < 2 or len(names) != width or len({*names, ""}) <= width:
        return False
    below = [[_text(row[n]) for row in rows[1:] if n < len(row)] for n in range(width)]
    kinds = [kind_of("", [text for text in texts if text]).name for texts in below]
    return (
        all(kind_of("", [name]).name == "text" for name in names)
        and set(kinds)
        - {
            "text",
            "empty",
        }
        != set()
    )


def _text(node: Node) -> str:
    return " ".join("".join(str(text) for text in node.itertext()).split())
