"""The documents, carried by the console: each page's Help goes to the section about it."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from markupsafe import Markup
from msgspec import Struct

from pim_connector.console.exchange import Call, Reply, missing
from pim_connector.console.rendering import HERE, page

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from pim_connector.console.parts import Parts

DOCUMENTS: Final = {
    "for-product-managers": "For product managers",
    "mapping": "The mapping language",
    "mapping-walkthrough": "A mapping, step by step",
    "operations": "Operations",
    "limits": "Known limits",
}
LONGEST: Final = 45_000
"""Characters of HTML that a page of Help may have; a longer document is shown by sections."""
_LINK: Final = re.compile(r"^(?:\.\./)?(?:docs/)?([a-z-]+)\.md(#.*)?$")


def index(parts: Parts, call: Call) -> Reply:
    """List the documents."""
    return page("help.html", call, parts, documents=DOCUMENTS)


class Section(Struct, frozen=True, kw_only=True):
    """One second-level section of a document."""

    title: str
    anchor: str
    html: str


def document(parts: Parts, call: Call) -> Reply:
    """Show one document; of a long one a section, with the way to the others."""
    name = call.names["document"]
    if name not in DOCUMENTS:
        raise missing("document")
    found = sections(name)
    whole = sum(len(section.html) for section in found) <= LONGEST
    wanted = call.query.get("section", "")
    shown = [s for s in found if whole or s.anchor == wanted] or [found[0]]
    return page(
        "document.html",
        call,
        parts,
        name=name,
        title=DOCUMENTS[name],
        contents=[] if whole else found,
        shown=shown[0].anchor,
        text=Markup("".join(s.html for s in shown)),  # noqa: S704  our own; HTML in it is escaped
    )


@cache
def sections(name: str) -> tuple[Section, ...]:
    """Return a document as HTML, by second-level headings.

    Headings get the anchors that GitHub gives them.
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse((HERE / "documents" / f"{name}.md").read_text("utf-8"))
    starts = [0]
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", anchor(tokens[place + 1].content))
            if token.tag == "h2":
                starts.append(place)
        if token.type in ("table_open", "fence"):
            token.attrSet("tabindex", "0")
    chapters = [tokens[a:b] for a, b in pairwise([*starts, len(tokens)]) if b > a]
    where = {
        str(token.attrGet("id")): _first_anchor(chapter)
        for chapter in chapters
        for token in chapter
        if token.type == "heading_open"
    }
    return tuple(_section(chapter, parser, name, where) for chapter in chapters)


def _first_anchor(chapter: list[Token]) -> str:
    heading = next(token for token in chapter if token.type == "heading_open")
    return str(heading.attrGet("id"))


def _section(chapter: list[Token], parser: MarkdownIt, name: str, where: dict[str, str]) -> Section:
    place = next(p for p, token in enumerate(chapter) if token.type == "heading_open")
    for child in (child for token in chapter for child in token.children or ()):
        if child.type == "image":
            child.type, child.tag, child.content = "text", "", ""
        if child.type == "link_open":
            child.attrSet("href", _address(str(child.attrGet("href") or ""), name, where))
    html = parser.renderer.render(chapter, parser.options, {})
    return Section(
        title=chapter[place + 1].content.replace("`", ""),
        anchor=_first_anchor(chapter),
        html=str(html).replace("<th></th>", "<td></td>"),  # without headings it heads nothing
    )


def anchor(heading: str) -> str:
    """Return the anchor of a heading. Pure."""
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.strip().replace(" ", "-")


def _address(link: str, name: str, where: dict[str, str]) -> str:
    if link.startswith("#"):
        return f"/help/{name}?section={where.get(link[1:], '')}{link}"
    found = _LINK.match(link)
    if found and found[1] in DOCUMENTS:
        return f"/help/{found[1]}{found[2] or ''}"
    return link if link.startswith(("https://", "http://")) else "/help"
