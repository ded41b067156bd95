"""What the mapper and the asset mapper are put together from alike: AWS, surroundings, the PIM."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import httpx
from msgspec import Struct

from pim_connector.akeneo import AkeneoClient, Credentials, read_credentials
from pim_connector.akeneo.auth import DynamoDbTokenStore
from pim_connector.akeneo.media import Downloads, Resolve, is_elsewhere, resolve
from pim_connector.akeneo.pim import Breaker, OptionPace, Pim
from pim_connector.akeneo.structure_cache import StructureCache, fetch_structure
from pim_connector.aws.bucket import Bucket
from pim_connector.aws.events import Announcements
from pim_connector.aws.queue import FifoQueue, Receipts
from pim_connector.aws.table import Table
from pim_connector.aws.threads import Threads
from pim_connector.products.delivery_context import CompiledMappings, DeliveryParts, Kept, Parents
from pim_connector.products.files import PRODUCT_LIMITS, MediaFiles
from pim_connector.products.worker import Worker
from pim_connector.sync.message_results import Deliveries, Parking
from pim_connector.sync.state import SyncState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient

    from pim_connector.aws.threads import Begin
    from pim_connector.settings import MapperSettings


class AwsClients(Struct, frozen=True, kw_only=True):
    """What both mappers ask of AWS."""

    s3: S3Client
    sqs: SQSClient
    dynamodb: DynamoDBClient
    secrets: SecretsManagerClient


class Surroundings(Struct, frozen=True, kw_only=True):
    """Time, chance, network and threads; a simulation brings its own. Times are in seconds.

    `begin` is how requests to AWS go side by side, None for threads of one's own. `resolver` looks
    up whose files are downloaded, and `may_reach` says to which addresses a download of the
    product flow may go.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    begin: Begin | None = None
    transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport
    resolver: Resolve = resolve
    may_reach: Callable[[str], bool] = is_elsewhere


class _PimSettings(Protocol):
    """The settings that say which PIM, with which credentials, and where its token is kept."""

    @property
    def akeneo_url(self) -> str: ...
    @property
    def akeneo_secret_arn(self) -> str: ...
    @property
    def state_table(self) -> str: ...


def pim_of(settings: _PimSettings, aws: AwsClients, around: Surroundings, flow: str) -> Pim:
    """Connect to the PIM when it is first asked; `flow` names whose token it is."""
    pace = OptionPace(aws.dynamodb, settings.state_table, now=around.now, sleep=around.sleep)
    tokens = DynamoDbTokenStore(aws.dynamodb, settings.state_table, flow)

    def connect(credentials: Credentials, transport: httpx.BaseTransport) -> AkeneoClient:
        return AkeneoClient(
            settings.akeneo_url,
            credentials,
            pace=pace,
            token_store=tokens,
            transport=transport,
            now=around.now,
            sleep=around.sleep,
            jitter=around.jitter,
        )

    return Pim(
        lambda: read_credentials(aws.secrets, settings.akeneo_secret_arn),
        connect,
        around.transport,
    )


# Puts the mapper together from its settings and its AWS clients.


class MapperClients(AwsClients, frozen=True, kw_only=True):
    """What the mapper asks of AWS: it also tells the housekeeping that a run is settled."""

    events: EventBridgeClient


class MapperParts(Struct, frozen=True, kw_only=True):
    """A worker, and the queues that it is told to speak to; `close` ends its connections."""

    worker: Worker
    receipts: Receipts
    close: Callable[[], None]


def compose(
    settings: MapperSettings, aws: MapperClients, surroundings: Surroundings | None = None
) -> MapperParts:
    """Build everything once; nothing is asked of AWS or the PIM before the first message."""
    around = surroundings or Surroundings()
    pim = pim_of(settings, aws, around, "product")
    downloads = Downloads(
        PRODUCT_LIMITS,
        hosts=None,
        transport=around.transport(),
        resolver=around.resolver,
        may_reach=around.may_reach,
    )
    parts = _parts(settings, aws, around, pim, downloads)
    breaker = Breaker(aws.dynamodb, settings.state_table)
    receipts = Receipts(aws.sqs, settings.product_queue_url, settings.product_dead_letter_queue_url)
    worker = Worker(pim, parts, breaker, now=around.now, jitter=around.jitter)

    def close() -> None:
        downloads.close()
        pim.close()

    return MapperParts(worker=worker, receipts=receipts, close=close)


def _parts(
    settings: MapperSettings,
    aws: MapperClients,
    around: Surroundings,
    pim: Pim,
    downloads: Downloads,
) -> DeliveryParts:
    runs = Table(aws.dynamodb, settings.run_table, sleep=around.sleep, jitter=around.jitter)
    bucket = Bucket(aws.s3, settings.bucket, sleep=around.sleep)
    queue = FifoQueue(aws.sqs, settings.product_queue_url, sleep=around.sleep, jitter=around.jitter)
    begin = around.begin or Threads()
    sync_state = SyncState(
        aws.dynamodb,
        settings.sync_state_table,
        begin=begin,
        sleep=around.sleep,
        jitter=around.jitter,
    )
    structures = StructureCache(
        bucket, lambda codes: fetch_structure(pim.client(), codes), now=around.now
    )
    return DeliveryParts(
        sync_state=sync_state,
        deliveries=Deliveries(runs, now=around.now),
        parents=Parents(Parking(runs), bucket, queue, now=around.now),
        compiled_mappings=CompiledMappings(bucket),
        structures=structures,
        kept=Kept(bucket),
        media=MediaFiles(aws.s3, settings.bucket, downloads),
        announcements=Announcements(aws.events, settings.event_bus, settings.stack_name),
        begin=begin,
    )
