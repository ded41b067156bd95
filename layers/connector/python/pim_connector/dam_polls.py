"""Puts the DAM poller together from its settings and its AWS clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from pim_connector.assets.ledger import AssetLedger
from pim_connector.assets.reconcile_round import ReconcileRound
from pim_connector.assets.reconcile_walk import Walks
from pim_connector.bucket import Bucket
from pim_connector.dam.cursor import CursorTable
from pim_connector.dam.http import Clocks
from pim_connector.dam.rounds import Round
from pim_connector.queues import FifoQueue
from pim_connector.runs.leases import Leases
from pim_connector.runs.table import RunTable
from pim_connector.source_files import SourceFiles
from pim_connector.webhooks.queueing import AssetQueue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient

    from pim_connector.settings import DamPollerSettings


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
        self._lanes = settings.asset_concurrent_calls
        self._state = RunTable(dynamodb, settings.state_table)
        self._ledger = AssetLedger(dynamodb, settings.sync_state_table)
        self._queue = FifoQueue(sqs, settings.asset_queue_url)
        self._bucket = Bucket(s3, settings.bucket)
        self._files = SourceFiles(self._bucket, secrets)

    def of(self, owner: str, time_left: Callable[[], float]) -> Rounds:
        """Give the rounds of one invocation; `owner` names it, `time_left` is in seconds."""
        clocks = Clocks(time_left=time_left)
        polling = Round(
            files=self._files,
            cursors=CursorTable(self._state),
            leases=Leases(self._state),
            queue=self._queue,
            lanes=self._lanes,
            owner=owner,
            clocks=clocks,
        )
        reconciling = ReconcileRound(
            files=self._files,
            ledger=self._ledger,
            state=self._state,
            walks=Walks(self._bucket),
            queue=AssetQueue(self._queue, lanes=self._lanes),
            lanes=self._lanes,
            owner=owner,
            clocks=clocks,
        )
        return Rounds(polling=polling, reconciling=reconciling)
