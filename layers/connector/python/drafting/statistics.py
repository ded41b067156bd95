"""What elements hold: every place inside them, how often it is there, and its values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from drafting.sample import XSI, Element, Names
from drafting.words import plain

MOST_LETTERS = 500
MOST_DEPTH = 40
MOST_PLACES = 4_000


@dataclass(slots=True, eq=False)
class Place:
    """One path inside records: the nodes there by record, their texts, and how they repeat.

    `most` is the largest number in one parent. `named` is what a header calls the place, `kept`
    what was worked out about it once.
    """

    step: str
    above: Place | None = None
    below: dict[str, Place] = field(default_factory=dict)
    nodes: list[tuple[int, Element]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    holders: list[Element] = field(default_factory=list)
    most: int = 0
    parents: int = 0
    long: bool = False
    markup: bool = False
    named: str = ""
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The XPath from the record; `.` is the record itself."""
        if self.above is None:
            return self.step
        around = self.above.path
        return self.step if around == "." else f"{around}/{self.step}"

    @property
    def name(self) -> str:
        """What the place is called, without prefix and `@`."""
        return self.named or plain(self.step.rpartition(":")[2].rpartition("/")[2].lstrip("@"))

    @property
    def is_attribute(self) -> bool:
        return self.step.rpartition("/")[2].startswith("@")

    @property
    def values(self) -> list[str]:
        return [text for _, text in self.texts]

    @property
    def repeated(self) -> bool:
        return self.most > 1

    @property
    def elements(self) -> list[Place]:
        return [place for place in self.below.values() if not place.is_attribute]

    @property
    def attributes(self) -> list[Place]:
        return [place for place in self.below.values() if place.is_attribute]

    def inside(self) -> Iterator[Place]:
        """Every place below this one, in the order of the file."""
        for place in self.below.values():
            yield place
            yield from place.inside()

    def single(self) -> Iterator[Place]:
        """Places below with a value of which there is one in each of these."""
        for place in self.below.values():
            if not place.repeated:
                if place.texts:
                    yield place
                yield from place.single()

    def relative(self, outer: Place) -> str:
        """The XPath from a place around this one."""
        if self is outer:
            return "."
        return self.path if outer.path == "." else self.path[len(outer.path) + 1 :]

    def said(self) -> dict[int, str]:
        """The text by record, the first one where there are several."""
        found: dict[int, str] = {}
        for record, text in self.texts:
            found.setdefault(record, text)
        return found


def places_of(elements: Sequence[Element], names: Names, step: str = ".") -> Place:
    """The places inside elements that are alike: records, or rows of one record."""
    top, budget = Place(step), [MOST_PLACES]
    for number, element in enumerate(elements):
        _note(top, number, element, names, 0, budget)
    top.most, top.parents = 1, len(elements)
    for place in top.inside():
        if place.markup:
            place.below = {k: v for k, v in place.below.items() if v.is_attribute}
    return top


def _note(
    place: Place, record: int, node: Element, names: Names, depth: int, budget: list[int]
) -> None:
    place.nodes.append((record, node))
    _note_text(place, record, node)
    for key, value in node.attrib.items():
        if not str(key).startswith(f"{{{XSI}}}"):
            inner = _below(place, names.attribute(str(key)), budget)
            if inner is not None:
                inner.nodes.append((record, node))
                inner.most, inner.parents = 1, inner.parents + 1
                _note_value(inner, record, node, str(value).strip())
    steps = [(names.element(child), child) for child in node.iterchildren(etree.Element)]
    for step, count in Counter(step for step, _ in steps).items():
        inner = _below(place, step, budget)
        if inner is not None:
            inner.most, inner.parents = max(inner.most, count), inner.parents + 1
    for step, child in steps:
        inner = place.below.get(step)
        if inner is not None and depth < MOST_DEPTH:
            _note(inner, record, child, names, depth + 1, budget)


def _below(place: Place, step: str, budget: list[int]) -> Place | None:
    inner = place.below.get(step)
    if inner is None and budget[0] > 0:
        budget[0] -= 1
        inner = place.below[step] = Place(step, place)
    return inner


def _note_text(place: Place, record: int, node: Element) -> None:
    own = (node.text or "") + "".join(child.tail or "" for child in node)
    if not own.strip():
        return
    if len(node):
        place.markup = True
        own = "".join(str(part) for part in node.itertext())
    _note_value(place, record, node, own.strip())


def _note_value(place: Place, record: int, node: Element, text: str) -> None:
    if text:
        place.long = place.long or len(text) > MOST_LETTERS or "\n" in text
        place.texts.append((record, text[:MOST_LETTERS]))
        place.holders.append(node)


def rows_of(place: Place) -> list[tuple[int, dict[str, str]]]:
    """Each element of a place as a row: its single leaves by path from it, after its record."""
    rows: list[tuple[int, dict[str, str]]] = [(record, {}) for record, _ in place.nodes]
    numbers = {node: number for number, (_, node) in enumerate(place.nodes)}
    repeats = (p for p in place.elements if p.repeated and not p.elements)
    for leaf in (place, *place.single(), *repeats):
        relative = leaf.relative(place)
        for node, (_, text) in zip(leaf.holders, leaf.texts, strict=True):
            row: Element | None = node
            while row is not None and row not in numbers:
                row = row.getparent()
            if row is not None:
                rows[numbers[row]][1].setdefault(relative, text)
    return rows
