"""The page that a PIM manager opens in the morning."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from pim_connector.outcomes import STATES, Problem, RecordOutcome, State
from pim_connector.reports import SHOWN_RECORDS, Digest, report_page, verdict
from pim_connector.sync.runs import Run

FINISHED = Run(
    id="r1",
    source="erp",
    bucket="b",
    key="incoming/erp/night.xml",
    version="7",
    size=1,
    order="o",
    turn="o",
    phase="finished",
    counts=dict.fromkeys(STATES, 0) | {"created": 6, "updated": 2, "rejected": 2},
    records=10,
    registered_at="2026-11-20T22:00:00Z",
    finished_at="2026-11-20T22:30:00Z",
    file="done/erp/night.xml",
)


def rejected(number: int, reason: str, attribute: str | None = "price") -> RecordOutcome:
    problem = Problem(reason=reason, attribute=attribute, advice="correct it in the ERP")
    return RecordOutcome(
        number=number, line=number + 1, state="rejected", identifier="A", problems=(problem,)
    )


def ended(number: int, state: State, *changed: str) -> RecordOutcome:
    return RecordOutcome(number=number, line=number, state=state, changed=changed)


class Reader(HTMLParser):
    """Collects what a browser would show and load."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tags: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [f"{k}={v}" for k, v in attrs if k in ("src", "href", "srcset", "action")]
        self.loads += [f"{k}" for k, _ in attrs if k.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def test_the_page_says_what_came_in_why_not_and_what_changed() -> None:
    digest = Digest()
    digest.count(
        [ended(1, "updated", "name", "price"), ended(2, "updated", "price")], 1_795_212_000
    )
    digest.count([ended(3, "created")], 1_795_215_600)
    digest.explain(rejected(4, 'not a number: "12,x"'))
    text = " ".join(read(report_page(FINISHED, digest, {4: "<article>4</article>"})).text)
    for told in (
        "2 of 10 records could not be taken over. All others were dealt with; 8 changed the PIM.",
        "20 November 2026, 22:00 UTC",
        'not a number: "12,x"',
        "correct it in the ERP",
        "<article>4</article>",
        "30 minutes",
        "2026-11-20 22:00",
        "2026-11-20 23:00",
        "done/erp/night.xml",
    ):
        assert told in text, told


def test_a_night_is_told_in_hours_and_what_is_over_soon_in_minutes_without_gaps() -> None:
    soon, night = Digest(), Digest()
    for minute in (0, 3):
        soon.count([ended(1, "created")], 1_795_212_000 + 60 * minute)
    for hour in (0, 9):
        night.count([ended(1, "created")], 1_795_212_000 + 3600 * hour)
    assert [
        (at - 1_795_212_000, states["created"]) for at, states in soon.timeline()[1].items()
    ] == [
        (0, 1),
        (60, 0),
        (120, 0),
        (180, 1),
    ]
    step, told = night.timeline()
    assert step == 1800
    assert len(told) == 19
    assert sum(states["created"] for states in told.values()) == 2


def test_the_time_it_took_is_drawn_beside_the_least_that_the_pim_allows() -> None:
    page = report_page(
        replace(FINISHED, counts=FINISHED.counts | {"created": 20_000}), Digest(), {}
    )
    assert 'aria-label="This import: 30 minutes"><rect class="bar" width="100.00"' in page
    assert 'aria-label="At the PIM&#39;s limit: 5 minutes"' in page.replace("PIM's", "PIM&#39;s")
    assert '<rect class="limit" width="15.28"' in page


def test_records_stand_in_the_order_of_the_file_with_what_is_special_about_them() -> None:
    digest = Digest()
    problem = (Problem(reason="no such product yet", attribute="links"),)
    states: dict[int, State] = {9: "rejected", 4: "created", 7: "parked"}
    for number, state in states.items():
        digest.explain(
            RecordOutcome(
                number=number, line=number, state=state, identifier=f"A{number}", problems=problem
            )
        )
    text = " ".join(" ".join(read(report_page(FINISHED, digest, {})).text).split())
    assert (
        text.index("A4 went in, but not all of it") < text.index("A7 waits") < text.index("9 9 A9")
    )


def test_reasons_that_differ_in_the_value_only_are_one_reason() -> None:
    digest = Digest()
    for number, value in enumerate(("A1", "B2", "C3")):
        digest.explain(rejected(number, f'"{value}" is not in the map'))
    digest.explain(rejected(9, "380 characters, the attribute takes 255", attribute="name"))
    assert [(reason.attribute, reason.records) for reason in digest.top_reasons(5)] == [
        ("price", 3),
        ("name", 1),
    ]


def test_a_record_with_one_reason_in_two_locales_counts_once() -> None:
    digest = Digest()
    problems = tuple(Problem(reason=f"{n} characters", attribute="name") for n in (300, 400))
    digest.explain(RecordOutcome(number=1, line=1, state="rejected", problems=problems))
    assert [reason.records for reason in digest.top_reasons(5)] == [1]


def test_a_million_rejections_keep_a_page_small() -> None:
    digest = Digest()
    for number in range(5_000):
        digest.explain(rejected(number, f"text {chr(97 + number % 26) * (number % 2_600)}"))
    page = report_page(FINISHED, digest, {})
    assert len(digest.records) == SHOWN_RECORDS
    assert f"{5_000 - SHOWN_RECORDS:,}".replace(",", "\u202f") in page
    assert len(page) < 1_000_000


@pytest.mark.parametrize("place", ["identifier", "reason", "value", "xml", "key", "attribute"])
def test_markup_from_a_file_is_shown_and_never_run(place: str) -> None:
    attack = '<script>alert(1)</script><img src=x onerror=y>" onload="z'
    digest = Digest()
    problem = Problem(
        reason=attack if place == "reason" else "r",
        value=attack if place == "value" else None,
        attribute=attack if place == "attribute" else None,
    )
    name = attack if place == "identifier" else "A"
    digest.explain(
        RecordOutcome(number=1, line=1, state="rejected", identifier=name, problems=(problem,))
    )
    digest.count([ended(2, "updated", problem.attribute or "name")], 0)
    run = replace(FINISHED, key=attack) if place == "key" else FINISHED
    page = read(report_page(run, digest, {1: attack if place == "xml" else "<a/>"}))
    assert "script" not in page.tags
    assert "img" not in page.tags
    assert page.loads == []
    assert attack in " ".join(page.text)


@pytest.mark.parametrize(
    ("run", "tone"),
    [
        (replace(FINISHED, counts=FINISHED.counts | {"rejected": 0}, records=8), "good"),
        (FINISHED, "mixed"),
        (replace(FINISHED, records=0), "mixed"),
        (replace(FINISHED, finished_at=None), "mixed"),
        (replace(FINISHED, problem="the file ends too early"), "bad"),
    ],
)
def test_the_verdict_says_at_once_how_it_went(run: Run, tone: str) -> None:
    assert verdict(run)[0] == tone
