"""From counted requests, gigabyte-seconds and 64-KB chunks to money.

Every number follows from what the functions do: a change of theirs belongs here, too. Media files,
data transfer and storage are left out; the free tier is not taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from cli import prices
from pim_connector.messages import MAX_RECORDS
from pim_connector.runs.splits import WINDOW

MILLISECONDS_A_LINE: Final = 55.0
"""What one line of a PATCH takes in the PIM, measured with the real server."""
RECORD_BYTES: Final = 1_800
"""A record of a middling export; about 25 attributes."""
SPLITTER_RECORDS_A_SECOND: Final = 8_000
SPLITTER_GB: Final = 1.0
MAPPER_GB: Final = 1.0
CALL_OVERHEAD_SECONDS: Final = 0.3
CHUNK: Final = 65_536
DAYS: Final = 30
POLLERS: Final = 5
"""Lambda asks each queue that is idle with five long polls of 20 seconds
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html)."""
FIFO_QUEUES: Final = 2
STANDARD_QUEUES: Final = 1
ALARMS: Final = 3
TICKS_A_DAY: Final = 288


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One file: its records, how many of them the PIM has to hear of, and bytes a record."""

    records: int
    sent: int
    record_bytes: int = RECORD_BYTES
    lanes: int = 4
    milliseconds_a_line: float = MILLISECONDS_A_LINE

    @property
    def calls(self) -> int:
        """PIM calls, about: the last one of each lane is not full."""
        return ceil(self.sent / MAX_RECORDS) if self.sent else 0

    @property
    def seconds(self) -> float:
        """How long the PIM writes, all lanes busy."""
        return self.sent * self.milliseconds_a_line / 1_000 / self.lanes


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a file costs in dollars, by service."""

    splitter: float
    mapper: float
    queue: float
    ledger: float
    books: float
    files: float

    @property
    def total(self) -> float:
        return self.splitter + self.mapper + self.queue + self.ledger + self.books + self.files


def file_cost(volume: Volume) -> Bill:
    """Work out what one file costs."""
    windows = ceil(volume.records / WINDOW)
    message_bytes = min(volume.sent, MAX_RECORDS) * volume.record_bytes * 1.1
    chunks = max(1, ceil(message_bytes / CHUNK))
    call_seconds = CALL_OVERHEAD_SECONDS + (
        min(volume.sent, MAX_RECORDS) * volume.milliseconds_a_line / 1_000
    )
    return Bill(
        splitter=_lambda(1, volume.records / SPLITTER_RECORDS_A_SECOND, SPLITTER_GB),
        mapper=_lambda(volume.calls, call_seconds * volume.calls, MAPPER_GB),
        queue=volume.calls * (2 * chunks + 1) * prices.SQS_FIFO_REQUEST,
        ledger=volume.records * prices.DYNAMODB_READ
        + volume.sent * (prices.DYNAMODB_READ + prices.DYNAMODB_WRITE),
        books=_books(windows, volume.calls),
        files=(8 + windows / 50) * prices.S3_PUT + 12 * prices.S3_GET + 2 * prices.EVENT,
    )


def idle_month() -> float:
    """Work out a month in which no file comes: polls, schedules, alarms, secrets."""
    polls = POLLERS * 3 * 60 * 24 * DAYS
    ticks = 2 * TICKS_A_DAY * DAYS
    return (
        polls * (FIFO_QUEUES * prices.SQS_FIFO_REQUEST + STANDARD_QUEUES * prices.SQS_REQUEST)
        + ticks * (prices.SCHEDULE + prices.LAMBDA_REQUEST + 4 * prices.DYNAMODB_READ)
        + ticks * 0.5 * 0.5 * prices.LAMBDA_GB_SECOND
        + ALARMS * prices.ALARM_MONTH
        + prices.SECRET_MONTH
        + 0.1 * prices.LOGS_GB
    )


def nightly_month(records: int, share: float = 0.01) -> float:
    """Work out a month of nightly full exports of which `share` has changed, idling included."""
    return DAYS * file_cost(Volume(records=records, sent=round(records * share))).total + (
        idle_month()
    )


def _lambda(requests: int, seconds: float, gigabytes: float) -> float:
    return requests * prices.LAMBDA_REQUEST + seconds * gigabytes * prices.LAMBDA_GB_SECOND


def _books(windows: int, messages: int) -> float:
    """Count a window's item of some 9 KB and a message's of some 3 KB, both in transactions."""
    writes = windows * (2 * 9 + 2) + messages * (2 * 3 + 2 + 2) + 20
    reads = windows + messages * 5 + 40
    return writes * prices.DYNAMODB_WRITE + reads * prices.DYNAMODB_READ
