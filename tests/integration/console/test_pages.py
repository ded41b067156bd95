"""The console's pages on a stack in the emulated AWS, with a simulated PIM."""

from __future__ import annotations

import html
import re

from tests.integration.console.visit import Console
from tests.integration.shop import export, item

PAGES = (
    "/",
    "/runs",
    "/approvals",
    "/products",
    "/products?identifier=p1",
    "/sources",
    "/sources/shop",
    "/sources/new",
    "/studio",
    "/studio/shop",
    "/studio/shop/versions",
    "/assets",
    "/settings",
    "/settings/checks",
    "/help",
    "/help/mapping",
    "/start",
)
ATTACK = "<script>alert(1)</script>"
KILOBYTES = 60


def of_run(run: str) -> tuple[str, ...]:
    return (f"/runs/{run}", f"/runs/{run}/changes", f"/runs/{run}/revert", f"/runs/{run}/records/2")


def bad_night(console: Console, name: str = "export.xml") -> str:
    """Import a file of two products, one of which the PIM refuses; return the run."""
    return console.nights.night(name, export(item(1), item(2, code="far too long" * 40))).id


def test_every_page_opens_on_an_empty_stack_with_a_title_and_says_what_to_do(
    console: Console,
) -> None:
    for path in PAGES:
        answered = console.get(path)
        assert answered.status in (200, 303), (path, html.unescape(answered.text))
        if answered.status == 200:
            assert len(re.findall("<h1", answered.text)) == 1 or path.startswith("/help/"), path
            assert 'aria-label="Breadcrumb"' in answered.text, path
            assert len(answered.text.encode()) < KILOBYTES * 1_000, path
            foreign = r'(src|href)="(https?:)?//'
            assert path.startswith("/help/") or not re.search(
                foreign, answered.text.replace(_pim(console), "/")
            ), path


def _pim(console: Console) -> str:
    from functions.console import handler

    return handler.parts().settings.akeneo_url


def test_pages_of_a_run_show_what_came_in_what_was_rejected_and_what_was_changed(
    console: Console,
) -> None:
    run = bad_night(console)
    texts = {path: console.get(path) for path in of_run(run)}
    assert {answered.status for answered in texts.values()} == {200}, texts
    shown = html.unescape(texts[f"/runs/{run}"].text)
    assert "ok with rejects" in shown
    assert "code" in shown
    changed = texts[f"/runs/{run}/changes"].text
    assert "Boot 1" in changed
    assert "p1" in changed
    assert "<sku>p2</sku>" in html.unescape(texts[f"/runs/{run}/records/2"].text)
    today = html.unescape(console.get("/").text)
    assert "export.xml" in today
    assert "Rejected most" in today
