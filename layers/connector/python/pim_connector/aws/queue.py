"""Sends messages to an SQS FIFO queue in batches, and again those that SQS refused."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError
from msgspec import Struct

from pim_connector.aws.errors import DENIED, backoff, code_of, translated
from pim_connector.errors import ConnectorError, RejectedError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

MAX_ENTRIES: Final = 10
"""SendMessageBatch's limits: 10 entries, 1 MiB over all
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html)."""
MAX_BYTES: Final = 1_048_576
"""One SQS message, and the sum of the messages of one batch request."""
ATTEMPTS: Final = 8


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
            self._sleep(backoff(attempt, self._jitter()))

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
        with translated(f"queue {self._url} took nothing"):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
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


# Looks into a dead-letter queue without taking anything out of it.


LOOK_SECONDS: Final = 60
"""How long what is looked at stays out of others' sight, should the looking break off."""
MAX_LOOKS: Final = 50


class DeadLetters:
    """One dead-letter queue; at most 500 messages of it are seen at a time."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def bodies(self) -> Iterator[str]:
        """Return the bodies that lie there, and leave all of them there."""
        handles: list[str] = []
        try:
            for _ in range(MAX_LOOKS):
                with translated(f"queue {self._url} cannot be read"):
                    answer = self._client.receive_message(
                        QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK_SECONDS
                    )
                messages = answer.get("Messages", [])
                if not messages:
                    return
                handles += [message["ReceiptHandle"] for message in messages]
                yield from (message["Body"] for message in messages)
        finally:
            for handle in handles:
                # Where this fails the message is out of sight for a minute, and back by itself.
                with suppress(ConnectorError), translated("a dead letter is put back"):
                    self._client.change_message_visibility(
                        QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0
                    )


# Puts what lies in a dead-letter queue back into the queue it came from.
#
# Message by message, each with a new deduplication id: with its first one SQS would take it and
# drop
# it within five minutes of the first sending. Where there are a great many, SQS moves them itself,
# if it can (StartMessageMoveTask). Both keep the message group, so one product is still
# written by one worker. The attempts of a message count from 1 again: whoever put it aside has
# forgotten them.


MANY: Final = 1_000
HOLD_SECONDS: Final = 120
POLL_SECONDS: Final = 1.0


class Redriven(Struct, frozen=True, kw_only=True):
    """How many messages went back, and whether SQS moved them itself."""

    messages: int
    by_sqs: bool


def redrive(
    client: SQSClient,
    dead_letters: str,
    queue: str,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Redriven:
    """Move all messages of the queue with URL `dead_letters` to the queue with URL `queue`.

    May be called again at any time. ConfigurationError where a right is missing, TransientError
    where SQS does not answer.
    """
    with translated(f"{dead_letters} could not be redriven"):
        many = _count(client, dead_letters) > MANY
        moved = _moved_by_sqs(client, dead_letters, queue, sleep) if many else None
        if moved is not None:
            return Redriven(messages=moved, by_sqs=True)
        return Redriven(messages=_moved_one_by_one(client, dead_letters, queue), by_sqs=False)


def _moved_by_sqs(
    client: SQSClient, dead_letters: str, queue: str, sleep: Callable[[float], None]
) -> int | None:
    """Have SQS move them and wait for it; None where this SQS cannot do that."""
    source, target = _arn(client, dead_letters), _arn(client, queue)
    try:
        client.start_message_move_task(SourceArn=source, DestinationArn=target)
    except ClientError as error:
        if code_of(error) in DENIED:
            raise
        return None
    except NotImplementedError:
        return None
    while True:
        task = client.list_message_move_tasks(SourceArn=source, MaxResults=1)["Results"][0]
        if task["Status"] != "RUNNING":
            break
        sleep(POLL_SECONDS)
    if task["Status"] != "COMPLETED":
        reason = task.get("FailureReason", task["Status"])
        raise TransientError(f"SQS stopped moving the messages of {dead_letters}: {reason}")
    return int(task["ApproximateNumberOfMessagesMoved"])


def _moved_one_by_one(client: SQSClient, dead_letters: str, queue: str) -> int:
    """Receive, send, delete; a message that was sent and not deleted is sent again next time.

    Within five minutes that adds nothing; later the run table of its run know that it is done.
    """
    moved = 0
    while True:
        answer = client.receive_message(
            QueueUrl=dead_letters,
            MaxNumberOfMessages=10,
            VisibilityTimeout=HOLD_SECONDS,
            AttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return moved
        for message in messages:
            attributes = message["Attributes"]
            client.send_message(
                QueueUrl=queue,
                MessageBody=message["Body"],
                MessageGroupId=attributes["MessageGroupId"],
                MessageDeduplicationId=f"redriven-{message['MessageId']}",
            )
            client.delete_message(QueueUrl=dead_letters, ReceiptHandle=message["ReceiptHandle"])
            moved += 1


def _count(client: SQSClient, url: str) -> int:
    found = client.get_queue_attributes(
        QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def _arn(client: SQSClient, url: str) -> str:
    found = client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(found["Attributes"]["QueueArn"])


# What the mapper tells the product queue about a message it holds.


LONGEST_SECONDS = 12 * 3600
"""SQS hides a message no longer
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html)."""
QUICK_RECEIVES: Final = 200
SLOW_SECONDS: Final = 1_600
"""SQS gives a message up at the 1,000th receive, and waiting for the PIM is no reason to: the first
200 waits may be short, 800 of 1,600 s are more than the 14 days that a message lives
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html)."""
AFTER_CRASH_SECONDS = 60
LONGEST_REASON = 1000


class Receipts:
    """The product queue and its dead-letter queue. TransientError where SQS does not answer."""

    def __init__(self, client: SQSClient, queue_url: str, dead_letter_queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def come_back(self, receipt_handle: str, seconds: int, *, received: int = 1) -> None:
        """Have the message, and with it its group, wait so long instead of the queue's time-out.

        One that was `received` very often waits longer, so that it is not given up for waiting.
        """
        least = SLOW_SECONDS if received > QUICK_RECEIVES else 0
        with translated("SQS could not keep a message waiting"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=max(least, min(seconds, LONGEST_SECONDS)),
            )

    def come_back_after_crash(self, receipt_handle: str) -> None:
        """Have a message wait for a minute whose attempt ended in a way nobody foresaw."""
        self.come_back(receipt_handle, AFTER_CRASH_SECONDS)

    def put_aside(self, body: str, attributes: Mapping[str, str], reason: str) -> None:
        """Send a message to the dead-letter queue, unchanged, with the reason as an attribute.

        `attributes` are those that SQS delivered it with. It stays in its message group and keeps
        its deduplication id, so that doing this again within five minutes adds nothing.
        """
        with translated("SQS could not take a dead letter"):
            self._client.send_message(
                QueueUrl=self._dead_letter_queue_url,
                MessageBody=body,
                MessageGroupId=attributes["MessageGroupId"],
                MessageDeduplicationId=attributes["MessageDeduplicationId"],
                MessageAttributes={
                    "reason": {"DataType": "String", "StringValue": _plain(reason)},
                },
            )


def _plain(reason: str) -> str:
    """Keep to the characters that SQS takes, and not too many of them."""
    return "".join(c if c.isprintable() else " " for c in reason)[:LONGEST_REASON] or "unknown"
