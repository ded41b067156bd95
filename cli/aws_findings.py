"""What `doctor` looks at in AWS: the bucket, tables, queues and schedules, and the clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from cli.schedules import schedules_of
from pim_connector.console.checks import Finding, Level

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.mapping.language import Inbox

CLOCK_SECONDS = 60
TABLES = ("RunTable", "SyncStateTable", "StateTable")
QUEUES = {"product": "Product", "asset": "Asset"}


def bucket(target: Target) -> Iterator[Finding]:
    """A bucket must keep versions and tell EventBridge what is uploaded."""
    s3, name = target.client("s3"), target.output("Bucket")
    versions = s3.get_bucket_versioning(Bucket=name).get("Status")
    if versions == "Enabled":
        yield Finding(level="ok", about="bucket", found=f"{name} keeps versions")
    else:
        yield Finding(
            level="problem",
            about="bucket",
            found=f"{name} keeps no versions: a run could not keep to its mapping",
            advice="deploy the stack again; somebody has switched versioning off",
        )
    told = s3.get_bucket_notification_configuration(Bucket=name)
    if "EventBridgeConfiguration" in told:
        yield Finding(level="ok", about="bucket", found="uploads are told to EventBridge")
    else:
        yield Finding(
            level="warning",
            about="bucket",
            found="uploads are not told to EventBridge: files wait for the nightly sweep",
            advice="deploy the stack again; somebody has switched the notification off",
        )


def inbox(target: Target) -> Iterator[Finding]:
    """What lies in the inbox and starts no run, because of where it lies or its name."""
    from pim_connector.products.inbox import inbox_of, judge
    from pim_connector.products.splitting import INBOX, Ignored, Upload, request_for

    store = target.bucket()
    rules: dict[str, Inbox] = {}
    for key in store.keys(INBOX):
        request = request_for(key)
        if isinstance(request, Ignored) and request.unclaimed:
            yield Finding(
                level="problem",
                about="inbox",
                found=f"{key} is read by nobody",
                advice=request.reason,
            )
        if isinstance(request, Upload):
            name = key.removeprefix(f"{INBOX}{request.source}/")
            if request.source not in rules:
                rules[request.source] = inbox_of(store, request.source)
            judged = judge(name, rules[request.source])
            if judged.kind == "other":
                yield Finding(level="note", about="inbox", found=key, advice=judged.reason)


def tables(target: Target) -> Iterator[Finding]:
    """All tables must be there and answer."""
    dynamodb = target.client("dynamodb")
    for output in TABLES:
        name = target.output(output)
        status = dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
        level: Level = "ok" if status == "ACTIVE" else "problem"
        yield Finding(level=level, about="tables", found=f"{name} is {status}")


def queues(target: Target) -> Iterator[Finding]:
    """Dead letters are what a person has to look at."""
    for name, prefix in QUEUES.items():
        if f"{prefix}Queue" not in target.outputs:
            continue  # a stack without a DAM
        waiting = _messages(target, f"{prefix}Queue")
        yield Finding(level="ok", about="queues", found=f"{name}: {waiting} messages wait")
        dead = _messages(target, f"{prefix}DeadLetterQueue")
        if dead:
            yield Finding(
                level="problem",
                about="queues",
                found=f"{name}: {dead} messages are in the dead-letter queue",
                advice=f"see the mapper's log, fix the cause, then pim-connector redrive {name}",
            )


def _messages(target: Target, output: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = target.output(output)
    found = target.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(found["Attributes"][name]) for name in names)


def schedules(target: Target) -> Iterator[Finding]:
    """Schedules that are switched off are meant so, or forgotten."""
    found = list(schedules_of(target))
    for logical, schedule in found:
        said = f"{logical}: {schedule['ScheduleExpression']}"
        if schedule["State"] == "ENABLED":
            yield Finding(level="ok", about="schedules", found=said)
        else:
            yield Finding(
                level="warning",
                about="schedules",
                found=f"{said} is switched off",
                advice="`pim-connector resume` when the pause is over",
            )
    if not found:
        yield Finding(level="warning", about="schedules", found="the stack has no schedule")


def clock(target: Target, now: datetime) -> Iterator[Finding]:
    """AWS refuses what is signed by a clock that is a quarter of an hour wrong."""
    answer: Any = target.client("s3").head_bucket(Bucket=target.output("Bucket"))
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    if told is None:
        yield Finding(level="note", about="clock", found="this S3 does not say what time it is")
        return
    wrong = abs((now - parsedate_to_datetime(told)).total_seconds())
    if wrong <= CLOCK_SECONDS:
        yield Finding(level="ok", about="clock", found=f"{wrong:.0f} s from that of AWS")
    else:
        yield Finding(
            level="warning",
            about="clock",
            found=f"this machine's clock is {wrong:.0f} s from that of AWS",
            advice="set it by a time server",
        )
