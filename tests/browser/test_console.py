"""The console in a real browser: every page, on phone and desk, day and night, by keyboard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Page, browser, executable
from tests.browser.console_world import World, world

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        executable() is None,
        reason="no Chromium on this machine; `make test-browser` installs Debian's as root",
    ),
]
ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / ".local" / "pictures"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = {
    "phone-dark": (390, True),
    "small": (900, False),
    "desk": (1280, False),
    "wide-dark": (1600, True),
}
RESULT = "document.querySelector('#result').innerText"
RECORD = "document.querySelector('#record').innerText"
PUT_CURSOR_BEHIND = """
(text => {
  const mapping = document.querySelector('#mapping');
  const place = mapping.value.indexOf(text) + text.length;
  mapping.focus();
  mapping.setSelectionRange(place, place);
})(%r)
"""


@pytest.fixture(scope="module")
def here() -> Iterator[World]:
    with world() as found:
        yield found


@pytest.fixture(scope="module")
def tab(here: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        here.sign_in(page)
        yield page


@pytest.fixture
def studio(here: World, tab: Page) -> Page:
    tab.show_as(1280, dark=False)
    tab.open(here.url + here.pages()["studio"].replace("record=39", "record=1"))
    tab.wait_for("document.querySelector('.gutter').childNodes.length > 0")
    return tab


def names() -> list[str]:
    empty = World(url="", console=None, run="", held="", file="")  # type: ignore[arg-type]  # only names
    return list(empty.pages())


def violations(page: Page) -> list[str]:
    """Ask axe-core what is wrong with a page."""
    page.ask(AXE.read_text("utf-8") + "; 0")
    said = page.call(
        "Runtime.evaluate",
        expression="axe.run().then(found => JSON.stringify(found.violations.map(each => "
        "[each.id, each.nodes.map(node => node.html.slice(0, 200))])))",
        awaitPromise=True,
        returnByValue=True,
    )
    found: list[Any] = json.loads(said["result"]["value"])
    return [f"{rule}: {nodes}" for rule, nodes in found]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", names())
def test_every_page_fits_every_screen_and_is_accessible(
    here: World, tab: Page, name: str, screen: str
) -> None:
    width, dark = SCREENS[screen]
    tab.show_as(width, dark=dark)
    tab.open(here.url + here.pages()[name])
    tab.wait_for("document.readyState === 'complete'")
    tab.whole_picture(PICTURES / f"{name}-{screen}.png", width)

    assert tab.ask("document.documentElement.scrollWidth") <= width
    assert AXE.exists(), "run `npm ci --prefix tests/browser`: accessibility is not checked"
    assert violations(tab) == []


@pytest.mark.parametrize("name", names())
def test_a_page_asks_nobody_but_the_console(here: World, tab: Page, name: str) -> None:
    tab.open(here.url + here.pages()[name])
    tab.wait_for("document.readyState === 'complete'")
    asked = tab.ask("performance.getEntriesByType('resource').map(each => each.name)")
    assert [each for each in asked if not each.startswith(here.url)] == []


@pytest.mark.parametrize("name", names())
def test_everything_on_a_page_is_reached_by_keyboard(here: World, tab: Page, name: str) -> None:
    """In the order of the page, with a ring around what has the focus."""
    tab.show_as(1280, dark=False)
    tab.open(here.url + here.pages()[name])
    reachable = "a[href], button:not(:disabled), input:not([type=hidden]):not(:disabled), select, "
    wanted = tab.ask(
        f"[...document.querySelectorAll({reachable + 'textarea:not([hidden])'!r})]"
        ".filter(each => each.getClientRects().length && each.tabIndex < 0).length"
    )
    assert wanted == 0
    tab.press("Tab")
    assert tab.ask("document.activeElement.tagName") == "A"
    assert tab.ask("getComputedStyle(document.activeElement).outlineStyle") != "none"


def test_values_of_an_export_never_run_as_markup(here: World, tab: Page) -> None:
    for name in ("today", "studio", "record", "run"):
        tab.open(here.url + here.pages()[name])
        assert tab.ask("document.querySelectorAll('img').length") == 0, name
        assert "PIM connector" in tab.ask("document.title")
    assert "onerror" in tab.ask("document.body.innerText + document.body.textContent")


def test_what_is_typed_into_the_mapping_changes_the_product(studio: Page) -> None:
    assert "Winter boot 1" in studio.ask(RESULT)
    studio.ask(PUT_CURSOR_BEHIND % "values: {name: ")
    studio.type("sku, other: ")

    studio.wait_for(f"{RESULT}.includes('other')")
    assert studio.ask("document.activeElement.tagName") == "TEXTAREA"


def test_a_mistake_is_shown_with_its_line_which_leads_to_it(studio: Page) -> None:
    studio.ask(PUT_CURSOR_BEHIND % "path: /items/item")
    studio.type("\n    pth: x")
    studio.wait_for(f"{RESULT}.includes('pth')")
    assert studio.ask("document.querySelector('.gutter .bad').textContent") == "6"

    studio.ask("document.querySelector('#result [data-line]').click()")

    chosen = studio.ask(
        "(m => m.value.slice(m.selectionStart, m.selectionEnd))(document.querySelector('#mapping'))"
    )
    assert "pth: x" in chosen
    assert "p1" in studio.ask(RECORD), "the record stays while the mapping is fixed"


def test_a_key_of_the_language_is_completed(studio: Page) -> None:
    studio.wait_for("performance.getEntriesByName(location.origin + '/studio-words').length")
    studio.ask(PUT_CURSOR_BEHIND % "path: /items/item")
    studio.type("\n    pare")
    studio.wait_for("document.querySelector('.suggestions').textContent === 'parent'")
    studio.press(" ", code="Space", ctrl=True)
    assert "\n    parent: " in studio.ask("document.querySelector('#mapping').value")


def test_next_and_previous_work_from_the_keyboard_and_keep_the_focus(studio: Page) -> None:
    studio.ask("document.querySelector('#record [value=next]').focus()")
    for number in (2, 3):
        studio.press_enter()
        studio.wait_for(f"document.querySelector('#number').value === '{number}'")
        studio.wait_for("document.activeElement.value === 'next'")


def test_the_next_rejected_record_is_found(studio: Page) -> None:
    studio.ask("document.querySelector('#record [value=rejected]').click()")
    studio.wait_for("document.querySelector('#number').value === '39'")
    assert "rejected" in studio.ask(RESULT)


def test_a_run_on_hold_is_approved_by_hand(here: World, tab: Page) -> None:
    """The last test of this file: it changes what the others look at."""
    tab.open(f"{here.url}/approvals")
    tab.follow("See what it would do")
    tab.follow("Approve")
    tab.ask("document.querySelector('#sure').scrollIntoView()")
    tab.follow("Yes, disable them")
    tab.wait_for("document.body.innerText.includes('Approved. It is on its way.')")
    here.console.nights.rest()
    tab.open(f"{here.url}/approvals")
    assert "Nothing waits for you" in tab.ask("document.body.innerText")
    assert "julia" in tab.ask("document.querySelector('.acts').innerText")
