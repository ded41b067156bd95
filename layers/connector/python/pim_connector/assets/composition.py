"""Puts the asset mapper together from its settings and its AWS clients."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.akeneo.media import Downloads, Limits, host_of, is_public
from pim_connector.akeneo.pim import Breaker, asking_the_pim
from pim_connector.akeneo.structure import Structure
from pim_connector.akeneo.structure_cache import ASSET_RESOURCES, fetch_structure
from pim_connector.assets.delivery import Reading, SourceParts
from pim_connector.assets.mapping import CompiledAssetMapping, compile_assets
from pim_connector.assets.reconcile import ReconcileRound, Walks
from pim_connector.assets.removal import SendLinks
from pim_connector.assets.state import AssetSyncState, FamilyTimes
from pim_connector.assets.upserting import AssetStructures, MediaUploader, Upserting
from pim_connector.assets.worker import AssetWorker, MessageResults
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.queue import FifoQueue, Receipts
from pim_connector.aws.table import Leases, Table
from pim_connector.dam.client import DamClient
from pim_connector.dam.http import Clocks, auth_of
from pim_connector.dam.loading import SourceFiles, StoredSource
from pim_connector.dam.pages import Stamps
from pim_connector.dam.polling import AssetQueue, CursorTable, Round
from pim_connector.errors import ConfigurationError
from pim_connector.products.asset_links import FamilyKeys, ProductLinks, outgoing
from pim_connector.products.composition import AwsClients, Surroundings, pim_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient

    from pim_connector.settings import AssetMapperSettings, DamPollerSettings

PIM_RESERVE_SECONDS = 15.0
"""Left of an invocation for writing down what the PIM has answered."""
DAM_RETRY_POLICY_SECONDS = 240.0
"""A DAM that has not answered by then is asked again when the message comes back."""


class _Ready(Struct, frozen=True, kw_only=True):
    """A source whose file was compiled and whose connections are open."""

    stored: StoredSource
    compiled: CompiledAssetMapping
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
        self._sync_state = AssetSyncState(
            aws.dynamodb, settings.sync_state_table, sleep=around.sleep, jitter=around.jitter
        )
        self._structures = AssetStructures(self._fetch_structure, now=around.now)
        self._families = FamilyTimes(Table(aws.dynamodb, settings.state_table))
        self._family_keys = FamilyKeys()
        self._products = FifoQueue(
            aws.sqs, settings.product_queue_url, sleep=around.sleep, jitter=around.jitter
        )
        self._ready: dict[str, _Ready] = {}
        self._dam_ends = 0.0
        runs = Table(aws.dynamodb, settings.run_table, sleep=around.sleep, jitter=around.jitter)
        self.worker = AssetWorker(
            self.parts,
            MessageResults(runs, now=around.now),
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
        """Return what delivering assets of `source` needs.

        Raises ConfigurationError for a source that has no file, or one without `assets`.
        """
        ready = self._source(source)
        self._pim.until(lambda: seconds_left() - PIM_RESERVE_SECONDS)
        retry_policy = min(DAM_RETRY_POLICY_SECONDS, max(0.0, seconds_left() - PIM_RESERVE_SECONDS))
        self._dam_ends = self._around.now() + retry_policy
        stored = ready.stored.source
        stamps = Stamps(stored.since)
        return SourceParts(
            compiled=ready.compiled,
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
                uploader=MediaUploader(source, ready.downloads, self._sync_state),
                structures=self._structures,
            ),
            sync_state=self._sync_state,
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
            compiled=compile_assets(source.assets, name=stored.key, base_url=source.base_url),
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
            jitter=around.jitter,
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


# Puts the DAM poller together from its settings and its AWS clients.


class Rounds(Struct, frozen=True, kw_only=True):
    """The two rounds of one invocation."""

    polling: Round
    reconciling: ReconcileRound


class DamPolls:
    """Keeps what invocations share: connections, and source files for a minute."""

    def __init__(
        self,
        settings: DamPollerSettings,
        *,
        s3: S3Client,
        sqs: SQSClient,
        dynamodb: DynamoDBClient,
        secrets: SecretsManagerClient,
    ) -> None:
        self._groups = settings.asset_concurrent_calls
        self._state = Table(dynamodb, settings.state_table)
        self._sync_state = AssetSyncState(dynamodb, settings.sync_state_table)
        self._queue = FifoQueue(sqs, settings.asset_queue_url)
        self._bucket = Bucket(s3, settings.bucket)
        self._files = SourceFiles(self._bucket, secrets)

    def of(self, owner: str, time_left: Callable[[], float]) -> Rounds:
        """Return the rounds of one invocation; `owner` names it, `time_left` is in seconds."""
        clocks = Clocks(time_left=time_left)
        polling = Round(
            files=self._files,
            cursors=CursorTable(self._state),
            leases=Leases(self._state),
            queue=self._queue,
            groups=self._groups,
            owner=owner,
            clocks=clocks,
        )
        reconciling = ReconcileRound(
            files=self._files,
            sync_state=self._sync_state,
            state=self._state,
            walks=Walks(self._bucket),
            queue=AssetQueue(self._queue, groups=self._groups),
            groups=self._groups,
            owner=owner,
            clocks=clocks,
        )
        return Rounds(polling=polling, reconciling=reconciling)
