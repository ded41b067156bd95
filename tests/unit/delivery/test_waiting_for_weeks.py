"""A PIM that cannot be written to for two weeks sends no message to the dead-letter queue."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import Any, get_args

import pytest

from pim_connector.akeneo.pim import Breaker, Closed, Open, Reason
from pim_connector.aws.queue import QUICK_RECEIVES, SLOW_SECONDS, Receipts
from tests.nights.aws.dynamodb import DynamoDB
from tests.nights.aws.faults import Faults
from tests.unit.test_template import QUEUES

DAY = 86_400
QUEUE = QUEUES["ProductQueue"]
LIVES = int(QUEUE["MessageRetentionPeriod"])
GIVEN_UP = int(QUEUE["RedrivePolicy"]["maxReceiveCount"])


class Sqs:
    """Remembers for how long a message is hidden."""

    hidden = 0

    def change_message_visibility(self, **said: Any) -> None:
        self.hidden = said["VisibilityTimeout"]


class Outage:
    """The heads of some message groups while the PIM refuses, by a clock of its own."""

    def __init__(self, groups: int, reason: Reason, ends: float) -> None:
        self.sqs = Sqs()
        self.receipts = Receipts(self.sqs, "queue", "dead")  # type: ignore[arg-type]  # as much as it needs
        table = DynamoDB(Faults())
        table.add_table("state", "pk")
        self.breaker = Breaker(table, "state")  # type: ignore[arg-type]  # as much as it needs
        self.reason: Reason = reason
        self.ends = ends
        self.due = [(float(group), group) for group in range(groups)]
        self.receives: Counter[int] = Counter()
        self.delivered: dict[int, float] = {}

    def until(self, end: float) -> None:
        while self.due and self.due[0][0] < end:
            now, group = heapq.heappop(self.due)
            self.receives[group] += 1
            wait = self.attempt(group, now)
            if wait is None:
                self.delivered[group] = now
                continue
            self.receipts.come_back("receipt", wait, received=self.receives[group])
            heapq.heappush(self.due, (now + self.sqs.hidden, group))

    def attempt(self, group: int, now: float) -> int | None:
        """Return the seconds to wait, None if the PIM took the message."""
        gate = self.breaker.enter(now)
        if isinstance(gate, Open):
            return gate.wait
        if now < self.ends:
            return self.breaker.failed(gate, self.reason, now, f"head {group}")
        if not isinstance(gate, Closed):
            self.breaker.succeeded(gate)
        return None


@pytest.mark.parametrize("reason", get_args(Reason))
@pytest.mark.parametrize("groups", [1, 4, 8])
def test_a_message_lives_as_long_as_sqs_keeps_it_whatever_it_waits_for(
    reason: Reason, groups: int
) -> None:
    outage = Outage(groups, reason, ends=30 * DAY)

    outage.until(LIVES)

    assert max(outage.receives.values()) < GIVEN_UP
    assert min(outage.receives.values()) > LIVES / 3_600, "somebody tries every hour at least"


@pytest.mark.parametrize("reason", get_args(Reason))
def test_messages_go_on_within_half_an_hour_after_two_weeks_of_waiting(reason: Reason) -> None:
    ends = LIVES - 3_600.0
    outage = Outage(4, reason, ends=ends)

    outage.until(LIVES)

    assert set(outage.delivered) == {0, 1, 2, 3}
    assert max(outage.delivered.values()) - ends < 2 * SLOW_SECONDS


def test_the_first_hours_of_an_outage_are_waited_for_as_quickly_as_ever() -> None:
    outage = Outage(4, "credentials", ends=6 * 3_600)

    outage.until(DAY)

    assert max(outage.receives.values()) < QUICK_RECEIVES
    assert max(outage.delivered.values()) - 6 * 3_600 <= 360


@pytest.mark.parametrize("queue", ["ProductQueue", "AssetQueue"])
def test_the_slow_waits_alone_are_longer_than_a_message_lives(queue: str) -> None:
    receives = QUEUES[queue]["RedrivePolicy"]["maxReceiveCount"]
    slow = min(SLOW_SECONDS, QUEUES[queue]["VisibilityTimeout"])
    assert (receives - 1 - QUICK_RECEIVES) * slow > QUEUES[queue]["MessageRetentionPeriod"]
