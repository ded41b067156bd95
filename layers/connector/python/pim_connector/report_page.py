"""The report of a run as one HTML page for people, without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from pim_connector.report_digest import Digest
from pim_connector.runs.run import Run
from pim_connector.states import FINAL_STATES

if TYPE_CHECKING:
    from jinja2 import Template

WORDS: Final = {
    "created": "new in the PIM",
    "updated": "changed in the PIM",
    "unchanged": "the PIM had it so already, nothing was sent",
    "superseded": "the PIM has something newer",
    "filtered": "left out, as the mapping says",
    "rejected": "not taken over; the reasons are below",
    "parked": "waiting for their product model, or with links for the rest of the file",
}
SECONDS_A_PRODUCT: Final = 0.055
CALLS_AT_ONCE: Final = 4
"""Akeneo's fair use is 4 calls at once per connection
(https://api.akeneo.com/documentation/good-practices.html); a product takes about 55 ms."""
SHOWN_REASONS: Final = 20
SHOWN_CHANGES: Final = 15
MAX_EXCERPT: Final = 1_500


def report_page(run: Run, digest: Digest, excerpts: Mapping[int, str]) -> str:
    """Draw the page. `excerpts` are the XML of rejected records, by record number.

    Everything that comes from a file or a PIM is escaped by the template engine.
    """
    return _template().render(
        run=run,
        verdict=verdict(run),
        states=_states(run),
        pace=_pace(run),
        hours=_hours(digest),
        reasons=digest.top_reasons(SHOWN_REASONS),
        more_reasons=max(0, len(digest.reasons) - SHOWN_REASONS),
        changes=_bars(digest.changed.most_common(SHOWN_CHANGES)),
        records=digest.records,
        left_over=digest.left_over,
        excerpts={number: _cut(text) for number, text in excerpts.items()},
    )


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined  # 50 ms, and only the caretaker needs it

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["thousands"] = _thousands
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
    return "mixed", f"{told} records could not be taken over."


def _states(run: Run) -> list[dict[str, Any]]:
    total, before, found = max(1, run.records), 0.0, []
    for state in (*FINAL_STATES, "parked"):
        number = run.counts[state]
        share = 100 * number / total
        if number or state != "parked":
            found.append(
                {"name": state, "number": number, "word": WORDS[state], "x": before, "width": share}
            )
        before += share
    return found


def _pace(run: Run) -> dict[str, Any] | None:
    if not (run.registered_at and run.finished_at):
        return None
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.registered_at)
    sent = run.counts["created"] + run.counts["updated"]
    return {
        "took": _duration(took.total_seconds()),
        "sent": sent,
        "least": _duration(sent * SECONDS_A_PRODUCT / CALLS_AT_ONCE),
    }


def _thousands(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _hours(digest: Digest) -> list[dict[str, Any]]:
    most = max((sum(hour.values()) for hour in digest.hours.values()), default=1) or 1
    return [
        {"name": name, "number": sum(hour.values()), "height": 100 * sum(hour.values()) / most}
        | {"states": [f"{_thousands(hour[state])} {state}" for state in WORDS if hour[state]]}
        for name, hour in sorted(digest.hours.items())
    ]


def _bars(counts: list[tuple[str, int]]) -> list[dict[str, Any]]:
    most = max((number for _, number in counts), default=1)
    return [{"name": n, "number": number, "width": 100 * number / most} for n, number in counts]


def _cut(text: str) -> str:
    return text if len(text) <= MAX_EXCERPT else text[: MAX_EXCERPT - 1] + "…"
