"""Finds what polls and events have missed: the DAM's full list against the ledger.

Everything in the list goes to the asset queue once more (what did not change is dropped there).
What the ledger has and the list has not is announced as deleted, and the asset mapper asks the DAM
for each by its id before it believes it. When more than a set share would go, nothing goes until
an operator has said so: a list that ends too early looks like a DAM that was emptied.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from pim_connector.assets.ledger import AssetLedger
from pim_connector.assets.reconcile_walk import Walk, Walks, mark
from pim_connector.dam.asset_messages import Change
from pim_connector.dam.client import DamClient
from pim_connector.dam.handover import Handover, Send
from pim_connector.dam.pages import Position, Step
from pim_connector.errors import RejectedError, TransientError
from pim_connector.runs.table import RunTable

SMALLEST_LIMIT = 1
"""One missing asset is never too many, whatever the share."""


class Reconciled(Struct, frozen=True, kw_only=True):
    """What a reconciliation found. `refused` says why nothing is deleted, `share` is in percent.

    While `finished` is False the list was not read to its end, and nothing else is known yet.
    """

    source: str
    listed: int
    finished: bool = True
    known: int = 0
    missing: int = 0
    share: float = 0.0
    announced: int = 0
    refused: str = ""


class Reconciliation(Struct, frozen=True, kw_only=True):
    """What a reconciliation of one source works with. Times are in seconds.

    It stops when `time_left` falls under `reserve`, and goes on when it is run again.
    `still_alone` renews the lease and says whether it may go on.
    """

    client: DamClient
    ledger: AssetLedger
    state: RunTable
    walks: Walks
    send: Send
    lanes: int
    time_left: Callable[[], float]
    max_share: float
    reserve: float = 60.0
    still_alone: Callable[[], bool] = lambda: True

    def run(self) -> Reconciled:
        """Read the list as far as time allows, and compare once it was read to its end.

        TransientError where the DAM or AWS does not answer: the next run goes on from there.
        RejectedError for a list that proves nothing: the next run begins anew.
        """
        source = self.client.source.source
        walk = self.walks.load(source) or Walk()
        seen = walk.marks()
        if not self._read(walk.position, seen):
            return Reconciled(source=source, listed=len(seen), finished=False)
        report = self._compare(source, seen)
        self.walks.forget(source)
        return report

    def _read(self, position: Position, seen: set[bytes]) -> bool:
        """Read on from `position`; say whether the end was reached. All that was read is queued."""
        source = self.client.source.source
        handover = Handover(source, self.lanes, self.send)
        safe = position
        try:
            for step in self.client.everything(position):
                seen.update(_taken(step, handover))
                safe = step.position
                if safe.started is None:
                    handover.flush()
                    return True
                if self.time_left() < self.reserve:
                    break
                if not self.still_alone():
                    raise TransientError(f"{source}: another poll of this source took over")
            handover.flush()
        except TransientError:
            handover.flush()
            self.walks.save(source, safe, seen)
            raise
        except Exception:
            self.walks.forget(source)
            raise
        self.walks.save(source, safe, seen)
        return False

    def _compare(self, source: str, seen: set[bytes]) -> Reconciled:
        missing: list[str] = []
        known = 0
        for dam_id in self.ledger.in_use(source):
            known += 1
            if mark(dam_id) not in seen:
                missing.append(dam_id)
        share = 100.0 * len(missing) / known if known else 0.0
        refused = self._refusal(source, len(missing), share)
        if not refused:
            handover = Handover(source, self.lanes, self.send)
            for dam_id in missing:
                change = Change(id=dam_id, kind="deleted", origin="reconcile")
                handover.put(change, Position())
            handover.flush()
        return Reconciled(
            source=source,
            listed=len(seen),
            known=known,
            missing=len(missing),
            share=round(share, 2),
            announced=0 if refused else len(missing),
            refused=refused,
        )

    def _refusal(self, source: str, missing: int, share: float) -> str:
        key = {"pk": f"reconcile#{source}"}
        if share <= self.max_share or missing <= SMALLEST_LIMIT:
            self.state.delete(key)
            return ""
        waiting = self.state.get(key)
        if waiting and waiting.get("approved") and missing <= int(waiting.get("missing", 0)):
            self.state.delete(key)
            return ""
        self.state.put(key | {"missing": missing, "share": str(round(share, 2))})
        return (
            f"{missing} assets ({share:.1f} %) are missing from the DAM's list, and more than"
            f" {self.max_share} % wait for an operator; look at the DAM, then run"
            f" `pim-connector assets approve {source}`"
        )


def approve(state: RunTable, source: str) -> int:
    """Let the next reconciliation take out as many assets as the last one found missing.

    Gives their number, 0 where nothing waits.
    """
    key = {"pk": f"reconcile#{source}"}
    waiting = state.get(key)
    if waiting is None:
        return 0
    state.put(waiting | {"approved": True})
    return int(waiting["missing"])


def _taken(step: Step, handover: Handover) -> set[bytes]:
    """Hand over what one step of the list has; give the marks of it."""
    marks: set[bytes] = set()
    for row in step.rows:
        if row.problem:
            raise RejectedError(
                f"the full list has an item that cannot be read ({row.problem}); while that is"
                " so, nobody can say what is missing from it"
            )
        for asset_id in row.ids if not row.deleted else ():
            marks.add(mark(asset_id))
            change = Change(
                id=asset_id,
                origin="reconcile",
                stamp=row.printed,
                properties=row.properties or None,
            )
            handover.put(change, Position())
    return marks
