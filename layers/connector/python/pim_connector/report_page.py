"""The report of a run as one HTML page for people, without anything from elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pim_connector.report_digest import Digest
from pim_connector.runs.run import Run
from pim_connector.states import FINAL_STATES, RecordOutcome

if TYPE_CHECKING:
    from jinja2 import Template

WORDS: Final = {
    "created": "new in the PIM",
    "updated": "changed in the PIM",
    "unchanged": "the PIM had it so already, nothing was sent",
    "superseded": "left alone: a newer file has something to say about it",
    "filtered": "left out on purpose, as the mapping says",
    "rejected": "not taken over; the reasons are below",
    "parked": "waiting for their product model, or with links for the rest of the file",
}
KINDS: Final = {
    "replay": "Records sent again",
    "rewind": "An import undone",
    "withdrawal": "Products that left an export",
}
SECONDS_A_PRODUCT: Final = 0.055
CALLS_AT_ONCE: Final = 4
"""Akeneo's fair use is 4 calls at once per connection
(https://api.akeneo.com/documentation/good-practices.html); a product takes about 55 ms."""
SHOWN_REASONS: Final = 20
SHOWN_CHANGES: Final = 15
MAX_EXCERPT: Final = 1_500


class Step(Struct, frozen=True, kw_only=True):
    """One step of the run's course: its bar in per cent of the highest, from the bottom up."""

    name: str
    number: int
    states: str
    bars: tuple[tuple[str, float, float], ...]


def report_page(run: Run, digest: Digest, excerpts: Mapping[int, str]) -> str:
    """Draw the page. `excerpts` are the XML of rejected records, by record number.

    Everything that comes from a file or a PIM is escaped by the template engine.
    """
    return _template().render(
        run=run,
        kind=KINDS.get(run.kind, "Import"),
        verdict=verdict(run),
        states=_states(run),
        pace=_pace(run),
        course=_course(digest),
        reasons=digest.top_reasons(SHOWN_REASONS),
        more_reasons=max(0, len(digest.reasons) - SHOWN_REASONS),
        changes=_bars(digest.changed.most_common(SHOWN_CHANGES)),
        records=sorted(digest.records, key=lambda record: record.number),
        fate=_fate,
        left_over=digest.left_over,
        excerpts={number: _cut(text) for number, text in excerpts.items()},
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # 50 ms, and only the caretaker needs it

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["thousands"] = _thousands
    environment.filters["moment"] = _moment
    source = resources.files("pim_connector").joinpath("report_page.html").read_text("utf-8")
    return environment.from_string(source)


def verdict(run: Run) -> tuple[str, str]:
    """Say in one sentence how the run went, with a word for its tone: good, mixed or bad."""
    if run.problem:
        return "bad", f"The run failed: {run.problem}"
    if run.finished_at is None:
        return "mixed", "The run is not finished yet."
    rejected, taken = run.counts["rejected"], run.counts["created"] + run.counts["updated"]
    if run.records == 0:
        return "mixed", "The file held no records."
    if rejected == 0:
        dealt, changed = _thousands(run.records), _thousands(taken)
        return "good", f"All {dealt} records were dealt with; {changed} changed the PIM."
    told = f"{_thousands(rejected)} of {_thousands(run.records)}"
    return "mixed", (
        f"{told} records could not be taken over. All others were dealt with; "
        f"{_thousands(taken)} changed the PIM."
    )


def _states(run: Run) -> list[dict[str, Any]]:
    total, before, found = max(1, run.records), 0.0, []
    for state in (*FINAL_STATES, "parked"):
        number = run.counts[state]
        share = 100 * number / total
        if number or state != "parked":
            row = {"name": state, "number": number, "word": WORDS[state], "x": before}
            found.append(row | {"width": share, "share": _share(number, total)})
        before += share
    return found


def _share(number: int, total: int) -> str:
    if not number:
        return ""
    share = 100 * number / total
    return f"{share:.0f} %" if share >= 9.95 else f"{share:.1f} %" if share >= 0.05 else "< 0.1 %"


def _pace(run: Run) -> dict[str, Any] | None:
    if not (run.registered_at and run.finished_at):
        return None
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.registered_at)
    seconds = took.total_seconds()
    sent = run.counts["created"] + run.counts["updated"]
    least = sent * SECONDS_A_PRODUCT / CALLS_AT_ONCE
    longest = max(seconds, least, 1)
    return {
        "took": _duration(seconds),
        "took_width": 100 * seconds / longest,
        "sent": sent,
        "least": _duration(least),
        "least_width": 100 * least / longest,
    }


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _moment(written: str) -> str:
    at = datetime.fromisoformat(written)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} second{'' if 0.5 <= seconds < 1.5 else 's'}"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _course(digest: Digest) -> dict[str, Any]:
    seconds, told = digest.timeline()
    most = max((sum(states.values()) for states in told.values()), default=0)
    if not most:
        return {}
    steps = [_step(at, states, most, seconds) for at, states in told.items()]
    return {"steps": steps, "length": _length(seconds), "most": most}


def _step(at: int, states: Counter[str], most: int, seconds: int) -> Step:
    bars, top = [], 0.0
    for state in WORDS:
        if states[state]:
            height = 100 * states[state] / most
            top += height
            bars.append((state, 100 - top, height))
    begun = datetime.fromtimestamp(at, UTC)
    return Step(
        name=f"{begun:%Y-%m-%d}" if seconds >= 86_400 else f"{begun:%Y-%m-%d %H:%M}",
        number=sum(states.values()),
        states=", ".join(f"{_thousands(states[s])} {s}" for s in WORDS if states[s]),
        bars=tuple(bars),
    )


def _length(seconds: int) -> str:
    number, unit = (seconds // 3600, "hour") if seconds >= 3600 else (seconds // 60, "minute")
    return unit if number == 1 else f"{number} {unit}s"


def _bars(counts: list[tuple[str, int]]) -> list[dict[str, Any]]:
    most = max((number for _, number in counts), default=1)
    return [{"name": n, "number": number, "width": 100 * number / most} for n, number in counts]


def _fate(record: RecordOutcome) -> str:
    """Say what is otherwise than the heading says of the records below it."""
    if record.state == "parked":
        return "waits"
    return "" if record.state == "rejected" else "went in, but not all of it"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + "…"
