"""From counted requests, gigabyte-seconds and 64-KB chunks to money.

Every number follows from what the functions do: a change of theirs belongs here, too. Media files,
data transfer and storage are left out; the free tier is not taken off.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

from cli import prices
from pim_connector.sync.chunks import CHUNK
from pim_connector.sync.messages import MAX_RECORDS

MILLISECONDS_A_LINE: Final = 60.0
MOST_MILLISECONDS_A_LINE: Final = 500.0
"""What one line of a PATCH takes in the PIM: assumed, from a quick PIM to a slow one. Nobody
publishes a figure to rely on, and no hosted PIM was measured."""
RECORD_BYTES: Final = 1_800
"""A record of a middling export; about 25 attributes."""
SPLITTER_RECORDS_A_SECOND: Final = 8_000
"""Of one whole processor, with some in reserve (`benchmarks/RESULTS.md`)."""
SPLITTER_MB: Final = 1_769
MAPPER_MB: Final = 1_024
FULL_PROCESSOR_MB: Final = 1_769
"""Memory at which Lambda gives one processor; less gives a share of it
(https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html)."""
MAPPER_SECONDS_A_LINE: Final = 0.001
"""Processor time for mapping, sending and booking one record, boto3's own included."""
AWS_SECONDS_A_MESSAGE: Final = 0.05
"""What a message waits for DynamoDB, while the PIM has nothing of it."""
BILLED_BYTES: Final = 65_536
DAYS: Final = 30
POLLERS: Final = 5
"""Lambda asks each queue that is idle with five long polls of 20 seconds
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html)."""
ALARMS: Final = 20
"""Those that a stack without a DAM has by default."""
SECRETS: Final = 3
"""The PIM's, and two of the console. A DAM has one of its own."""
DAM_ALARMS: Final = 14
"""Those that a DAM adds by default."""
DAM_METRICS: Final = 1
"""How far behind the DAM is, which every poll says."""
KEEP_DAYS: Final = 90
"""Days that files are kept by default, twice: the upload, and its copy below done/."""
SYNC_STATE_BYTES: Final = 700
"""What the tables keep of a record, about, its index entries included."""
REPORT_BYTES_A_RECORD: Final = 4
"""What reports and lists of a run take, about, by record of its file."""
RUN_METRICS: Final = 24
"""What splitter, mapper and housekeeping send of a run besides, about."""
LOG_BYTES_A_MESSAGE: Final = 3_000
SWEEPS_A_DAY: Final = 288
HOURS_A_MONTH: Final = 730


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """One file: its records, how many of them the PIM has to hear of, and bytes a record.

    Of the `first` file of a source the splitter asks the sync state nothing.
    """

    records: int
    sent: int
    record_bytes: int = RECORD_BYTES
    groups: int = 4
    milliseconds_a_line: float = MILLISECONDS_A_LINE
    first: bool = False

    @property
    def calls(self) -> int:
        """PIM calls, about: the last one of each message group is not full."""
        return ceil(self.sent / MAX_RECORDS) if self.sent else 0

    @property
    def seconds(self) -> float:
        """How long the PIM writes, all message groups busy."""
        return self.sent * self.milliseconds_a_line / 1_000 / self.groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What AWS counts of one file: what `python -m benchmarks.cost` compares with the real flow.

    Reads are of 4 KB, writes of 1 KB, twice that in a transaction; `chunks` are of 64 KB, for
    sending and receiving.
    """

    messages: int
    chunks: int
    sync_state_reads: int
    sync_state_writes: int
    store_reads: int
    store_writes: int
    puts: int
    gets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a file costs in dollars, by service."""

    splitter: float
    mapper: float
    queue: float
    sync_state: float
    results: float
    files: float
    telemetry: float

    @property
    def total(self) -> float:
        return (
            self.splitter
            + self.mapper
            + self.queue
            + self.sync_state
            + self.results
            + self.files
            + self.telemetry
        )


def file_units(volume: Volume) -> Units:
    """Count what one file needs: a window's item has some 17 KB, a message's up to 2 KB.

    The mapper reads what is sent, the splitter before it what changed since the file before; where
    a job came between, or two files at once, each record is a read.
    """
    chunks, messages = ceil(volume.records / CHUNK), volume.calls
    message_bytes = min(volume.sent, MAX_RECORDS) * volume.record_bytes * 1.1
    return Units(
        messages=messages,
        chunks=2 * messages * max(1, ceil(message_bytes / BILLED_BYTES)),
        sync_state_reads=volume.sent * (1 if volume.first else 2),
        sync_state_writes=volume.sent,
        store_reads=chunks + messages * 3 + 40,
        store_writes=chunks * (2 * 17 + 4) + messages * (2 * 2 + 2 + 1) + 30,
        puts=10 + chunks // 50,
        gets=16,
    )


