"""What `doctor` looks at: each check gives findings, and none of them changes anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from cli.schedules import schedules_of
from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.akeneo import AkeneoClient

CLOCK_SECONDS = 60
TABLES = ("RunTable", "LedgerTable", "StateTable")
QUEUES = {"product": "Product", "asset": "Asset"}

Level = Literal["ok", "note", "warning", "problem"]


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at; `advice` says what to do where it is not well."""

    level: Level
    about: str
    found: str
    advice: str | None = None


def examine(target: Target, now: Callable[[], datetime]) -> Iterator[Finding]:
    """Look at everything; a check that cannot be made is a finding, too."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("bucket", lambda: bucket(target)),
        ("tables", lambda: tables(target)),
        ("queues", lambda: queues(target)),
        ("schedules", lambda: schedules(target)),
        ("clock", lambda: clock(target, now())),
        ("PIM", lambda: pim(target)),
        ("mappings", lambda: mappings(target)),
        ("breaker", lambda: breaker(target)),
        ("runs", lambda: runs(target)),
    )
    for about, check in checks:
        try:
            yield from check()
        except ConnectorError as error:
            yield Finding(level="problem", about=about, found=str(error))
        except (ClientError, BotoCoreError) as error:
            yield Finding(
                level="problem",
                about=about,
                found=str(error),
                advice="see whether your AWS profile may read this, and whether it is there",
            )


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
        waiting = _messages(target, f"{prefix}Queue")
        yield Finding(level="ok", about="queues", found=f"{name}: {waiting} messages wait")
        dead = _messages(target, f"{prefix}DeadLetterQueue")
        if dead:
            yield Finding(
                level="problem",
                about="queues",
                found=f"{name}: {dead} messages are in the dead-letter queue",
                advice=f"see the mapper's log, mend the cause, then pim-connector redrive {name}",
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


def pim(target: Target) -> Iterator[Finding]:
    """Credentials, and what the role of their user may do."""
    with target.pim() as client:
        known = client.system_information()
        yield Finding(
            level="ok",
            about="PIM",
            found=f"{target.output('AkeneoUrl')} answers: Akeneo {known.get('version')} "
            f"{known.get('edition')}",
        )
        yield from _reads(client)
        yield _writes(client)
    yield Finding(
        level="note",
        about="PIM",
        found="the API does not tell the connection's flow type",
        advice="it should be Source (Connect > Connection settings); only then the PIM lists what "
        "it refused under Error monitoring",
    )


def _reads(client: AkeneoClient) -> Iterator[Finding]:
    needed = ("attributes", "families", "channels", "locales", "currencies", "measurement-families")
    for path in needed:
        if client.list_known(path) is None:
            yield Finding(
                level="problem",
                about="PIM",
                found=f"the connection's user may not list {path}",
                advice="give its role this right: System > Roles > Web API permissions",
            )
    if client.list_known("asset-families") is None:
        yield Finding(
            level="note",
            about="PIM",
            found="asset families are not there, or not for this user to see",
            advice="needed for a DAM only: Enterprise Edition, and the right to list them",
        )


def _writes(client: AkeneoClient) -> Finding:
    """Send a line that no PIM takes, for want of an identifier: it is refused, but as what?"""
    from pim_connector.akeneo import ForbiddenError, Refused

    try:
        [answer] = client.upsert_products([{"enabled": True}])
        allowed = not (isinstance(answer, Refused) and answer.status == 403)
    except ForbiddenError:
        allowed = False
    if allowed:
        return Finding(level="ok", about="PIM", found="the connection's user may write products")
    return Finding(
        level="problem",
        about="PIM",
        found="the connection's user may not create or update products",
        advice="give its role this right: System > Roles > Web API permissions",
    )


def mappings(target: Target) -> Iterator[Finding]:
    """Every mapping in place must be usable, and agree with the PIM."""
    from cli.imports import CONFIG_PREFIX
    from pim_connector.mapping import MappingError, compile_mapping, load_mapping
    from pim_connector.mapping.checking import check_against
    from pim_connector.structure import fetch_structure

    store = target.bucket()
    keys = [key for key in store.keys(CONFIG_PREFIX) if key.count("/") == 2]
    if not keys:
        yield Finding(
            level="warning",
            about="mappings",
            found="no source has a mapping",
            advice="pim-connector config push SOURCE FILE",
        )
        return
    with target.pim() as client:
        structure = fetch_structure(client)
    for key in keys:
        try:
            program = compile_mapping(load_mapping(store.get(key), name=key))
            problems = check_against(program, structure)
        except MappingError as error:
            problems = error.problems
        for problem in problems:
            yield Finding(
                level="problem",
                about="mappings",
                found=problem,
                advice="mend it and pim-connector config push SOURCE FILE",
            )
        if not problems:
            yield Finding(level="ok", about="mappings", found=f"{key} agrees with the PIM")


def breaker(target: Target) -> Iterator[Finding]:
    """An open breaker keeps all messages waiting."""
    key = {"pk": {"S": "breaker"}}
    name = target.output("StateTable")
    item = target.client("dynamodb").get_item(TableName=name, Key=key).get("Item")
    if item is None:
        yield Finding(level="ok", about="breaker", found="closed: messages are delivered")
        return
    advice = {
        "credentials": "put working credentials into the secret; nothing has to be deployed",
        "configuration": "see the mapper's log for what the PIM refuses, and mend it",
    }.get(item["reason"]["S"], "wait: messages are delivered by themselves when the PIM is back")
    yield Finding(
        level="problem",
        about="breaker",
        found=f"open ({item['reason']['S']}): messages wait",
        advice=advice,
    )


def runs(target: Target) -> Iterator[Finding]:
    """Runs that wait for somebody."""
    from itertools import islice

    from pim_connector.runs.registry import Registry

    registry = Registry(target.run_table())
    under_way = [name.run for name in registry.open_runs()]
    yield Finding(level="ok", about="runs", found=f"{len(under_way)} under way")
    for name in islice(registry.all_runs(), 50):
        run = registry.get(name.run)
        if run and run.hold:
            yield Finding(
                level="warning",
                about="runs",
                found=f"{run.id} waits for your word: {run.hold}",
                advice=f"pim-connector confirm {run.id}",
            )
        if run and run.phase == "failed" and run.retryable:
            yield Finding(level="problem", about="runs", found=f"{run.id}: {run.problem}")
