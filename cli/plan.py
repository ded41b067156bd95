"""`plan FILE`: what importing it would do, which sends nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import files
from cli.profiles import OtherPimOption
from cli.statuses import FAILED, REJECTED
from cli.target import ProfileOption, RegionOption, StackOption

if TYPE_CHECKING:
    from cli.planning import Gone, Planned, Totals
    from cli.target import Target
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.sync.state import StateEntry

app = typer.Typer()
MOST_REASONS = 10
SHOWN = 10


@app.command()
def plan(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The ERP's export.")],
    mapping: Annotated[
        Path | None,
        typer.Option("--mapping", "-m", help="Default: the one in the stack."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Source it belongs to. Default: the stack's only one.")
    ] = None,
    second: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=FILE", help="A second file that a table reads."),
    ] = None,
    pim: OtherPimOption = None,
    details: Annotated[
        Path | None, typer.Option(help="Write every record's plan here, as NDJSON.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many records.")] = None,
    milliseconds: Annotated[
        float | None,
        typer.Option(
            "--ms-per-line",
            help="What one product takes in your PIM (the report's PIM time by products sent);"
            " without it a range is assumed.",
        ),
    ] = None,
    groups: Annotated[
        int, typer.Option(min=1, help="Calls at once, as the stack's ConcurrentCalls.")
    ] = 4,
    as_json: Annotated[
        bool, typer.Option("--json", help="The totals as one JSON object on standard output.")
    ] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Say what importing a file would create and change, value by value, and send nothing.

    With --pim the file is compared with that PIM; without it, with the PIM and the sync state of
    the stack; of a full export it says, too, which products would be disabled because they left it.
    Exit status 3 if records would be rejected.

    Example: pim-connector plan export.xml --mapping mapping.yaml --details plan.ndjson
    """
    from cli.planning import Planner, gone
    from cli.preview import named
    from pim_connector.akeneo.structure_cache import fetch_structure
    from pim_connector.erp.reader import read_exports, read_records
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import load_mapping
    from pim_connector.records import UnreadableFileError

    target = None if pim else _target(stack, profile, region)
    source, name, data = _mapping(mapping, source, target)
    compiled = compile_mapping(load_mapping(data, name=name))
    others = {each: files.opener(path) for each, path in named(second or [])}
    reader = read_records(files.opener(file), compiled, others=others)
    with ExitStack() as opened:
        client = opened.enter_context(_client(pim, target))
        planner = Planner(
            compiled=compiled,
            structure=fetch_structure(client, compiled.attribute_codes),
            pim=client,
            entries=target.sync_state().entries if target else _no_entries,
            source=source,
            groups=groups,
        )
        out = opened.enter_context(details.open("wb")) if details else None
        broken = None
        shown: list[Planned] = []
        try:
            for planned in planner.plan(islice(reader, limit)):
                if out:
                    out.write(_line(planned))
                if planned.changes and len(shown) < SHOWN:
                    shown.append(planned)
            full = read_exports(files.opener(file), compiled) == "full"
        except UnreadableFileError as error:
            broken = str(error)
        missing = None
        if target and not broken and full and limit is None and not reader.holes:
            missing = gone(source, compiled.mapping.file.source, planner.holds, target)
        if missing and out:
            out.writelines(map(_disabled, missing.disabled))
    _tell(
        planner.totals,
        shown,
        milliseconds,
        groups,
        first=not target,
        as_json=as_json,
        broken=broken,
        missing=missing,
    )
    if broken:
        print(f"pim-connector: {file}: {broken}", file=sys.stderr)
        raise typer.Exit(FAILED)
    raise typer.Exit(REJECTED if planner.totals.states["rejected"] else 0)


def _target(stack: str | None, profile: str | None, region: str | None) -> Target:
    from cli.target import connect

    return connect(stack, profile, region)


def _mapping(
    mapping: Path | None, source: str | None, target: Target | None
) -> tuple[str, str, bytes]:
    """Give the source, the mapping's name and its text."""
    from cli.imports import CONFIG_PREFIX, only_source
    from pim_connector.errors import ConfigurationError

    if mapping:
        return source or mapping.stem, str(mapping), files.read(mapping)
    if target is None:
        raise ConfigurationError(
            "with --pim there is no stack to take a mapping from: give --mapping"
        )
    source = source or only_source(target)
    key = f"{CONFIG_PREFIX}{source}.yaml"
    try:
        return source, key, target.bucket().get(key)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"source {source} has no mapping ({key}): give --mapping"
        ) from error


def _client(pim: str | None, target: Target | None) -> AkeneoClient:
    from cli.profiles import connect

    if target is None:
        return connect(pim)
    return target.pim()


