"""What is not as it should be, and what to do about it: checks that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import BotoCoreError, ClientError
from msgspec import Struct

from pim_connector.akeneo.editions import NAMES, NEEDS, edition_of
from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.editions import Edition
    from pim_connector.aws.bucket import Bucket
    from pim_connector.console.parts import Parts

Level = Literal["ok", "note", "warning", "problem"]
CONFIG = "config/erp/"


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at; `advice` says what to do where it is not well."""

    level: Level
    about: str
    found: str
    advice: str | None = None


def examine(parts: Parts) -> Iterator[Finding]:
    """Look at all that the console can see; a check that cannot be made is a finding, too."""
    checks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("PIM", lambda: pim(parts.pim, parts.settings.akeneo_url)),
        ("mappings", lambda: mappings(parts.pim, parts.bucket)),
        ("queues", lambda: queues(parts)),
        ("runs", lambda: runs(parts)),
    )
    for about, check in checks:
        try:
            yield from check()
        except (ConnectorError, ClientError, BotoCoreError) as error:
            yield Finding(level="problem", about=about, found=str(error))


def pim(connect: Callable[[], AkeneoClient], url: str) -> Iterator[Finding]:
    """Credentials, and what the role of their user may do."""
    with connect() as client:
        edition = edition_of(client.system_information())
        yield Finding(level="ok", about="PIM", found=f"{url} answers: {edition}")
        yield from _edition(edition)
        yield from _reads(client, edition)
        yield _writes(client)
    yield Finding(
        level="note",
        about="PIM",
        found="the API does not tell the connection's flow type",
        advice="it should be Source (Connect > Connection settings); only then the PIM lists what "
        "it refused under Error monitoring",
    )


def _edition(edition: Edition) -> Iterator[Finding]:
    """What this edition does not have, and what the connector does instead."""
    if edition.edition not in NAMES:
        yield Finding(
            level="warning",
            about="PIM",
            found="this release does not know this edition, nor what it has",
            advice=f"known are {', '.join(NAMES)}: see docs/editions.md",
        )
    for feature, need in NEEDS.items():
        if edition.has(feature) is False:
            yield Finding(
                level="note",
                about="PIM",
                found=f"this edition has not: {need.what}",
                advice=f"the connector {need.otherwise}",
            )


def _reads(client: AkeneoClient, edition: Edition) -> Iterator[Finding]:
    needed = ("attributes", "families", "channels", "locales", "currencies", "measurement-families")
    for path in needed:
        if client.list_known(path) is None:
            yield Finding(
                level="problem",
                about="PIM",
                found=f"the connection's user may not list {path}",
                advice="give its role this right: System > Roles > Web API permissions",
            )
    if edition.has("asset_manager") is not False and client.list_known("asset-families") is None:
        yield Finding(
            level="note",
            about="PIM",
            found="the connection's user may not list asset families",
            advice="needed for a DAM only: System > Roles > Web API permissions",
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


def mappings(connect: Callable[[], AkeneoClient], bucket: Bucket) -> Iterator[Finding]:
    """Every mapping in place must be usable, and agree with the PIM."""
    from pim_connector.akeneo.structure_cache import fetch_structure
    from pim_connector.mapping.checking import check_against
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import MappingError, load_mapping

    keys = [key for key in bucket.keys(CONFIG) if key.count("/") == 2]
    if not keys:
        yield Finding(
            level="warning",
            about="mappings",
            found="no source has a mapping",
            advice="write one in the studio, or pim-connector config push SOURCE FILE",
        )
        return
    with connect() as client:
        structure = fetch_structure(client)
    for key in keys:
        try:
            compiled = compile_mapping(load_mapping(bucket.get(key), name=key))
            problems = check_against(compiled, structure)
        except MappingError as error:
            problems = error.problems
        for problem in problems:
            yield Finding(
                level="problem",
                about="mappings",
                found=problem,
                advice="fix it in the studio, or pim-connector config push SOURCE FILE",
            )
        if not problems:
            yield Finding(level="ok", about="mappings", found=f"{key} agrees with the PIM")


def queues(parts: Parts) -> Iterator[Finding]:
    """Dead letters are what a person has to look at."""
    from pim_connector.console.today import depth

    settings = parts.settings
    pairs = (
        ("product", settings.product_queue_url, settings.product_dead_letter_queue_url),
        ("asset", settings.asset_queue_url, settings.asset_dead_letter_queue_url),
    )
    for name, live, dead in pairs:
        if not live:
            continue
        found = f"{name}: {depth(parts, live):,} messages wait"
        yield Finding(level="ok", about="queues", found=found)
        if aside := depth(parts, dead):
            yield Finding(
                level="problem",
                about="queues",
                found=f"{name}: {aside:,} messages were put aside",
                advice=f"see the log, fix the cause, then pim-connector redrive {name}",
            )


def runs(parts: Parts) -> Iterator[Finding]:
    """Runs that wait for somebody."""
    for run in parts.newest(50):
        if run.hold:
            yield Finding(
                level="warning",
                about="runs",
                found=f"{run.id} needs approval",
                advice="decide about it under Needs approval",
            )
        if run.phase == "failed" and run.retryable:
            yield Finding(level="problem", about="runs", found=f"{run.id}: {run.problem}")
    yield Finding(level="ok", about="runs", found="the newest 50 runs were looked at")
