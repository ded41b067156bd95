"""Puts the asset mapper together from its settings and its AWS clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.assets.booking import Books
from pim_connector.assets.delivery import SourceParts
from pim_connector.assets.family_times import FamilyTimes
from pim_connector.assets.incoming import Reading
from pim_connector.assets.late_links import SendLinks
from pim_connector.assets.ledger import AssetLedger
from pim_connector.assets.linking import ProductLinks, outgoing
from pim_connector.assets.media import MediaCourier
from pim_connector.assets.products import FamilyKeys
from pim_connector.assets.program import AssetProgram, compile_assets
from pim_connector.assets.structures import AssetStructures
from pim_connector.assets.upserting import Upserting
from pim_connector.assets.worker import AssetWorker
from pim_connector.breaker import Breaker
from pim_connector.bucket import Bucket
from pim_connector.composition import AwsClients, Surroundings, pim_of
from pim_connector.dam.auth import auth_of
from pim_connector.dam.client import DamClient
from pim_connector.dam.http import Clocks
from pim_connector.dam.stamps import Stamps
from pim_connector.delivery.pim import asking_the_pim
from pim_connector.delivery.receipts import Receipts
from pim_connector.errors import ConfigurationError
from pim_connector.media.addresses import is_public
from pim_connector.media.downloads import Downloads, Limits, host_of
from pim_connector.queues import FifoQueue
from pim_connector.runs.table import RunTable
from pim_connector.source_files import SourceFiles, StoredSource
from pim_connector.structure import Structure, fetch_structure
from pim_connector.structure.fetching import ASSET_RESOURCES

if TYPE_CHECKING:
    from pim_connector.settings import AssetMapperSettings

PIM_RESERVE_SECONDS = 15.0
"""Left of an invocation for writing down what the PIM has answered."""
DAM_PATIENCE_SECONDS = 240.0
"""A DAM that has not answered by then is asked again when the message comes back."""


class _Ready(Struct, frozen=True, kw_only=True):
    """A source whose file was compiled and whose connections are open."""

    stored: StoredSource
    program: AssetProgram
    dam: DamClient
    downloads: Downloads


class AssetMapper:
    """Keeps what is shared between invocations, and makes each source's parts."""

    def __init__(
        self,
        settings: AssetMapperSettings,
        aws: AwsClients,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._settings = settings
        self._around = surroundings or Surroundings()
        around = self._around
        bucket = Bucket(aws.s3, settings.bucket, sleep=around.sleep)
        self._sources = SourceFiles(bucket, aws.secrets, now=around.now)
        self._pim = pim_of(settings, aws, self._around, "asset")
        self._ledger = AssetLedger(
            aws.dynamodb, settings.sync_state_table, sleep=around.sleep, jitter=around.jitter
        )
        self._structures = AssetStructures(self._fetch_structure, now=around.now)
        self._families = FamilyTimes(RunTable(aws.dynamodb, settings.state_table))
        self._family_keys = FamilyKeys()
        self._products = FifoQueue(
            aws.sqs, settings.product_queue_url, sleep=around.sleep, jitter=around.jitter
        )
        self._ready: dict[str, _Ready] = {}
        self._dam_ends = 0.0
        runs = RunTable(aws.dynamodb, settings.run_table, sleep=around.sleep, jitter=around.jitter)
        self.worker = AssetWorker(
            self.parts,
            Books(runs, now=around.now),
            Breaker(aws.dynamodb, settings.state_table),
            Receipts(aws.sqs, settings.asset_queue_url, settings.asset_dead_letter_queue_url),
            now=around.now,
        )

    def close(self) -> None:
        """End all connections."""
        self._pim.close()
        for ready in self._ready.values():
            ready.dam.http.close()
            ready.downloads.close()
        self._ready.clear()

    def parts(self, source: str, seconds_left: Callable[[], float]) -> SourceParts:
        """Give what delivering assets of `source` needs.

        Raises ConfigurationError for a source that has no file, or one without `assets`.
        """
        ready = self._source(source)
        self._pim.until(lambda: seconds_left() - PIM_RESERVE_SECONDS)
        patience = min(DAM_PATIENCE_SECONDS, max(0.0, seconds_left() - PIM_RESERVE_SECONDS))
        self._dam_ends = self._around.now() + patience
        stored = ready.stored.source
        stamps = Stamps(stored.since)
        return SourceParts(
            program=ready.program,
            reading=Reading(
                ready.dam,
                can_ask=stored.item is not None,
                read_stamp=stamps.read,
                now=self._around.now,
                sleep=self._around.sleep,
            ),
            upserting=Upserting(
                source=source,
                pim=self._pim.client(),
                courier=MediaCourier(source, ready.downloads, self._ledger),
                structures=self._structures,
            ),
            ledger=self._ledger,
            send_links=self._link_sender(source),
            note_family=lambda family: self._families.note(source, family, self._around.now()),
            seconds_left=seconds_left,
        )

    def _source(self, name: str) -> _Ready:
        stored = self._sources.get(name)
        if stored is None or stored.source.assets is None:
            raise ConfigurationError(
                f"config/dam/{name}.yaml is missing or has no `assets`, and the asset queue has"
                " messages of it; put the file back, or purge them"
            )
        ready = self._ready.get(name)
        if ready is None or ready.stored != stored:
            ready = self._ready[name] = self._made_ready(stored)
        return ready

    def _made_ready(self, stored: StoredSource) -> _Ready:
        source = stored.source
        assert source.assets is not None  # noqa: S101 - the caller has looked
        several = {k: v if isinstance(v, list) else [v] for k, v in stored.secret.items()}
        values = {f"secret.{name}": str(some[0]) for name, some in several.items() if some}
        transport, rules = self._around.transport, source.assets.media
        return _Ready(
            stored=stored,
            program=compile_assets(source.assets, name=stored.key, base_url=source.base_url),
            dam=DamClient(source, stored.secret, transport=transport(), clocks=self._clocks()),
            downloads=Downloads(
                Limits(
                    max_megabytes=rules.max_megabytes,
                    types=rules.types,
                    timeout_s=rules.timeout_s,
                ),
                hosts=rules.hosts,
                own_host=host_of(source.base_url),
                auth=auth_of(source, values),
                transport=transport(),
                resolver=self._around.resolver,
                may_reach=is_public if self._settings.private_media != "allowed" else _anywhere,
            ),
        )

    def _clocks(self) -> Clocks:
        around = self._around
        return Clocks(
            now=around.now,
            sleep=around.sleep,
            chance=around.jitter,
            time_left=lambda: self._dam_ends - around.now(),
        )

    def _fetch_structure(self) -> Structure:
        with asking_the_pim():
            return fetch_structure(self._pim.client(), resources=ASSET_RESOURCES)

    def _link_sender(self, source: str) -> SendLinks:
        def send(links: Sequence[ProductLinks]) -> frozenset[ProductLinks]:
            if not links:
                return frozenset()
            with asking_the_pim():
                keys = self._family_keys.of(
                    self._pim.client(), [(link.resource, link.product) for link in links]
                )
            there = [link for link in links if (link.resource, link.product) in keys]
            self._products.send(outgoing(source, there, keys, self._settings.concurrent_calls))
            return frozenset(link for link in links if link.add and link not in there)

        return send


def _anywhere(_: str) -> bool:
    """For the local stack, where everything is on this machine."""
    return True
