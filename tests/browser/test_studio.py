"""The mapping studio in a real browser: keys are pressed and the page changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.desk.app import create_app
from local.desk.connection import Connection
from local.desk.studio import Studio
from simulators.akeneo.server import serve
from tests.browser.chromium import Page, browser, executable

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        executable() is None,
        reason="no Chromium on this machine; `make test-browser` installs Debian's as root",
    ),
]
RESULT = "document.querySelector('#result').innerText"
RECORD = "document.querySelector('#record').innerText"
PUT_CURSOR_BEHIND = """
(text => {
  const mapping = document.querySelector('textarea');
  const place = mapping.value.indexOf(text) + text.length;
  mapping.focus();
  mapping.setSelectionRange(place, place);
})(%r)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    connection = Connection(tmp_path_factory.mktemp("no-stack") / "stack.json")
    studio = Studio(connection)
    with serve(create_app(connection, studio)) as served:
        yield served
    studio.close()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(tab: Page, url: str) -> Page:
    tab.open(f"{url}/studio")
    return tab


def test_what_is_typed_into_the_mapping_changes_the_payload(page: Page) -> None:
    assert '"code": "STYLE-JACKET-001"' in page.ask(RESULT)
    page.ask(PUT_CURSOR_BEHIND % "materials: { from: material, steps: [lower")
    page.type(", { replace: cotton, with: linen }")

    page.wait_for(f"{RESULT}.includes('linen')")
    assert page.ask("document.activeElement.tagName") == "TEXTAREA"


def test_a_mistake_is_shown_with_its_line_which_leads_to_it(page: Page) -> None:
    page.ask(PUT_CURSOR_BEHIND % "path: /export/styles/style")
    page.type("\n    pth: x")
    page.wait_for(f"{RESULT}.includes('pth')")

    page.ask("document.querySelector('#result [data-line]').click()")

    chosen = page.ask(
        "getSelection().toString() || (m => m.value.slice(m.selectionStart, "
        "m.selectionEnd))(document.querySelector('textarea'))"
    )
    assert "pth: x" in chosen
    assert "STYLE-JACKET-001" in page.ask(RECORD), "the record stays while the mapping is mended"


def test_next_and_previous_work_from_the_keyboard_and_keep_the_focus(page: Page) -> None:
    page.ask("document.querySelector('#record [value=next]').focus()")
    for number in (2, 3):
        page.press_enter()
        page.wait_for(f"document.querySelector('#number').value === '{number}'")
        page.wait_for("document.activeElement.value === 'next'")


def test_markup_in_a_value_never_runs(page: Page) -> None:
    page.ask(PUT_CURSOR_BEHIND % "materials: { from: material, steps: [lower")
    page.type(", { replace: cotton, with: '<img src=x onerror=document.title=1>' }")
    page.wait_for(f"{RESULT}.includes('<img src=x onerror')")

    assert page.ask("document.querySelectorAll('img').length") == 0
    assert "studio" in page.ask("document.title")


@pytest.mark.parametrize("width", [360, 800, 1500])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_its_screen_by_day_and_by_night(
    page: Page, width: int, dark: bool, tmp_path: Path
) -> None:
    page.show_as(width, dark=dark)
    page.picture(tmp_path / "studio.png")

    assert page.ask("document.documentElement.scrollWidth") <= width
    background = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 24, 30)") == dark


def test_everything_that_takes_input_has_a_name(page: Page) -> None:
    unnamed = page.ask(
        "[...document.querySelectorAll('input, select, textarea')].filter(e => !e.labels.length)"
        ".map(e => e.outerHTML).join()"
    )
    assert unnamed == ""
