"""What the mapper and the asset mapper are put together from alike: AWS, surroundings, the PIM."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import httpx
from msgspec import Struct

from pim_connector.akeneo import AkeneoClient, Credentials, read_credentials
from pim_connector.akeneo.dynamodb_tokens import DynamoDbTokenStore
from pim_connector.delivery.pim import Pim
from pim_connector.media.addresses import Resolve, is_elsewhere, resolve
from pim_connector.pace import OptionPace

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sqs.client import SQSClient

    from pim_connector.threads import Begin


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


class PimSettings(Protocol):
    """The settings that say which PIM, with which credentials, and where its token is kept."""

    @property
    def akeneo_url(self) -> str: ...
    @property
    def akeneo_secret_arn(self) -> str: ...
    @property
    def state_table(self) -> str: ...


def pim_of(settings: PimSettings, aws: AwsClients, around: Surroundings, flow: str) -> Pim:
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
            chance=around.jitter,
        )

    return Pim(
        lambda: read_credentials(aws.secrets, settings.akeneo_secret_arn),
        connect,
        around.transport,
    )
