"""The sender of the product queue, with SQS's answers played at the transport."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from pim_connector.aws.queue import MAX_BYTES, FifoQueue, Outgoing
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/products.fifo"


class Sqs:
    """A queue that refuses what it is told to, and remembers what it took, request by request."""

    def __init__(self) -> None:
        client = boto3.client(
            "sqs", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        self.requests: list[list[str]] = []
        self.bytes: list[int] = []
        self.taken: list[str] = []
        self.refusals: dict[str, int] = {}
        self.sender_fault = False
        self.slept: list[float] = []
        client.meta.events.register(
            "before-call.sqs.SendMessageBatch",
            self._answer,  # type: ignore[arg-type]  # the stubs do not know that it may answer
        )
        self.queue = FifoQueue(client, URL, sleep=self.slept.append, jitter=lambda: 0.5)

    def _answer(self, params: dict[str, Any], **_: Any) -> tuple[Any, dict[str, Any]]:

        entries = json.loads(params["body"])["Entries"]
        self.requests.append([entry["MessageDeduplicationId"] for entry in entries])
        self.bytes.append(sum(len(entry["MessageBody"]) for entry in entries))
        done, failed = [], []
        for entry in entries:
            name = entry["MessageDeduplicationId"]
            if self.refusals.get(name, 0) > 0:
                self.refusals[name] -= 1
                fault = {"SenderFault": self.sender_fault, "Code": "Nope", "Message": "no"}
                failed.append({"Id": entry["Id"]} | fault)
            else:
                self.taken.append(name)
                done.append({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x"})
        answer = {"Successful": done, "Failed": failed}
        return (type("Answer", (), {"status_code": 200})(), answer)


@pytest.fixture
def sqs() -> Sqs:
    return Sqs()


def message(name: str, group: int, body: bytes = b"{}") -> Outgoing:
    return Outgoing(group=f"group-{group}", deduplication=name, body=body)


def test_messages_go_in_batches_each_group_in_its_order(sqs: Sqs) -> None:
    sqs.queue.send(message(f"{number}-{group}", group) for number in range(3) for group in range(4))
    assert sqs.requests == [[f"{number}-{group}" for group in range(4)] for number in range(3)]


def test_only_refused_entries_are_sent_again_and_nothing_of_their_group_overtakes_them(
    sqs: Sqs,
) -> None:
    sqs.refusals = {"a1": 2}
    names = [("a1", 0), ("b1", 1), ("a2", 0), ("b2", 1)]
    sqs.queue.send(message(name, group) for name, group in names)
    assert sorted(sqs.taken) == ["a1", "a2", "b1", "b2"]
    assert sqs.taken.index("a1") < sqs.taken.index("a2")
    assert len(sqs.slept) == 2
    assert sqs.slept[0] < sqs.slept[1]


def test_a_batch_has_at_most_ten_messages_and_one_mebibyte(sqs: Sqs) -> None:
    half = b"x" * (MAX_BYTES // 2)
    sqs.queue.send(message(f"{group:02d}", group, half) for group in range(5))
    sqs.queue.send(message(f"small-{group}", group) for group in range(25))
    assert [len(names) for names in sqs.requests] == [2, 2, 1, 10, 10, 5]
    assert max(sqs.bytes) <= MAX_BYTES


def test_a_queue_that_keeps_refusing_is_told_as_transient_after_a_few_waits(sqs: Sqs) -> None:
    sqs.refusals = {"a1": 1_000}
    with pytest.raises(TransientError, match="refused 1 messages"):
        sqs.queue.send([message("a1", 0)])
    assert 3 <= len(sqs.slept) <= 10
    assert sum(sqs.slept) < 30


def test_what_sqs_will_never_take_is_not_sent_for_ever(sqs: Sqs) -> None:
    sqs.refusals, sqs.sender_fault = {"a1": 1_000}, True
    with pytest.raises(RejectedError, match="will not take message a1: Nope: no"):
        sqs.queue.send([message("a1", 0)])


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", ConfigurationError),
        ("AccessDenied", ConfigurationError),
        ("ServiceUnavailable", TransientError),
    ],
)
def test_an_error_of_the_whole_request_is_told_by_its_consequence(
    code: str, error: type[Exception]
) -> None:
    client = boto3.client(
        "sqs", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    with Stubber(client) as stubber:
        stubber.add_client_error("send_message_batch", code)
        with pytest.raises(error, match=code):
            FifoQueue(client, URL).send([message("a1", 0)])


def test_an_unreachable_queue_is_transient(sqs: Sqs) -> None:
    def unreachable(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=URL)

    sqs.queue._client.meta.events.register_first("before-call.sqs.SendMessageBatch", unreachable)
    with pytest.raises(TransientError, match="took nothing"):
        sqs.queue.send([message("a1", 0)])
