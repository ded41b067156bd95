"""What an expression can see while one record is evaluated: values, variables, look-up rows."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, TypeAlias

from lxml import etree

from pim_connector.mapping.converters import Refusal, iso
from pim_connector.mapping.language import Whitespace
from pim_connector.mapping.numbers import plain
from pim_connector.mapping.xpath import Node, Select, Selected
from pim_connector.records import RECORD_MARK, Row

Value: TypeAlias = str | Decimal | bool | date
"""One value on its way; text until a step or the attribute's type reads it. "" means: empty."""

RowsOf: TypeAlias = Callable[[str, str], list[Row]]
Evaluate: TypeAlias = "Callable[[View, Node], list[Value]]"


class Dropped(str):
    """An empty value that the mapping dropped on purpose (`unknown: drop`)."""

    __slots__ = ()


DROPPED = Dropped()


class View(dict[str, str]):
    """The variables of one record: head values, and `let` values worked out when first used.

    Handed to XPath as its variables; `rows` gives the rows of a look-up table under a key; `notes`
    takes what is to be told about the record although it does no harm to it. `children` are the
    record's child elements by name: most rules ask for those and nothing else.
    """

    __slots__ = ("_let", "children", "notes", "record", "rows")

    def __init__(
        self, head: Mapping[str, str], let: Mapping[str, Evaluate], record: Node, rows: RowsOf
    ) -> None:
        super().__init__(head)
        self._let = let
        self.record = record
        self.rows = rows
        self.notes: list[str] = []
        self.children: dict[str, list[Node]] = {}
        for child in record:
            name = child.tag
            if name in self.children:
                self.children[name].append(child)
            else:
                self.children[name] = [child]

    def __missing__(self, name: str) -> str:
        evaluate = self._let.get(name)
        text = "" if evaluate is None else single_text(evaluate(self, self.record))
        self[name] = text
        return text


def to_text(value: Value) -> str:
    """A value as text: digits, true/false, ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return iso(value)


def present(values: list[Value]) -> list[Value]:
    """The values that are not empty; zero and false are values."""
    if len(values) == 1:
        return values if values[0] or values[0] != "" else []
    return [value for value in values if value != ""]


def single(values: list[Value]) -> Value | None:
    """The one value, or None where there is none. Raises Refusal for several different ones."""
    if len(values) == 1:
        return values[0] if values[0] or values[0] != "" else None
    found = present(values)
    if not found:
        return None
    if len(found) > 1 and any(value != found[0] for value in found):
        shown = ", ".join(to_text(value)[:40] for value in found[:4])
        raise Refusal(
            f"found {len(found)} values where one is expected; choose with an XPath predicate, "
            "or the steps first, last, index or join",
            shown,
        )
    return found[0]


def single_text(values: list[Value]) -> str:
    """The one value as text, "" where there is none. Raises Refusal for several different ones."""
    if len(values) == 1 and isinstance(values[0], str):
        return values[0] or ""
    value = single(values)
    return "" if value is None else to_text(value)


# The text of what an XPath selected: string value, inner markup, or name.


_STRING = etree.XPath("string()", smart_strings=False)
_VOID = frozenset(
    {
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    }
)
"""HTML elements that have no end tag (https://html.spec.whatwg.org/#void-elements)."""
_RUNS = re.compile(r"[ \t\r\n\u00a0]+")


def text_of(item: Selected) -> str:
    """The string value: all text inside, without comments; CDATA and escapes already read once."""
    if isinstance(item, str):
        return item
    return str(_STRING(item)) if len(item) else item.text or ""


def _markup_of(item: Selected) -> str:
    """What is inside the element, as markup without namespace declarations and prefixes.

    Text that was escaped HTML inside an element without children comes out as that HTML: it is
    markup once it is read.
    """
    if isinstance(item, str):
        return item
    if not any(isinstance(child.tag, str) for child in item):
        return text_of(item)
    parts: list[str] = []
    _write_inside(item, parts)
    return "".join(parts)


def collapse(text: str) -> str:
    """One space for each run of white space, none at the ends."""
    return _RUNS.sub(" ", text).strip(" ")


def texts_of(select: Select, take: Literal["text", "markup"], whitespace: Whitespace) -> Evaluate:
    """What a source makes of the things its expression selects."""
    if take == "text" and whitespace == "strip":
        return _stripped_texts(select)
    read = text_of if take == "text" else _markup_of
    if whitespace == "keep":
        return lambda view, node: [read(item) for item in select(node, view)]
    if whitespace == "collapse":
        return lambda view, node: [collapse(read(item)) for item in select(node, view)]
    return lambda view, node: [read(item).strip() for item in select(node, view)]


def _stripped_texts(select: Select) -> Evaluate:
    """The usual case, for every value of every record: hence without a call for each."""

    def texts(view: View, node: Node) -> list[Value]:
        return [
            (
                item
                if isinstance(item, str)
                else str(_STRING(item))
                if len(item)
                else item.text or ""
            ).strip()
            for item in select(node, view)
        ]

    return texts


def _write_inside(node: Node, parts: list[str]) -> None:
    parts.append(_escape(node.text or ""))
    for child in node:
        if isinstance(child.tag, str):
            name = etree.QName(child).localname
            attributes = "".join(
                f' {etree.QName(key).localname}="{_escape(str(value), in_attribute=True)}"'
                for key, value in child.attrib.items()
            )
            if len(child) or child.text or name.lower() not in _VOID:
                parts.append(f"<{name}{attributes}>")
                _write_inside(child, parts)
                parts.append(f"</{name}>")
            else:
                parts.append(f"<{name}{attributes}/>")
        parts.append(_escape(child.tail or ""))


def _escape(text: str, *, in_attribute: bool = False) -> str:
    """Not from xml.sax: that imports an HTTP client, 80 ms of a cold start."""
    escaped = html.escape(text, quote=False)
    return escaped.replace('"', "&quot;") if in_attribute else escaped


# The element of a record, read from the XML it travels as.


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
