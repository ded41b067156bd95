"""Finds what polls and events have missed: the DAM's full list against the ledger.

Everything in the list goes to the asset queue once more (what did not change is dropped there).
What the ledger has and the list has not is announced as deleted, and the asset mapper asks the DAM
for each by its id before it believes it. When more than a set share would go, nothing goes until
an operator has said so: a list that ends too early looks like a DAM that was emptied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import blake2b

from pim_connector.assets.ledger import AssetLedger
from pim_connector.dam.asset_messages import Change
from pim_connector.dam.client import DamClient
from pim_connector.dam.handover import Handover, Send
from pim_connector.dam.pages import Position
from pim_connector.errors import TransientError
from pim_connector.runs.table import RunTable

RESERVE_SECONDS = 60.0
SMALLEST_LIMIT = 1
"""One missing asset is never too many, whatever the share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What a reconciliation found. `refused` says why nothing is deleted, `share` is in percent."""

    source: str
    listed: int
    known: int
    missing: int
    share: float
    announced: int
    refused: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What a reconciliation of one source works with. Times are in seconds."""

    client: DamClient
    ledger: AssetLedger
    state: RunTable
    send: Send
    lanes: int
    time_left: Callable[[], float]
    max_share: float

    def run(self) -> Reconciled:
        """Compare once. Raises TransientError where the list could not be read to its end."""
        source = self.client.source.source
        handover = Handover(source, self.lanes, self.send)
        seen = set(self._listed(handover))
        missing: list[str] = []
        known = 0
        for entry in self.ledger.everything(source):
            known += 1
            if _mark(entry.dam_id) not in seen:
                missing.append(entry.dam_id)
        handover.flush()
        share = 100.0 * len(missing) / known if known else 0.0
        refused = self._refusal(source, len(missing), share)
        if not refused:
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

    def _listed(self, handover: Handover) -> Iterator[bytes]:
        for step in self.client.everything(Position()):
            for row in step.rows:
                if row.problem:
                    raise TransientError(
                        f"the full list has an item that cannot be read ({row.problem}); while"
                        " that is so, nobody can say what is missing from it"
                    )
                for asset_id in row.ids:
                    if not row.deleted:
                        yield _mark(asset_id)
                        change = Change(
                            id=asset_id,
                            origin="reconcile",
                            stamp=row.printed,
                            properties=row.properties or None,
                        )
                        handover.put(change, Position())
            if step.position.started is None:
                return
            if self.time_left() < RESERVE_SECONDS:
                raise TransientError("the full list was not read to its end in time")
        raise TransientError("the full list ended before it was complete")

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
            f" {self.max_share} % wait for an operator; look at the DAM, then approve it"
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


def _mark(dam_id: str) -> bytes:
    """Remember an id in a few bytes: a million of them must fit into a function's memory."""
    return blake2b(dam_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
