"""Redrive: dead letters go back into their message groups, and their attempts count from 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws

from pim_connector.aws.queue import MANY, Redriven, redrive
from pim_connector.errors import ConfigurationError
from tests.integration.stack import Stack, credentials


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    credentials(monkeypatch)
    with mock_aws():
        stack = Stack()
        stack.build()
        yield stack


def put(stack: Stack, queue: str, body: str, group: str = "group-1") -> None:
    stack.sqs.send_message(
        QueueUrl=stack.urls[queue],
        MessageBody=body,
        MessageGroupId=group,
        MessageDeduplicationId=f"dedup-{body}",
    )


def taken(stack: Stack, queue: str) -> list[tuple[str, str]]:
    """Take everything out of a queue: bodies and groups."""
    url, found = stack.urls[queue], []
    while messages := stack.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            found.append((message["Body"], message["Attributes"]["MessageGroupId"]))
            stack.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return found


def moved(stack: Stack) -> Redriven:
    return redrive(stack.sqs, stack.urls["dead-products"], stack.urls["products"])


def test_dead_letters_go_back_into_their_group_though_they_were_sent_a_minute_ago(
    stack: Stack,
) -> None:
    letters = [(f"m{number}", f"group-{number % 2}") for number in range(12)]
    for body, group in letters:
        put(stack, "products", body, group)
    assert len(taken(stack, "products")) == 12
    for body, group in letters:
        put(stack, "dead-products", body, group)
    assert moved(stack) == Redriven(messages=12, by_sqs=False)
    assert sorted(taken(stack, "products")) == sorted(letters)
    assert taken(stack, "dead-products") == []


def test_an_empty_queue_is_no_trouble(stack: Stack) -> None:
    assert moved(stack) == Redriven(messages=0, by_sqs=False)


def test_a_queue_that_is_not_there_is_named(stack: Stack) -> None:
    with pytest.raises(ConfigurationError, match="check the name"):
        redrive(stack.sqs, stack.urls["products"] + "x", stack.urls["products"])


def stubbed(stack: Stack) -> tuple[Any, Stubber]:
    client = boto3.client("sqs")
    stubber = Stubber(client)
    count = {"Attributes": {"ApproximateNumberOfMessages": str(MANY + 1)}}
    stubber.add_response("get_queue_attributes", count)
    for name in ("dead", "live"):
        stubber.add_response("get_queue_attributes", {"Attributes": {"QueueArn": name}})
    return client, stubber


def test_a_great_many_are_moved_by_sqs(stack: Stack) -> None:
    client, stubber = stubbed(stack)
    asked = {"SourceArn": "dead", "DestinationArn": "live"}
    stubber.add_response("start_message_move_task", {"TaskHandle": "t"}, asked)
    for status in ("RUNNING", "COMPLETED"):
        task = {"Status": status, "ApproximateNumberOfMessagesMoved": 1_234}
        stubber.add_response("list_message_move_tasks", {"Results": [task]})
    slept: list[float] = []
    with stubber:
        assert redrive(client, "dead", "live", sleep=slept.append).messages == 1_234
    assert len(slept) == 1


def test_where_sqs_cannot_move_them_they_go_one_by_one(stack: Stack) -> None:
    client, stubber = stubbed(stack)
    stubber.add_client_error("start_message_move_task", "InvalidAction")
    attributes = {"MessageGroupId": "group-3", "MessageDeduplicationId": "d"}
    letter = {"Body": "b", "MessageId": "m", "ReceiptHandle": "r", "Attributes": attributes}
    stubber.add_response("receive_message", {"Messages": [letter]})
    sent = {
        "QueueUrl": "live",
        "MessageBody": "b",
        "MessageGroupId": "group-3",
        "MessageDeduplicationId": ANY,
    }
    stubber.add_response("send_message", {}, sent)
    stubber.add_response("delete_message", {})
    stubber.add_response("receive_message", {})
    with stubber:
        assert redrive(client, "dead", "live") == Redriven(messages=1, by_sqs=False)
