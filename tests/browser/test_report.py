"""The report of a run in a real browser: on a phone, on paper, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pim_connector.outcomes import STATES, Problem, RecordOutcome
from pim_connector.reports import Digest, report_page
from pim_connector.sync.runs import Run
from tests.browser.chromium import Page, browser, executable

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        executable() is None,
        reason="no Chromium on this machine; `make test-browser` installs Debian's as root",
    ),
]
RUN = Run(
    id="20261120T220000Z-erp-1a2b3c4d5e",
    source="erp",
    bucket="b",
    key="incoming/erp/" + "a-long-name-without-an-end-" * 3 + ".xml",
    version="f1a0067f-50a7-4565-ab8a-120cea9c66d4",
    size=1,
    order="o",
    turn="o",
    phase="finished",
    counts=dict.fromkeys(STATES, 0) | {"created": 600, "updated": 300, "rejected": 100},
    records=1_000,
    registered_at="2026-11-20T22:00:00Z",
    finished_at="2026-11-20T22:30:00Z",
)
CONTRAST = """
(() => {
  const light = text => {
    const parts = text.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  return Math.min(...[...document.querySelectorAll('p:not(.verdict), td, th, dt, dd, summary, h1')]
    .map(element => light(getComputedStyle(element).color))
    .map(text => (Math.max(text, page) + 0.05) / (Math.min(text, page) + 0.05)));
})()
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    digest = Digest()
    changed = ("an_attribute_with_a_name_that_does_not_end_soon" * 3, "price")
    for minute in range(40):
        outcome = RecordOutcome(number=1, line=1, state="updated", changed=changed)
        digest.count([outcome], 1_795_212_000 + 60 * minute)
    problem = Problem(reason="w" * 200, attribute="a" * 90, value="v" * 80, advice="correct it")
    for number in (1, 2):
        digest.explain(
            RecordOutcome(
                number=number, line=4, state="rejected", identifier="I" * 60, problems=(problem,)
            )
        )
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_page(RUN, digest, {1: f"<article>{'x' * 400}</article>"}))
    return file.as_uri()


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(tab: Page, report: str) -> Page:
    tab.open(report)
    return tab


@pytest.mark.parametrize("width", [320, 375, 800, 1500])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_its_screen_and_can_be_read_by_day_and_by_night(
    page: Page, width: int, dark: bool, tmp_path: Path
) -> None:
    page.show_as(width, dark=dark)
    page.picture(tmp_path / "report.png")

    assert page.ask("document.documentElement.scrollWidth") <= width
    background = page.ask("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 24, 29)") == dark
    assert page.ask(CONTRAST) >= 4.5


def test_it_loads_nothing_and_runs_nothing(page: Page) -> None:
    assert page.ask("performance.getEntriesByType('resource').length") == 0
    assert page.ask("document.scripts.length") == 0


def test_the_bars_are_as_long_as_the_numbers_say(page: Page) -> None:
    page.show_as(1000, dark=False)
    widths = page.ask(
        "[...document.querySelector('svg').querySelectorAll('rect')]"
        ".map(bar => bar.getBoundingClientRect().width)"
    )
    whole = page.ask("document.querySelector('svg').getBoundingClientRect().width")
    assert [round(width / whole, 2) for width in widths] == [0.6, 0.3, 0.1]


def test_every_picture_has_its_numbers_in_words(page: Page) -> None:
    silent = page.ask(
        "[...document.querySelectorAll('svg')]"
        ".filter(e => !e.ariaLabel && e.getAttribute('aria-hidden') !== 'true').length"
    )
    assert silent == 0


def test_on_paper_the_source_of_rejected_records_is_there_without_a_click(page: Page) -> None:
    shown = "document.querySelector('pre').innerText.includes('<article>')"
    page.call("Emulation.setEmulatedMedia", media="screen")
    assert not page.ask(shown)
    page.call("Emulation.setEmulatedMedia", media="print")
    try:
        page.wait_for(shown)
    finally:
        page.call("Emulation.setEmulatedMedia", media="")
