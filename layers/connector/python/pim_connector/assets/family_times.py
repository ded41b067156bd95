"""When assets of each family were last sent: one item of the state table per source."""

from __future__ import annotations

from pim_connector.runs.table import Change, RunTable

PREFIX = "at_"


class FamilyTimes:
    """Times are in epoch seconds. Raises what `RunTable` raises."""

    def __init__(self, table: RunTable) -> None:
        self._table = table

    def note(self, source: str, family: str, now: float) -> None:
        """Write down that the PIM has just accepted assets of a family."""
        self._table.update(_key(source), Change(put={f"{PREFIX}{family}": int(now)}))

    def of(self, source: str) -> dict[str, int]:
        """Give when the PIM last accepted assets of each family; none of what was never sent."""
        item = self._table.get(_key(source)) or {}
        return {
            name.removeprefix(PREFIX): int(at)
            for name, at in item.items()
            if name.startswith(PREFIX)
        }


def _key(source: str) -> dict[str, str]:
    return {"pk": f"families#{source}"}
