"""The text of what an XPath selected: string value, inner markup, or name."""

from __future__ import annotations

import html
import re
from typing import Literal

from lxml import etree

from pim_connector.mapping.language import Whitespace
from pim_connector.mapping.selection import Node, Select, Selected
from pim_connector.mapping.view import Evaluate, Value, View

_STRING = etree.XPath("string()", smart_strings=False)
_XML_SPACE = " \t\r\n"
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


def markup_of(item: Selected) -> str:
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
    read = text_of if take == "text" else markup_of
    if whitespace == "keep":
        return lambda view, node: [read(item) for item in select(node, view)]
    if whitespace == "collapse":
        return lambda view, node: [collapse(read(item)) for item in select(node, view)]
    return lambda view, node: [read(item).strip(_XML_SPACE) for item in select(node, view)]


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
            ).strip(_XML_SPACE)
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
