"""Looks into a dead-letter queue without taking anything out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

LOOK_SECONDS: Final = 60
"""How long what is looked at stays out of others' sight, should the looking break off."""
MAX_LOOKS: Final = 50


class DeadLetters:
    """One dead-letter queue; at most 500 messages of it are seen at a time."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def bodies(self) -> Iterator[str]:
        """Give the bodies that lie there, and leave all of them there."""
        handles: list[str] = []
        try:
            for _ in range(MAX_LOOKS):
                answer = self._client.receive_message(
                    QueueUrl=self._url, MaxNumberOfMessages=10, VisibilityTimeout=LOOK_SECONDS
                )
                messages = answer.get("Messages", [])
                if not messages:
                    return
                handles += [message["ReceiptHandle"] for message in messages]
                yield from (message["Body"] for message in messages)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if "NonExistentQueue" in code or "AccessDenied" in code:
                raise ConfigurationError(f"queue {self._url}: {code}; check URL, rights") from error
            raise TransientError(f"queue {self._url} cannot be read: {code}") from error
        except BotoCoreError as error:
            raise TransientError(f"queue {self._url} cannot be read: {error}") from error
        finally:
            for handle in handles:
                # Where this fails the message is out of sight for a minute, and back by itself.
                with suppress(ClientError, BotoCoreError):
                    self._client.change_message_visibility(
                        QueueUrl=self._url, ReceiptHandle=handle, VisibilityTimeout=0
                    )
