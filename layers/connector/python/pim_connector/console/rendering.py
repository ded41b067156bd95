"""Templates, and how numbers, times and states are worded. Every value is escaped."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from pim_connector.console.exchange import Call, Reply
from pim_connector.sync.runs import Outcome, Run
from pim_connector.sync.runs import outcome as outcome_of

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

HERE: Final = Path(__file__).parent
STATIC: Final = HERE / "static"
MEANINGS: Final = {
    "created": "new in the PIM",
    "updated": "changed in the PIM",
    "unchanged": "the PIM has it already",
    "superseded": "the PIM has something newer",
    "filtered": "left out by the mapping",
    "rejected": "not imported, see the reasons",
}
Status = Outcome | Literal["running", "waiting"]
_COMMAND: Final = re.compile(
    r"(: see whether the export is whole, then|: fix them, or) `pim-connector.*$"
)
KINDS: Final = {
    "file": "File",
    "withdrawal": "Disable missing",
    "replay": "Sent again",
    "revert": "Revert",
    "assets": "Assets",
}


def page(
    template: str, call: Call, parts: Parts, /, *, status: int = 200, **shown: object
) -> Reply:
    """Render one template as an answer, with what the frame around it needs."""
    frame = {
        "visitor": call.visitor,
        "token": call.visitor.token,
        "here": call.path,
        "said": call.query.get("said", "")[:300],
        "waiting": parts.approvals_waiting,
        "stack": parts.settings.stack_name,
        "pim_url": parts.settings.akeneo_url.rstrip("/"),
        "zone": parts.settings.time_zone,
    }
    text = templates(parts.settings.time_zone).get_template(template).render(frame | shown)
    return Reply(status=status, body=text)


def bare_page(template: str, status: int, /, **shown: object) -> Reply:
    """Render a page without the frame: for somebody who is not signed in."""
    return Reply(status=status, body=templates("UTC").get_template(template).render(shown))


@cache
def templates(zone: str) -> Environment:
    """Make the environment; times are shown in the stack's time zone."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    place = ZoneInfo(zone)
    found.filters |= {
        "moment": lambda text: moment(text, place),
        "size": size,
        "n": lambda number: f"{number:,}",
        "clock": lambda text: clock(text, place),
        "plain": plain,
    }
    found.globals |= {
        "meanings": MEANINGS,
        "kinds": KINDS,
        "outcome": outcome,
        "seconds": seconds,
        "asset": asset,
    }
    return found


def outcome(run: Run) -> Status:
    """Return the one word for a run: its outcome, or that it waits or runs."""
    return outcome_of(run) or ("waiting" if run.phase in ("noted", "waiting") else "running")


def seconds(run: Run) -> str:
    """Return how long a run took from the time its file was noticed; "" while it goes on."""
    if not (run.registered_at and run.finished_at):
        return ""
    took = datetime.fromisoformat(run.finished_at) - datetime.fromisoformat(run.registered_at)
    return span(took.total_seconds())


def plain(text: str) -> str:
    """Leave out what a sentence says about the command line: here there is a button. Pure."""
    return _COMMAND.sub(".", text)


def span(number: float) -> str:
    """Say a number of seconds as people do."""
    if number < 100:
        return f"{number:.0f} s"
    minutes = number / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def size(count: int) -> str:
    """Say a number of bytes as people do: 1 kB is 1,000 bytes."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} bytes"


def moment(value: str | int | datetime | None, zone: ZoneInfo) -> Markup:
    """Show a time (ISO in UTC, or seconds of the epoch) in the stack's zone, exact on hover."""
    at = _instant(value)
    if at is None:
        return escape(value or "")
    here = at.astimezone(zone)
    text = f"{here.day} {here:%b %Y, %H:%M}"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{here:%Y-%m-%d %H:%M:%S} {zone.key}", text
    )


def clock(value: str | int | datetime | None, zone: ZoneInfo) -> Markup:
    """Show only the time of day."""
    at = _instant(value)
    if at is None:
        return escape(value or "")
    here = at.astimezone(zone)
    return Markup('<time datetime="{}">{}</time>').format(
        f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{here:%H:%M}"
    )


def _instant(value: str | int | datetime | None) -> datetime | None:
    if not value:
        return None
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return None
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return datetime.fromtimestamp(int(value), UTC)


@cache
def asset(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"/static/{name}?v={sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"
