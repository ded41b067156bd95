"""Puts the mapper together from its settings and its AWS clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.breaker import Breaker
from pim_connector.bucket import Bucket
from pim_connector.composition import AwsClients, Surroundings, pim_of
from pim_connector.delivery.kept import Kept
from pim_connector.delivery.parents import Parents
from pim_connector.delivery.pim import Pim
from pim_connector.delivery.programs import Programs
from pim_connector.delivery.receipts import Receipts
from pim_connector.delivery.task import DeliveryParts
from pim_connector.delivery.worker import Worker
from pim_connector.ledger import Ledger
from pim_connector.media.downloads import Downloads
from pim_connector.media.places import PRODUCT_LIMITS, MediaFiles
from pim_connector.queues import FifoQueue
from pim_connector.runs.announcements import Announcements
from pim_connector.runs.deliveries import Deliveries
from pim_connector.runs.parking import Parking
from pim_connector.runs.table import RunTable
from pim_connector.structure import fetch_structure
from pim_connector.structure_cache import StructureCache
from pim_connector.threads import Threads

if TYPE_CHECKING:
    from mypy_boto3_events.client import EventBridgeClient

    from pim_connector.settings import MapperSettings


class MapperClients(AwsClients, frozen=True, kw_only=True):
    """What the mapper asks of AWS: it also tells the caretaker that a run is settled."""

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
    runs = RunTable(aws.dynamodb, settings.run_table, sleep=around.sleep, jitter=around.jitter)
    bucket = Bucket(aws.s3, settings.bucket, sleep=around.sleep)
    queue = FifoQueue(aws.sqs, settings.product_queue_url, sleep=around.sleep, jitter=around.jitter)
    begin = around.begin or Threads()
    ledger = Ledger(
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
        ledger=ledger,
        deliveries=Deliveries(runs, now=around.now),
        parents=Parents(Parking(runs), bucket, queue, now=around.now),
        programs=Programs(bucket),
        structures=structures,
        kept=Kept(bucket),
        media=MediaFiles(aws.s3, settings.bucket, downloads),
        announcements=Announcements(aws.events, settings.event_bus),
        begin=begin,
    )
