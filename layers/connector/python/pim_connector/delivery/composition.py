"""Puts the mapper together from its settings and its AWS clients."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx

from pim_connector.akeneo import AkeneoClient, Credentials, read_credentials
from pim_connector.akeneo.dynamodb_tokens import DynamoDbTokenStore
from pim_connector.breaker import Breaker
from pim_connector.bucket import Bucket
from pim_connector.delivery.kept import Kept
from pim_connector.delivery.parents import Parents
from pim_connector.delivery.pim import Pim
from pim_connector.delivery.programs import Programs
from pim_connector.delivery.receipts import Receipts
from pim_connector.delivery.task import DeliveryParts
from pim_connector.delivery.worker import Worker
from pim_connector.ledger import Ledger
from pim_connector.media import MediaFiles, is_elsewhere
from pim_connector.pace import OptionPace
from pim_connector.queues import FifoQueue
from pim_connector.runs.announcements import Announcements
from pim_connector.runs.deliveries import Deliveries
from pim_connector.runs.parking import Parking
from pim_connector.runs.table import RunTable
from pim_connector.structure import fetch_structure
from pim_connector.structure_cache import StructureCache

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient

    from pim_connector.settings import MapperSettings

MEDIA_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsClients:
    """What the mapper asks of AWS."""

    s3: S3Client
    sqs: SQSClient
    dynamodb: DynamoDBClient
    secrets: SecretsManagerClient
    events: EventBridgeClient


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Time, chance and network; a simulation brings its own. Times are in seconds."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport
    may_ask: Callable[[str], bool] = is_elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class MapperParts:
    """A worker, and the queues that it is told to speak to; `close` ends its connections."""

    worker: Worker
    receipts: Receipts
    close: Callable[[], None]


def compose(
    settings: MapperSettings, aws: AwsClients, surroundings: Surroundings | None = None
) -> MapperParts:
    """Build everything once; nothing is asked of AWS or the PIM before the first message."""
    around = surroundings or Surroundings()
    pim = _pim(settings, aws, around)
    http = httpx.Client(timeout=MEDIA_TIMEOUT_SECONDS, transport=around.transport())
    parts = _parts(settings, aws, around, pim, http)
    breaker = Breaker(aws.dynamodb, settings.state_table)
    receipts = Receipts(aws.sqs, settings.product_queue_url, settings.product_dead_letter_queue_url)
    worker = Worker(pim, parts, breaker, now=around.now, jitter=around.jitter)

    def close() -> None:
        http.close()
        pim.close()

    return MapperParts(worker=worker, receipts=receipts, close=close)


def _pim(settings: MapperSettings, aws: AwsClients, around: Surroundings) -> Pim:
    pace = OptionPace(aws.dynamodb, settings.state_table, now=around.now, sleep=around.sleep)
    tokens = DynamoDbTokenStore(aws.dynamodb, settings.state_table, "product")

    def connect(credentials: Credentials, transport: httpx.BaseTransport) -> AkeneoClient:
        return AkeneoClient(
            settings.akeneo_url,
            credentials,
            pace=pace,
            token_store=tokens,
            transport=transport,
            now=around.now,
            sleep=around.sleep,
            chance=around.jitter,
        )

    return Pim(
        lambda: read_credentials(aws.secrets, settings.akeneo_secret_arn),
        connect,
        around.transport,
    )


def _parts(
    settings: MapperSettings, aws: AwsClients, around: Surroundings, pim: Pim, http: httpx.Client
) -> DeliveryParts:
    runs = RunTable(aws.dynamodb, settings.run_table, sleep=around.sleep, jitter=around.jitter)
    bucket = Bucket(aws.s3, settings.bucket, sleep=around.sleep)
    queue = FifoQueue(aws.sqs, settings.product_queue_url, sleep=around.sleep, jitter=around.jitter)
    ledger = Ledger(aws.dynamodb, settings.ledger_table, sleep=around.sleep, jitter=around.jitter)
    structures = StructureCache(
        bucket, lambda codes: fetch_structure(pim.client(), codes), now=around.now
    )
    return DeliveryParts(
        ledger=ledger,
        deliveries=Deliveries(runs, now=around.now),
        parents=Parents(Parking(runs), bucket, queue, now=around.now),
        programs=Programs(bucket),
        structures=structures,
        kept=Kept(bucket),
        media=MediaFiles(aws.s3, settings.bucket, http, may_ask=around.may_ask),
        announcements=Announcements(aws.events, settings.event_bus),
    )
