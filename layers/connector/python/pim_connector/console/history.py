"""Who did what, and when: kept with the run or the source it was done to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import asdict

from pim_connector.aws.table import Table

MOST: Final = 50


class Act(Struct, frozen=True, kw_only=True):
    """One thing that somebody did. `led_to` is the run that came of it, "" if none did."""

    at: str
    who: str
    what: str
    led_to: str = ""


class History:
    """Acts in the run table, under the run (`run#<id>`) or the source (`acts#<source>`)."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def note(self, about: str, who: str, what: str, now: datetime, *, led_to: str = "") -> None:
        """Keep that `who` did `what` to `about`, a key of this class."""
        act = Act(at=f"{now:%Y-%m-%dT%H:%M:%SZ}", who=who, what=what, led_to=led_to)
        self._table.put({"pk": about, "sk": f"act#{now:%Y-%m-%dT%H:%M:%S.%fZ}"} | asdict(act))

    def note_run(self, run: str, who: str, what: str, now: datetime, *, led_to: str = "") -> None:
        """Keep what was done to a run, with it and with the run that came of it, if one did."""
        self.note(of_run(run), who, what, now, led_to=led_to)
        if led_to:
            self.note(of_run(led_to), who, f"{what} (run {run})", now)

    def of(self, about: str) -> Iterator[Act]:
        """Return what was done, the last first, at most 50."""
        found = self._table.query(about, prefix="act#", newest_first=True)
        for item in islice(found, MOST):
            yield Act(**{name: item[name] for name in Act.__struct_fields__})


def of_run(run: str) -> str:
    """Name the place of what was done to a run."""
    return f"run#{run}"


def of_source(source: str) -> str:
    """Name the place of what was done to a source: its mapping, its files."""
    return f"acts#{source}"


OF_STACK: Final = "acts"
"""The place of what was done to the settings."""
