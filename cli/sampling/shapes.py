"""What the records of a sample hold: every place inside them, with its values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from cli.sampling.prefixes import Prefixes
from cli.sampling.sample import Element
from cli.sampling.words import plain

MOST_VALUES = 3_000
MOST_LETTERS = 500
MOST_DEPTH = 24
MOST_SHAPES = 3_000
REPEATED = "*"
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


@dataclass(slots=True, eq=False)
class Shape:
    """One place inside the record: an element (with its attributes and children) or an attribute.

    `path` is the XPath from the record; `values` are those that are not empty, long ones cut;
    `most` is the most of them in one parent, `owners` how many parents had any, `nodes` the
    elements themselves, each with the number of its record; `named` is what a column is called.
    """

    path: str
    above: Shape | None
    count: int = 0
    most: int = 0
    owners: int = 0
    empty: int = 0
    markup: bool = False
    long: bool = False
    values: list[str] = field(default_factory=list)
    below: dict[str, Shape] = field(default_factory=dict)
    nodes: list[tuple[int, Element]] = field(default_factory=list)
    named: str = ""

    @property
    def name(self) -> str:
        """The last step without prefix and `@`; the name of a column."""
        return self.named or plain(self.path.rpartition("/")[2].rpartition(":")[2].lstrip("@"))

    @property
    def is_attribute(self) -> bool:
        return self.path.rpartition("/")[2].startswith("@")

    @property
    def repeated(self) -> bool:
        """More than one in one parent."""
        return self.most > 1

    @property
    def elements(self) -> list[Shape]:
        return [shape for shape in self.below.values() if not shape.is_attribute]

    @property
    def attributes(self) -> list[Shape]:
        return [shape for shape in self.below.values() if shape.is_attribute]

    def inside(self) -> Iterator[Shape]:
        """Everything below, in document order."""
        for shape in self.below.values():
            yield shape
            yield from shape.inside()

    def note(self, text: str) -> None:
        """Remember a value."""
        if not text:
            self.empty += 1
        elif len(self.values) < MOST_VALUES:
            self.long = self.long or len(text) > MOST_LETTERS
            self.values.append(text[:MOST_LETTERS])

    def relative(self, to: Shape) -> str:
        """The XPath of this place from another one around it."""
        if self is to:
            return "."
        return self.path[len(to.path) + 1 :] if to.path != "." else self.path


def local(path: str) -> str:
    """The last step of an XPath, without prefix and `@`."""
    return path.rpartition("/")[2].rpartition(":")[2].lstrip("@")


def shape_of(elements: Iterable[Element], prefixes: Prefixes) -> Shape:
    """The shape of all records together."""
    builder = _Builder(prefixes)
    top = Shape(".", None)
    for element in elements:
        top.owners += 1
        builder.record += 1
        builder.look(element, top, 0)
    return top


def look_at(shape: Shape, nodes: list[tuple[int, Element]], prefixes: Prefixes) -> None:
    """Fills a place with elements that stand in it, each at most once in a record."""
    builder = _Builder(prefixes)
    shape.most = 1
    for record, node in nodes:
        shape.owners += 1
        builder.record = record
        builder.look(node, shape, 1)


@dataclass(slots=True)
class _Builder:
    prefixes: Prefixes
    shapes: int = 0
    record: int = 0

    def look(self, element: Element, shape: Shape, depth: int) -> None:
        shape.count += 1
        if len(shape.nodes) < MOST_VALUES:
            shape.nodes.append((self.record, element))
        for name, value in element.attrib.items():
            if str(name).startswith(XSI):
                continue
            attribute = self._below(shape, self.prefixes.of_attribute(str(name)))
            if attribute is not None:
                attribute.count += 1
                attribute.most = 1
                attribute.owners += 1
                attribute.note(str(value).strip())
        children = [child for child in element if isinstance(child.tag, str)]
        text = "".join(t for t in (element.text, *(c.tail for c in element)) if t).strip()
        shape.markup = shape.markup or bool(text and children)
        if text or not children:
            shape.note(text)
        self._children(children, shape, depth)

    def _children(self, children: list[Element], shape: Shape, depth: int) -> None:
        met: dict[str, int] = {}
        for child in children if depth < MOST_DEPTH else ():
            step = self.prefixes.of_tag(str(child.tag))
            below = self._below(shape, step)
            if below is None:
                continue
            met[step] = met.get(step, 0) + 1
            self.look(child, below, depth + 1)
        for step, times in met.items():
            shape.below[step].owners += 1
            shape.below[step].most = max(shape.below[step].most, times)

    def _below(self, shape: Shape, step: str) -> Shape | None:
        found = shape.below.get(step)
        if found is None and self.shapes < MOST_SHAPES:
            self.shapes += 1
            path = step if shape.path == "." else f"{shape.path}/{step}"
            found = shape.below[step] = Shape(path, shape)
        return found


def row_of(node: Element, prefixes: Prefixes) -> dict[str, str]:
    """The single values of a row by their XPath from it: its text, attributes, descendants.

    Of repeats inside the row the first counts, and `REPEATED` + its XPath is there as well.
    """
    row: dict[str, str] = {}
    _fill(row, node, "", prefixes, 0)
    return row


def _fill(row: dict[str, str], node: Element, at: str, prefixes: Prefixes, depth: int) -> None:
    for name, value in node.attrib.items():
        if not str(name).startswith(XSI):
            leaf = f"{at}{prefixes.of_attribute(str(name))}"
            if leaf in row:
                row[REPEATED + leaf] = str(value).strip()
            row.setdefault(leaf, str(value).strip())
    children = [child for child in node if isinstance(child.tag, str)]
    text = (node.text or "").strip()
    if text or not children:
        leaf = at.rstrip("/") or "."
        if leaf in row:
            row[REPEATED + leaf] = text
        row.setdefault(leaf, text)
    for child in children if depth < 4 else ():
        _fill(row, child, f"{at}{prefixes.of_tag(str(child.tag))}/", prefixes, depth + 1)
