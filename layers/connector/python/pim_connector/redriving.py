"""Puts what lies in a dead-letter queue back into the queue it came from.

Message by message, each with a new deduplication id: with its first one SQS would take it and drop
it within five minutes of the first sending. Where there are a great many, SQS moves them itself,
if it can (StartMessageMoveTask). Both keep the lane (message group), so one product is still
written by one worker. The attempts of a message count from 1 again: whoever put it aside has
forgotten them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

MANY: Final = 1_000
HOLD_SECONDS: Final = 120
POLL_SECONDS: Final = 1.0
DENIED: Final = ("AccessDenied", "AccessDeniedException")


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
    try:
        many = _count(client, dead_letters) > MANY
        moved = _moved_by_sqs(client, dead_letters, queue, sleep) if many else None
        if moved is not None:
            return Redriven(messages=moved, by_sqs=True)
        return Redriven(messages=_moved_one_by_one(client, dead_letters, queue), by_sqs=False)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED or "NonExistentQueue" in code:
            raise ConfigurationError(f"{dead_letters}: {code}; check its URL and rights") from error
        raise TransientError(
            f"{dead_letters} could not be redriven: {code}; say it again"
        ) from error
    except BotoCoreError as error:
        raise TransientError(f"SQS did not answer: {error}; say it again") from error


def _moved_by_sqs(
    client: SQSClient, dead_letters: str, queue: str, sleep: Callable[[float], None]
) -> int | None:
    """Have SQS move them and wait for it; None where this SQS cannot do that."""
    source, target = _arn(client, dead_letters), _arn(client, queue)
    try:
        client.start_message_move_task(SourceArn=source, DestinationArn=target)
    except ClientError as error:
        if error.response["Error"]["Code"] in DENIED:
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

    Within five minutes that adds nothing; later the books of its run know that it is done.
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
