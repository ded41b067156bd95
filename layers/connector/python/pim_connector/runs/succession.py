"""Which run of a source was the last that may have written to the ledger, and whether alone.

Every run says so before its first message: `last#<source>` names it. A file that finds the run
before it there, which began alone and is settled, knows all that the ledger holds of that run's
products; and a window that relies on it is only booked while the file itself is still the last.
"""

from __future__ import annotations

from typing import Any

from pim_connector.runs.run import Run
from pim_connector.runs.table import Change, RunTable

UNDER_WAY = frozenset({"splitting", "preparing", "sending", "delivering"})


def last_key(source: str) -> dict[str, str]:
    """Name the item that says which run of a source began last."""
    return {"pk": f"last#{source}", "sk": "run"}


def disturbing(table: RunTable, errand: Run) -> dict[str, Any]:
    """Make the action that says that an errand will write what no file says."""
    return table.putting(last_key(errand.source) | {"run": errand.id, "alone": False})


def succeeding(table: RunTable, run: Run, before: str | None, *, alone: bool) -> dict[str, Any]:
    """Make the action that puts a file in the place of `before`, if that is still the last."""
    change = Change(
        put={"run": run.id, "alone": alone},
        condition="attribute_not_exists(pk)" if before is None else "#run = :before",
        given={} if before is None else {"before": before},
    )
    return table.updating(last_key(run.source), change)


def undisturbed(table: RunTable, run: Run) -> dict[str, Any]:
    """Make the condition that nothing began after `run`."""
    change = Change(condition="#run = :run", given={"run": run.id})
    return table.checking(last_key(run.source), change)
