"""The DAM sources: when they were last read, what was rejected, what waits for a decision."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from pim_connector.console.exchange import Call, RefusedError, Reply, missing, redirect
from pim_connector.console.history import of_source
from pim_connector.console.rendering import page
from pim_connector.outcomes import RecordOutcome
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

FOLDER: Final = "config/dam/"
LOOKED_AT: Final = 60
MOST_REJECTED: Final = 100
MOST_SENT: Final = 1_000


class DamSource(Struct, frozen=True, kw_only=True):
    """One DAM source; times are epoch seconds, `missing` what a reconciliation asks about."""

    name: str
    read_at: int | None
    families: dict[str, int]
    missing: int | None
    last: Run | None
    rejected: list[RecordOutcome]


def assets(parts: Parts, call: Call) -> Reply:
    """Show the DAM sources."""
    runs = parts.newest(LOOKED_AT)
    found = [_source(parts, name, runs) for name in names(parts)]
    return page("assets.html", call, parts, sources=found)


def names(parts: Parts) -> list[str]:
    """Name the DAM sources: those that have a file."""
    keys = (key.removeprefix(FOLDER) for key in parts.bucket.keys(FOLDER))
    return sorted(key[:-5] for key in keys if key.endswith(".yaml") and "/" not in key)


def _source(parts: Parts, name: str, runs: list[Run]) -> DamSource:
    from pim_connector.assets.state import FamilyTimes
    from pim_connector.dam.polling import CursorTable

    waiting = parts.state.get({"pk": f"reconcile#{name}"})
    last = next((run for run in runs if run.kind == "assets" and run.source == name), None)
    return DamSource(
        name=name,
        read_at=CursorTable(parts.state).finished_at(name),
        families=dict(sorted(FamilyTimes(parts.state).of(name).items())),
        missing=int(waiting["missing"]) if waiting else None,
        last=last,
        rejected=list(islice(_rejected(parts, last), MOST_REJECTED)) if last else [],
    )


def _rejected(parts: Parts, run: Run) -> Iterator[RecordOutcome]:
    """Return the assets whose last outcome of the run is a rejection."""
    latest: dict[str, RecordOutcome] = {}
    for message in sorted(parts.deliveries.messages(run.id), key=lambda one: one.at):
        for outcome in message.outcomes:
            latest[outcome.identifier or ""] = outcome
    return (outcome for outcome in latest.values() if outcome.state == "rejected")


def send_again(parts: Parts, call: Call) -> Reply:
    """Queue the assets that were rejected in the source's last run once more."""
    from pim_connector.aws.queue import FifoQueue
    from pim_connector.dam.polling import AssetQueue
    from pim_connector.sync.messages import ASSET_GROUPS, Change

    name = _known(parts, call)
    last = next(
        (r for r in parts.newest(LOOKED_AT) if r.kind == "assets" and r.source == name), None
    )
    wanted = [o.identifier for o in islice(_rejected(parts, last), MOST_SENT)] if last else []
    if not wanted:
        raise RefusedError(409, f"No asset of {name} was rejected in its last run.")
    queue = FifoQueue(parts.client("sqs"), parts.settings.asset_queue_url)
    changes = [Change(id=str(one), origin="operator") for one in wanted if one]
    AssetQueue(queue, groups=ASSET_GROUPS).send(name, changes)
    what = f"sent {len(changes)} rejected assets again"
    parts.history.note(of_source(name), call.visitor.actor, what, parts.clock())
    return redirect("/assets", said=f"{len(changes)} assets of {name} are on their way again.")


def approve(parts: Parts, call: Call) -> Reply:
    """Let the next reconciliation take out as many assets as the last one found missing."""
    from pim_connector.assets.reconcile import Walks
    from pim_connector.assets.reconcile import approve as note

    name = _known(parts, call)
    count = note(parts.state, name)
    if not count:
        raise RefusedError(409, f"No reconciliation of {name} waits for an approval any more.")
    Walks(parts.bucket).begin(name)
    what = f"approved that up to {count} missing assets are taken out"
    parts.history.note(of_source(name), call.visitor.actor, what, parts.clock())
    return redirect("/assets", said=f"Approved: the next poll of {name} takes them out.")


def _known(parts: Parts, call: Call) -> str:
    name = call.names["source"]
    if name not in names(parts):
        raise missing("DAM source")
    return name