def _no_entries(_: Iterable[str]) -> Mapping[str, StateEntry]:
    return {}


def _line(planned: Planned) -> bytes:
    import msgspec

    return msgspec.json.encode(planned) + b"\n"


def _tell(
    totals: Totals,
    shown: list[Planned],
    milliseconds: float | None,
    groups: int,
    *,
    first: bool,
    as_json: bool,
    broken: str | None,
    missing: Gone | None,
) -> None:
    from cli.cost import span
    from cli.cost_model import (
        MILLISECONDS_A_LINE,
        MOST_MILLISECONDS_A_LINE,
        Volume,
        file_cost,
    )

    quick = milliseconds or MILLISECONDS_A_LINE
    slow = milliseconds or MOST_MILLISECONDS_A_LINE
    volume = Volume(
        records=totals.records,
        sent=totals.sent,
        record_bytes=max(1, totals.characters // max(totals.records, 1)),
        groups=groups,
        milliseconds_a_line=quick,
        first=first,
    )
    seconds, at_most = totals.seconds(quick), totals.seconds(slow)
    dollars = file_cost(volume).total
    if as_json:
        told = {
            "records": totals.records,
            **{state: totals.states[state] for state in STATES},
            "sent": totals.sent,
            "options": len(totals.options),
            "calls": totals.calls,
            "seconds": round(seconds, 1),
            "seconds_at_most": round(at_most, 1),
            "pace_assumed": milliseconds is None,
            "dollars": round(dollars, 6),
            "attributes": dict(totals.attributes.most_common()),
            "reasons": dict(totals.reasons.most_common()),
            "missing": missing and missing.missing,
            "missing_of": missing and missing.before,
            "disabled": len(missing.disabled) if missing else 0,
            "hold": missing and missing.hold,
            "problem": broken,
        }
        typer.echo(json.dumps(told))
        return
    _show(shown)
    typer.echo(f"{totals.records:>10,} records")
    for state in STATES:
        typer.echo(f"{totals.states[state]:>10,} {state}")
    if totals.reasons:
        typer.echo("why records are filtered or rejected:")
    for reason, number in totals.reasons.most_common(MOST_REASONS):
        typer.echo(f"{number:>10,} × {reason}")
    if len(totals.reasons) > MOST_REASONS:
        more = len(totals.reasons) - MOST_REASONS
        typer.echo(f"           and {more:,} more reasons (--details FILE writes all)")
    if totals.attributes:
        most = ", ".join(f"{name} ({n:,})" for name, n in totals.attributes.most_common(8))
        typer.echo(f"changes most: {most}")
    if missing and missing.missing:
        _tell_missing(missing)
    typer.echo(f"{len(totals.options):,} select options would be created")
    typer.echo(
        f"{totals.calls:,} calls for {totals.sent:,} products: the PIM needs "
        + (
            f"about {span(seconds)} at {milliseconds:g} ms a product"
            if milliseconds
            else f"{span(seconds)} to {span(at_most)}, assumed at {quick:g} to {slow:g} ms a"
            " product (--ms-per-line says yours)"
        )
        + f", AWS about ${dollars:,.4f}"
    )
    typer.echo("Nothing was sent.")


def _tell_missing(missing: Gone) -> None:
    if missing.policy != "disable":
        typer.echo(
            f"{missing.missing:,} of {missing.before:,} products of the last full export are "
            f"missing; they stay as they are (`missing_products: {missing.policy}`)"
        )
        return
    typer.echo(f"{len(missing.disabled):>10,} products would be disabled: they left the export")
    for identifier in missing.disabled[:SHOWN]:
        typer.echo(f"           {identifier}")
    if len(missing.disabled) > SHOWN:
        typer.echo("           … (--details FILE writes all)")
    if missing.hold:
        typer.echo(f"The run would need approval first: {missing.hold}")


def _disabled(identifier: str) -> bytes:
    told = {"identifier": identifier, "resource": "product", "state": "disabled"}
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"


STATES = ("created", "changed", "unchanged", "filtered", "rejected")


def _show(shown: list[Planned]) -> None:
    for planned in shown:
        typer.echo(
            f"record {planned.record}, line {planned.line}: {planned.identifier} {planned.state}"
        )
        for change in planned.changes:
            place = " ".join(part for part in (change.locale, change.scope) if part)
            name = f"{change.attribute} {place}".strip()
            before = "" if planned.state == "created" else f"{_short(change.before)} → "
            typer.echo(f"    {name}: {before}{_short(change.after)}")
    if len(shown) == SHOWN:
        typer.echo("    … (--details FILE writes all)")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"
