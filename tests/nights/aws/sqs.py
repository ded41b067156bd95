"""FIFO queues: groups, deduplication, visibility, redrive, at the time of the simulated clock."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from tests.nights.aws.client_meta import ClientMeta
from tests.nights.aws.faults import Clock, Faults, refusal

MAX_BYTES = 1_048_576
DEDUPLICATION_SECONDS = 300


@dataclass
class Message:
    id: str
    body: str
    group: str
    deduplication: str
    sent: float
    visible: float
    received: int = 0
    receipt: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)

    def as_record(self, arn: str) -> dict[str, Any]:
        """Give the message as Lambda's event source hands it over."""
        return {
            "messageId": self.id,
            "receiptHandle": self.receipt,
            "body": self.body,
            "attributes": {
                "ApproximateReceiveCount": str(self.received),
                "SentTimestamp": str(int(self.sent * 1000)),
                "MessageGroupId": self.group,
                "MessageDeduplicationId": self.deduplication,
                "SenderId": "nights",
                "ApproximateFirstReceiveTimestamp": str(int(self.sent * 1000)),
            },
            "messageAttributes": self.attributes,
            "md5OfBody": hashlib.md5(self.body.encode(), usedforsecurity=False).hexdigest(),
            "eventSource": "aws:sqs",
            "eventSourceARN": arn,
            "awsRegion": "us-east-1",
        }


@dataclass
class Queue:
    """One FIFO queue; `dead` is where a message goes after `most_receives`."""

    name: str
    dead: Queue | None = None
    most_receives: int = 1000
    visibility: float = 5400.0
    messages: list[Message] = field(default_factory=list)
    seen: dict[str, float] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://sqs.us-east-1.amazonaws.com/123456789012/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:us-east-1:123456789012:{self.name}"

    def receive(self, clock: Clock, count: int, seconds: float | None = None) -> list[Message]:
        """Hand out the heads of groups that have nothing in flight, in order.

        `seconds` is how long they stay out of sight, otherwise the queue's own time.
        """
        blocked = {m.group for m in self.messages if m.visible > clock.now}
        out: list[Message] = []
        for message in list(self.messages):
            if len(out) == count:
                break
            if message.group in blocked:
                continue
            if self.dead is not None and message.received >= self.most_receives:
                self.messages.remove(message)
                self.dead.messages.append(message)
                continue
            message.received += 1
            message.visible = clock.now + (self.visibility if seconds is None else seconds)
            message.receipt = f"{message.id}/{message.received}"
            out.append(message)
        return out

    def next_visible(self) -> float | None:
        """Give the time at which the next group has something to hand out."""
        heads: dict[str, float] = {}
        for message in self.messages:
            heads[message.group] = max(heads.get(message.group, 0.0), message.visible)
        return min(heads.values(), default=None)


class SQS:
    """The part of boto3's SQS client that the connector uses."""

    meta = ClientMeta()

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock = clock
        self._faults = faults
        self._sent = 0
        self.queues: dict[str, Queue] = {}
        self.refuse_entries = 0

    def add_queue(self, queue: Queue) -> Queue:
        self.queues[queue.url] = queue
        return queue

    def send_message(self, *, QueueUrl: str, **entry: Any) -> dict[str, Any]:
        self._faults.before("sqs.send_message")
        message = self._send(self.queues[QueueUrl], entry)
        self._faults.after("sqs.send_message")
        return {"MessageId": message}

    def send_message_batch(self, *, QueueUrl: str, Entries: list[Any]) -> dict[str, Any]:
        self._faults.before("sqs.send_message_batch")
        total = sum(len(entry["MessageBody"].encode()) for entry in Entries)
        if len(Entries) > 10 or total > MAX_BYTES:
            raise refusal("AWS.SimpleQueueService.BatchRequestTooLong", "SendMessageBatch")
        done, failed = [], []
        for entry in Entries:
            if self.refuse_entries:
                self.refuse_entries -= 1
                failed.append({"Id": entry["Id"], "Code": "InternalError", "SenderFault": False})
                continue
            message = self._send(self.queues[QueueUrl], entry)
            done.append({"Id": entry["Id"], "MessageId": message})
        self._faults.after("sqs.send_message_batch")
        answer: dict[str, Any] = {"Successful": done}
        return answer | ({"Failed": failed} if failed else {})

    def change_message_visibility(
        self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int
    ) -> dict[str, Any]:
        self._faults.before("sqs.change_message_visibility")
        for message in self.queues[QueueUrl].messages:
            if message.receipt == ReceiptHandle:
                message.visible = self._clock.now + VisibilityTimeout
        self._faults.after("sqs.change_message_visibility")
        return {}

    def receive_message(self, *, QueueUrl: str, **options: Any) -> dict[str, Any]:
        self._faults.before("sqs.receive_message")
        queue = self.queues[QueueUrl]
        found = queue.receive(
            self._clock, options.get("MaxNumberOfMessages", 1), options.get("VisibilityTimeout")
        )
        messages = [
            {
                "MessageId": m.id,
                "ReceiptHandle": m.receipt,
                "Body": m.body,
                "Attributes": m.as_record(queue.arn)["attributes"],
                "MessageAttributes": m.attributes,
            }
            for m in found
        ]
        return {"Messages": messages} if messages else {}

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> dict[str, Any]:
        self._faults.before("sqs.get_queue_attributes")
        queue = self.queues[QueueUrl]
        visible = sum(message.visible <= self._clock.now for message in queue.messages)
        return {"Attributes": {"ApproximateNumberOfMessages": str(visible), "QueueArn": queue.arn}}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        self._faults.before("sqs.delete_message")
        queue = self.queues[QueueUrl]
        queue.messages = [m for m in queue.messages if m.receipt != ReceiptHandle]
        self._faults.after("sqs.delete_message")
        return {}

    def _send(self, queue: Queue, entry: dict[str, Any]) -> str:
        if len(entry["MessageBody"].encode()) > MAX_BYTES:
            raise refusal("InvalidParameterValue", "SendMessage", "longer than 1 MiB")
        self._sent += 1
        identity = f"m{self._sent}"
        key = entry["MessageDeduplicationId"]
        last = queue.seen.get(key)
        if last is None or self._clock.now - last > DEDUPLICATION_SECONDS:
            queue.seen[key] = self._clock.now
            queue.messages.append(
                Message(
                    id=identity,
                    body=entry["MessageBody"],
                    group=entry["MessageGroupId"],
                    deduplication=key,
                    sent=self._clock.now,
                    visible=0.0,
                    attributes=entry.get("MessageAttributes", {}),
                )
            )
        return identity
