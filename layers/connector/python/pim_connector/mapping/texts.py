"""The text of what an XPath selected: string value, inner markup, or name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from pim_connector.mapping.language import Whitespace
from pim_connector.mapping.xpaths import Node, Selected

TextOf: TypeAlias = Callable[[Selected], str]

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


TAKE: dict[str, TextOf] = {"text": text_of, "markup": markup_of}


def collapse(text: str) -> str:
    """One space for each run of white space, none at the ends."""
    return _RUNS.sub(" ", text).strip(" ")


def _strip(text: str) -> str:
    return text.strip(_XML_SPACE)


def _keep(text: str) -> str:
    return text


WHITESPACE: dict[Whitespace, Callable[[str], str]] = {
    "strip": _strip,
    "collapse": collapse,
    "keep": _keep,
}


def _write_inside(node: Node, parts: list[str]) -> None:
    parts.append(escape(node.text or ""))
    for child in node:
        if isinstance(child.tag, str):
            name = etree.QName(child).localname
            attributes = "".join(
                f" {etree.QName(key).localname}={quoteattr(str(value))}"
                for key, value in child.attrib.items()
            )
            if len(child) or child.text or name.lower() not in _VOID:
                parts.append(f"<{name}{attributes}>")
                _write_inside(child, parts)
                parts.append(f"</{name}>")
            else:
                parts.append(f"<{name}{attributes}/>")
        parts.append(escape(child.tail or ""))
