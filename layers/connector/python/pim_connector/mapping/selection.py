"""What a compiled expression selects in a record, and the plain case of it: child elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeAlias

from lxml import etree

from pim_connector.erp.paths import WHATEVER

Node: TypeAlias = etree._Element
Selected: TypeAlias = "Node | str"


class Seen(Protocol):
    """The variables of a record by their names, and its children by theirs."""

    def __getitem__(self, name: str, /) -> str: ...

    @property
    def record(self) -> Node: ...

    @property
    def children(self) -> Mapping[str, list[Node]]: ...


Select: TypeAlias = Callable[[Node, Seen], Sequence[Selected]]


def plain_select(steps: Sequence[str], attribute: str | None) -> Select:
    """Select by child steps and perhaps an attribute at the end, as XPath does.

    Nearly all values of nearly all mappings are read so, hence without XPath. The children of the
    record itself are known by name; of no other element it would pay to sort them.
    """
    if not steps:
        return _itself if attribute is None else _attribute_of_itself(attribute)
    first, *further = steps
    is_name = not first.startswith(WHATEVER)

    def children(node: Node, seen: Seen) -> list[Node]:
        if is_name and node is seen.record:
            return seen.children.get(first, [])
        return [*node.iterchildren(first)]

    if attribute is None and not further:
        return children

    def walk(node: Node, seen: Seen) -> Sequence[Selected]:
        nodes = children(node, seen)
        for step in further:
            nodes = [child for parent in nodes for child in parent.iterchildren(step)]
        if attribute is None:
            return nodes
        return [value for found in nodes if (value := found.get(attribute)) is not None]

    return walk


def _itself(node: Node, _: Seen) -> Sequence[Selected]:
    return [node]


def _attribute_of_itself(name: str) -> Select:
    def select(node: Node, _: Seen) -> Sequence[Selected]:
        value = node.get(name)
        return [] if value is None else [value]

    return select
