"""The documents, carried by the console: each page's Help goes to the section about it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from pim_connector.console.exchange import Call, Reply, missing
from pim_connector.console.rendering import HERE, page

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

DOCUMENTS: Final = {
    "for-product-managers": "For product managers",
    "mapping": "The mapping language",
    "mapping-walkthrough": "A mapping, step by step",
    "operations": "Operations",
    "limits": "Known limits",
}
_LINK: Final = re.compile(r"^(?:\.\./)?(?:docs/)?([a-z-]+)\.md(#.*)?$")


def index(parts: Parts, call: Call) -> Reply:
    """List the documents."""
    return page("help.html", call, parts, documents=DOCUMENTS)


def document(parts: Parts, call: Call) -> Reply:
    """Show one document."""
    name = call.names["document"]
    if name not in DOCUMENTS:
        raise missing("document")
    return page(
        "document.html",
        call,
        parts,
        name=name,
        title=DOCUMENTS[name],
        text=Markup(rendered(name)),  # noqa: S704  our own text; HTML in it is escaped
    )


@cache
def rendered(name: str) -> str:
    """Return a document as HTML; its headings get the anchors that GitHub gives them."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((HERE / "documents" / f"{name}.md").read_text("utf-8"))
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[place + 1].content))
        for child in token.children or ():
            if child.type == "image":
                child.type, child.tag, child.content = "text", "", ""
            if child.type == "link_open":
                child.attrSet("href", _address(str(child.attrGet("href") or "")))
        if token.type in ("table_open", "fence"):
            token.attrSet("tabindex", "0")
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html.replace("<th></th>", "<td></td>")  # a table without headings heads nothing


def anchor(heading: str) -> str:
    """Return the anchor of a heading. Pure."""
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.strip().replace(" ", "-")


def _address(link: str) -> str:
    found = _LINK.match(link)
    if found and found[1] in DOCUMENTS:
        return f"/help/{found[1]}{found[2] or ''}"
    return link if link.startswith(("#", "https://", "http://")) else "/help"
