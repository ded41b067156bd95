"""What the mapper tells the product queue about a message it holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

LONGEST_SECONDS = 12 * 3600
"""SQS hides a message no longer
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html)."""
AFTER_CRASH_SECONDS = 60
LONGEST_REASON = 1000


class Receipts:
    """The product queue and its dead-letter queue. TransientError where SQS does not answer."""

    def __init__(self, client: SQSClient, queue_url: str, dead_letter_queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._dead_letter_queue_url = dead_letter_queue_url

    def come_back(self, receipt_handle: str, seconds: int) -> None:
        """Have the message, and with it its lane, wait so long instead of the queue's time-out."""
        with _transient("keep a message waiting"):
            self._client.change_message_visibility(
                QueueUrl=self._queue_url,
                ReceiptHandle=receipt_handle,
                VisibilityTimeout=max(0, min(seconds, LONGEST_SECONDS)),
            )

    def come_back_after_crash(self, receipt_handle: str) -> None:
        """Have a message wait for a minute whose attempt ended in a way nobody foresaw."""
        self.come_back(receipt_handle, AFTER_CRASH_SECONDS)

    def put_aside(self, body: str, attributes: Mapping[str, str], reason: str) -> None:
        """Send a message to the dead-letter queue, unchanged, with the reason as an attribute.

        `attributes` are those that SQS delivered it with. It stays in its lane and keeps its
        deduplication id, so that doing this again within five minutes adds nothing.
        """
        with _transient("take a dead letter"):
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


@contextmanager
def _transient(what: str) -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise TransientError(f"SQS could not {what}: {error}") from error
