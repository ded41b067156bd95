"""Runs that are on hold: what they would do, and somebody's decision."""

from __future__ import annotations

import csv
import io
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from pim_connector.console.exchange import Call, RefusedError, Reply, redirect
from pim_connector.console.history import OF_STACK, of_run
from pim_connector.console.rendering import page
from pim_connector.console.runs import found, noted
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

MOST_LISTED: Final = 200


def approvals(parts: Parts, call: Call) -> Reply:
    """List what waits for a decision, and the decisions of late."""
    return page(
        "approvals.html",
        call,
        parts,
        held=parts.held(),
        decided=list(parts.history.of(f"{OF_STACK}#approvals")),
    )


def plan(parts: Parts, call: Call) -> Reply:
    """Show one held run as a plan, with the guard that tripped."""
    one = found(parts, call)
    return page(
        "approval.html",
        call,
        parts,
        run=one,
        missing=_missing(parts, one),
        acts=list(parts.history.of(of_run(one.id))),
        asked=call.query.get("ask", ""),
    )


def approve(parts: Parts, call: Call) -> Reply:
    """Have done what waits: the products that the export no longer holds are disabled."""
    from pim_connector.products.missing import approve as disable

    one = _held(parts, call)
    job = disable(one, parts.jobs(), call.visitor.actor)
    _decided(parts, call, one, "approved", led_to=job.id)
    return redirect(f"/runs/{job.id}", said="Approved. It is on its way.")


def discard(parts: Parts, call: Call) -> Reply:
    """Leave the PIM as it is; the run keeps what it has done and no longer waits."""
    from pim_connector.products.missing import discard as leave

    one = _held(parts, call)
    leave(one, parts.jobs(), call.visitor.actor)
    _decided(parts, call, one, "discarded")
    return redirect(f"/runs/{one.id}", said="Discarded. The PIM stays as it is.")


def _held(parts: Parts, call: Call) -> Run:
    one = found(parts, call)
    if not one.hold:
        raise RefusedError(409, f"Run {one.id} does not wait for a decision any more.")
    return one


def _decided(parts: Parts, call: Call, run: Run, what: str, *, led_to: str = "") -> None:
    noted(parts, call, run, f"{what} what was on hold", led_to=led_to)
    parts.history.note(
        f"{OF_STACK}#approvals",
        call.visitor.actor,
        f"{what} run {run.id}: {run.hold}",
        parts.clock(),
        led_to=led_to or run.id,
    )


def _missing(parts: Parts, run: Run) -> list[dict[str, Any]]:
    stored = parts.bucket.describe(f"reports/{run.id}/missing.csv")
    if stored is None:
        return []
    with parts.bucket.open(stored) as stream:
        rows = csv.DictReader(io.TextIOWrapper(stream, "utf-8-sig", newline=""))
        return list(islice(rows, MOST_LISTED))
