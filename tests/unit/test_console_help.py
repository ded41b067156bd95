"""Help: the documents as the console shows them."""

from __future__ import annotations

import re
from pathlib import Path

from pim_connector.console.help_pages import DOCUMENTS, LONGEST, sections

TEMPLATES = Path(__file__).resolve().parents[2] / (
    "layers/connector/python/pim_connector/console/templates"
)


def test_every_document_is_shown_in_pages_of_bearable_size_with_links_that_lead_somewhere() -> None:
    for name in DOCUMENTS:
        found = sections(name)
        anchors = set(re.findall(r'<h\d id="([^"]+)"', "".join(s.html for s in found)))
        assert max(len(section.html) for section in found) <= LONGEST, name
        for section, link in re.findall(
            rf'href="/help/{name}\?section=([^"#]*)#([^"]+)"', "".join(s.html for s in found)
        ):
            assert link in anchors, (name, link)
            assert section in {s.anchor for s in found}, (name, link)


def test_help_on_every_page_goes_to_a_section_that_is_there() -> None:
    anchors = {section.anchor for section in sections("for-product-managers")}
    for template in TEMPLATES.glob("*.html"):
        for wanted in re.findall(r"block help %}([^{]+){%", template.read_text("utf-8")):
            assert wanted in anchors, (template.name, wanted)


def test_html_in_a_document_stays_text() -> None:
    from markdown_it import MarkdownIt

    assert "<b>" not in MarkdownIt("commonmark", {"html": False}).render("a <b>bold</b> word")
