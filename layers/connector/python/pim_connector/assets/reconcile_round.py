"""Reconciles every source that asks for it, each alone, while no poll of it runs."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pim_connector.assets.ledger import AssetLedger
from pim_connector.assets.reconcile import Reconciliation
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileRound:
    """What a round works with. `state` is the state table; `owner` is unlike any other's."""

    files: SourceFiles
    ledger: AssetLedger
    state: RunTable
    queue: AssetQueue
    lanes: int
    owner: str
    clocks: Clocks
    transport: httpx.BaseTransport | None = None

    def run(self, only: str | None = None) -> list[dict[str, Any]]:
        """Reconcile all sources with `deleted: {absent: reconcile}`, or one whatever it says.

        Gives what is to be logged of each; one source's trouble is not another's.
        """
        outcomes: list[dict[str, Any]] = []
        for name in [only] if only else self.files.names():
            try:
                stored = self.files.get(name)
                if stored is None:
                    raise ConfigurationError(f"there is no file config/dam/{name}.yaml")
                if only or stored.source.deleted.absent == "reconcile":
                    outcomes.append(self._source(stored))
            except ConnectorError as error:
                outcomes.append({"source": name, "outcome": "failed", "reason": str(error)})
        for outcome in outcomes:
            log.info("reconciled", extra=outcome)
        return outcomes

    def _source(self, stored: StoredSource) -> dict[str, Any]:
        name, leases = stored.source.source, Leases(self.state)
        if stored.source.assets is None:
            raise ConfigurationError(f"{stored.key} has no `assets`")
        if not leases.acquire(f"dam-{name}", self.owner, self.clocks.now()):
            return {"source": name, "outcome": "busy"}
        client = DamClient(
            stored.source, stored.secret, transport=self.transport, clocks=self.clocks
        )
        try:
            with client:
                report = Reconciliation(
                    client=client,
                    ledger=self.ledger,
                    state=self.state,
                    send=lambda message: self.queue.send(message.source, message.changes),
                    lanes=self.lanes,
                    time_left=self.clocks.time_left,
                    max_share=stored.source.assets.on_delete.max_share,
                ).run()
        finally:
            leases.release(f"dam-{name}", self.owner)
        return {"outcome": "refused" if report.refused else "done", **asdict(report)}
