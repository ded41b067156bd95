"""Reconciles every source that asks for it, each alone, while no poll of it runs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict

from pim_connector.assets.late_links import announce_waiting
from pim_connector.assets.ledger import AssetLedger
from pim_connector.assets.reconcile import Reconciliation
from pim_connector.assets.reconcile_walk import Walks
from pim_connector.dam.client import DamClient
from pim_connector.dam.http import Clocks
from pim_connector.errors import ConfigurationError, ConnectorError
from pim_connector.runs.leases import Leases
from pim_connector.runs.table import RunTable
from pim_connector.source_files import SourceFiles, StoredSource
from pim_connector.webhooks.queueing import AssetQueue

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

RESERVE_SECONDS = 60.0
"""What stays for the comparison with the ledger, beside the DAM's time-out."""


class ReconcileRound(Struct, frozen=True, kw_only=True):
    """What a round works with. `state` is the state table; `owner` is unlike any other's."""

    files: SourceFiles
    ledger: AssetLedger
    state: RunTable
    walks: Walks
    queue: AssetQueue
    lanes: int
    owner: str
    clocks: Clocks
    transport: httpx.BaseTransport | None = None

    def begin(self, only: str | None = None) -> list[dict[str, Any]]:
        """Ask for a reconciliation of all sources that say `absent: reconcile`, or of one.

        `go_on` does it, now and at later ticks. Gives what is to be logged of sources that cannot
        be reconciled; one source's trouble is not another's.
        """
        outcomes: list[dict[str, Any]] = []
        for name in [only] if only else self.files.names():
            try:
                stored = self.files.get(name)
                if only or (stored and stored.source.deleted.absent == "reconcile"):
                    self._stored(name)
                    self.walks.begin(name)
            except ConnectorError as error:
                outcomes.append(_failed(name, error))
        return outcomes

    def go_on(self) -> list[dict[str, Any]]:
        """Go on with what was begun, as far as time allows. Gives what is to be logged of each."""
        outcomes: list[dict[str, Any]] = []
        for name in list(self.walks.under_way()):
            try:
                outcomes.append(self._source(self._stored(name)))
            except ConfigurationError as error:
                self.walks.forget(name)
                outcomes.append(_failed(name, error))
            except ConnectorError as error:
                outcomes.append(_failed(name, error))
        for outcome in outcomes:
            log.info("reconciled", extra=outcome)
        return outcomes

    def link_late(self, only: str | None = None) -> int:
        """Have links tried whose product was missing; give the number of assets that wait."""
        names = [only] if only else self.files.names()
        return sum(announce_waiting(name, self.ledger, self.queue.send) for name in names)

    def _stored(self, name: str) -> StoredSource:
        stored = self.files.get(name)
        if stored is None:
            raise ConfigurationError(f"there is no file config/dam/{name}.yaml")
        if stored.source.assets is None:
            raise ConfigurationError(f"{stored.key} has no `assets`")
        if stored.source.item is None:
            raise ConfigurationError(
                f"{stored.key} has no `item`: without asking for an asset by its id nobody can"
                " tell one that is gone from one that a list left out"
            )
        return stored

    def _source(self, stored: StoredSource) -> dict[str, Any]:
        name, leases = stored.source.source, Leases(self.state)
        reserve = RESERVE_SECONDS + stored.source.rate.timeout_s
        if self.clocks.time_left() < reserve:
            return {"source": name, "outcome": "goes on"}
        if not leases.acquire(f"dam-{name}", self.owner, self.clocks.now()):
            return {"source": name, "outcome": "busy"}
        client = DamClient(
            stored.source, stored.secret, transport=self.transport, clocks=self.clocks
        )
        assert stored.source.assets is not None  # noqa: S101 - _stored has looked
        try:
            with client:
                report = Reconciliation(
                    client=client,
                    ledger=self.ledger,
                    state=self.state,
                    walks=self.walks,
                    send=lambda message: self.queue.send(message.source, message.changes),
                    lanes=self.lanes,
                    time_left=self.clocks.time_left,
                    max_share=stored.source.assets.on_delete.max_share,
                    reserve=reserve,
                    still_alone=leases.renewal(f"dam-{name}", self.owner, self.clocks.now),
                ).run()
        finally:
            leases.release(f"dam-{name}", self.owner)
        ended = "refused" if report.refused else "done"
        return {"outcome": ended if report.finished else "goes on", **asdict(report)}


def totals(outcomes: Sequence[dict[str, Any]]) -> dict[str, int]:
    """Add up what reconciliations found, as metrics."""
    return {
        "AssetsMissing": sum(outcome.get("missing", 0) for outcome in outcomes),
        "ReconcileRefused": sum(outcome["outcome"] == "refused" for outcome in outcomes),
        "ReconcileFailed": sum(outcome["outcome"] == "failed" for outcome in outcomes),
    }


def _failed(name: str, error: ConnectorError) -> dict[str, Any]:
    return {"source": name, "outcome": "failed", "reason": str(error)}
