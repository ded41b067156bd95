"""Sends messages to an SQS FIFO queue in batches, and again those that SQS refused."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.errors import ConfigurationError, RejectedError, TransientError
from pim_connector.messages import MAX_BYTES

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES: Final = 10
"""SendMessageBatch's limits: 10 entries, 1 MiB over all
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html)."""
ATTEMPTS: Final = 8
_CONFIGURATION = frozenset(
    {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "AccessDenied"}
    | {"AccessDeniedException"}
)


class Outgoing(Struct, frozen=True, kw_only=True):
    """A message for a FIFO queue; `body` is UTF-8 and at most 1 MiB."""

    group: str
    deduplication: str
    body: bytes


class FifoQueue:
    """One FIFO queue to send to.

    `sleep` takes seconds, `jitter` gives 0 … 1: they make the back-off between attempts.
    """

    def __init__(
        self,
        client: SQSClient,
        url: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._client = client
        self._url = url
        self._sleep = sleep
        self._jitter = jitter

    def send(self, messages: Iterable[Outgoing]) -> None:
        """Send all messages, each group in its order.

        One request carries at most one message of a group: SQS may refuse one entry of a batch
        and take the next, and in one group that would turn their order around.

        Raises TransientError when SQS keeps refusing (some may have been sent: sending them again
        within five minutes sends nothing, after that the message repeats), RejectedError for a
        message that SQS will never take, ConfigurationError without queue or rights.
        """
        waiting = list(messages)
        attempt = 0
        while waiting:
            batch = _batch(waiting)
            sent = self._send_batch(batch)
            done = {id(batch[index]) for index in sent}
            waiting = [message for message in waiting if id(message) not in done]
            if len(sent) == len(batch):
                attempt = 0
                continue
            attempt += 1
            if attempt == ATTEMPTS:
                raise TransientError(f"SQS refused {len(batch) - len(sent)} messages; try again")
            self._sleep(min(5.0, 0.1 * 2**attempt) * (0.5 + self._jitter() / 2))

    def _send_batch(self, batch: list[Outgoing]) -> set[int]:
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(index),
                "MessageBody": message.body.decode(),
                "MessageGroupId": message.group,
                "MessageDeduplicationId": message.deduplication,
            }
            for index, message in enumerate(batch)
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _CONFIGURATION:
                raise ConfigurationError(f"queue {self._url}: {code}; check URL, rights") from error
            raise TransientError(f"queue {self._url} took nothing: {code}") from error
        except BotoCoreError as error:
            raise TransientError(f"queue {self._url} took nothing: {error}") from error
        for refused in answer.get("Failed", []):
            if refused.get("SenderFault"):
                name = batch[int(refused["Id"])].deduplication
                reason = f"{refused.get('Code')}: {refused.get('Message', '')}"
                raise RejectedError(f"queue {self._url} will not take message {name}: {reason}")
        return {int(taken["Id"]) for taken in answer.get("Successful", [])}


def _batch(waiting: list[Outgoing]) -> list[Outgoing]:
    batch: list[Outgoing] = []
    groups: set[str] = set()
    weight = 0
    for message in waiting:
        if message.group in groups:
            continue
        groups.add(message.group)
        if batch and weight + len(message.body) > MAX_BYTES:
            continue
        batch.append(message)
        weight += len(message.body)
        if len(batch) == MAX_ENTRIES:
            break
    return batch