def file_cost(volume: Volume) -> Bill:
    """Work out what one file costs."""
    units = file_units(volume)
    hours = max(1, ceil(volume.seconds / 3_600))
    return Bill(
        splitter=_lambda(1, splitter_seconds(volume, SPLITTER_MB), SPLITTER_MB),
        mapper=_lambda(
            units.messages, units.messages * message_seconds(volume, MAPPER_MB), MAPPER_MB
        ),
        queue=(units.chunks + units.messages) * prices.SQS_FIFO_REQUEST,
        sync_state=units.sync_state_reads * prices.DYNAMODB_READ
        + units.sync_state_writes * prices.DYNAMODB_WRITE,
        results=units.store_reads * prices.DYNAMODB_READ
        + units.store_writes * prices.DYNAMODB_WRITE,
        files=units.puts * prices.S3_PUT + units.gets * prices.S3_GET + 2 * prices.EVENT,
        telemetry=RUN_METRICS * hours / HOURS_A_MONTH * prices.METRIC_MONTH
        + units.messages * LOG_BYTES_A_MESSAGE / 1e9 * prices.LOGS_GB,
    )


def splitter_seconds(volume: Volume, megabytes: int) -> float:
    """Say how long the splitter works on a file with so much memory."""
    return volume.records / SPLITTER_RECORDS_A_SECOND / _processor(megabytes)


def message_seconds(volume: Volume, megabytes: int) -> float:
    """Say how long one full message occupies the mapper; most of it is the PIM's time."""
    return pause_seconds(volume, megabytes) + _lines(volume) * volume.milliseconds_a_line / 1_000


def pause_seconds(volume: Volume, megabytes: int) -> float:
    """Say for how long of it the PIM has nothing of the message."""
    return AWS_SECONDS_A_MESSAGE + _lines(volume) * MAPPER_SECONDS_A_LINE / _processor(megabytes)


def _lines(volume: Volume) -> int:
    return min(volume.sent, MAX_RECORDS)


def _processor(megabytes: int) -> float:
    """Give the share of a processor; one thread has no use of more than one."""
    return min(1.0, megabytes / FULL_PROCESSOR_MB)


def idle_month(*, dam: bool = False) -> float:
    """Work out a month in which nothing comes: polls, schedules, what watches them, secrets."""
    polls = POLLERS * 3 * 60 * 24 * DAYS
    queues = prices.SQS_FIFO_REQUEST + (
        prices.SQS_FIFO_REQUEST + prices.SQS_REQUEST if dam else 0.0
    )
    schedules = 2 if dam else 1
    sweeps = schedules * SWEEPS_A_DAY * DAYS
    return (
        polls * queues
        + sweeps * (prices.SCHEDULE + prices.LAMBDA_REQUEST + 4 * prices.DYNAMODB_READ)
        + sweeps * 0.5 * 0.5 * prices.LAMBDA_GB_SECOND
        + (ALARMS + (DAM_ALARMS if dam else 0)) * prices.ALARM_MONTH
        + (DAM_METRICS * prices.METRIC_MONTH if dam else 0.0)
        + (SECRETS + dam) * prices.SECRET_MONTH
        + 0.1 * prices.LOGS_GB
    )


def storage_month(records: int, *, keep_days: int = KEEP_DAYS) -> float:
    """Work out what files of `keep_days` nights, their reports and the tables take."""
    gigabyte = 1_000_000_000
    night = records * (2 * RECORD_BYTES + REPORT_BYTES_A_RECORD) / gigabyte
    tables = records * SYNC_STATE_BYTES / gigabyte
    return night * keep_days * prices.S3_GB_MONTH + tables * (
        prices.DYNAMODB_GB_MONTH + prices.DYNAMODB_BACKUP_GB_MONTH
    )


def nightly_month(records: int, share: float = 0.01) -> float:
    """Work out a month of nightly full exports of which `share` has changed, idling included."""
    return DAYS * file_cost(Volume(records=records, sent=round(records * share))).total + (
        idle_month()
    )


def _lambda(requests: int, seconds: float, megabytes: int) -> float:
    gigabyte_seconds = seconds * megabytes / 1_024
    return requests * prices.LAMBDA_REQUEST + gigabyte_seconds * prices.LAMBDA_GB_SECOND
