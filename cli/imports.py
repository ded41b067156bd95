"""`import FILE`: put an export into the inbox and watch what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.statuses import OF_OUTCOME
from cli.target import ProfileOption, RegionOption, StackOption, connect
from pim_connector.errors import ConfigurationError, ConnectorError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.target import Target
    from pim_connector.sync.messages import Force
    from pim_connector.sync.runs import Run

app = typer.Typer()
MOST_METADATA = 1_800
FamilyOption = Annotated[
    list[str] | None,
    typer.Option(help="With --full: only products of this family; may be given several times."),
]
CONFIG_PREFIX = "config/erp/"


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The ERP's export.")],
    source: Annotated[
        str | None,
        typer.Option(help="Source it belongs to. Default: the only one that has a mapping."),
    ] = None,
    mapping: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Put this mapping in place first."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Send everything, changed or not.")] = False,
    family: FamilyOption = None,
    identifier: Annotated[
        list[str] | None,
        typer.Option(help="With --full: only these products; may be given several times."),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Stay until the run has ended.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only one JSON object on standard output.")
    ] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Import an export. The exit status says how the run ended.

    0 `ok` · 3 `ok with rejects` · 4 `needs approval` · 1 `failed`, which it also is if every record
    was rejected.

    Example: pim-connector import export.xml --source erp --mapping mapping.yaml
    """
    force = force_asked(full, family, identifier)
    target = connect(stack, profile, region)
    source = source or only_source(target)
    if mapping:
        put_mapping(target, source, mapping)
    else:
        expect_mapping(target, source)
    run_id = upload(target, source, file, force)
    conclude(target, run_id, wait=wait, as_json=as_json)


def force_asked(full: bool, family: list[str] | None, identifier: list[str] | None) -> Force | None:
    """Give what is to be sent, changed or not. ConfigurationError for a choice without --full."""
    from pim_connector.sync.messages import Force

    if full:
        return Force(families=tuple(family or ()), identifiers=tuple(identifier or ()))
    if family or identifier:
        chosen = "--family" if family else "--identifier"
        raise ConfigurationError(f"{chosen} chooses what --full sends: give --full as well")
    return None


def conclude(target: Target, run_id: str, *, wait: bool, as_json: bool) -> None:
    """Follow a run to its end if asked to, show it, and exit as it ended."""
    from cli.summary import as_json as summary_of
    from cli.summary import counts_table

    if not wait:
        typer.echo(json.dumps({"run": run_id}) if as_json else run_id)
        return
    from pim_connector.sync.runs import outcome, why

    run = ended(target, run_id, quiet=as_json)
    ended_as = outcome(run)
    if as_json:
        typer.echo(json.dumps(summary_of(run)))
    else:
        if run.records:
            _console().print(counts_table(run))
        if run.phase == "noted":
            typer.echo("Kept for the nightly sweep (ErpTrigger is nightly).")
        if ended_as:
            typer.echo(f"outcome: {ended_as}")
        if reason := why(run) if ended_as != "failed" else None:
            typer.echo(reason)
        if run.counts["rejected"]:
            typer.echo(f"The reasons: pim-connector rejects {run.id}")
    if ended_as == "failed":
        raise ConnectorError(why(run) or "the run failed")
    raise typer.Exit(OF_OUTCOME[ended_as])


def only_source(target: Target) -> str:
    """The source to assume; ConfigurationError if there is none, or more than one."""
    sources = sources_of(target)
    if len(sources) == 1:
        return sources[0]
    if not sources:
        raise ConfigurationError("no source has a mapping yet: give --source and --mapping")
    raise ConfigurationError(f"there are several sources ({', '.join(sources)}): give --source")


def sources_of(target: Target) -> list[str]:
    """Name the sources that have a mapping."""
    keys = (key.removeprefix(CONFIG_PREFIX) for key in target.bucket().keys(CONFIG_PREFIX))
    return [key.removesuffix(".yaml") for key in keys if key.endswith(".yaml") and "/" not in key]


def expect_mapping(target: Target, source: str) -> None:
    """Raise ConfigurationError, before anything is uploaded, where nobody could read the file."""
    check_name(source)
    sources = sources_of(target)
    if source not in sources:
        raise ConfigurationError(
            f"source {source} has no mapping (those that have: {', '.join(sources) or 'none'}): "
            "give --mapping, or put one in place with `pim-connector config push`"
        )


def check_name(source: str) -> None:
    """Raise ConfigurationError for a name whose folder in the inbox nobody would look into."""
    from pim_connector.products.splitting import Upload, request_for

    if not isinstance(request_for(f"incoming/{source}/x"), Upload):
        raise ConfigurationError(f"{source}: a source's name has 1 to 40 letters, digits, - and _")


def put_mapping(target: Target, source: str, mapping: Path) -> None:
    """Check the mapping and put it where the functions read it."""
    from pim_connector.mapping.loading import load_mapping

    check_name(source)
    data = mapping.read_bytes()
    load_mapping(data, name=str(mapping))
    target.bucket().put(f"{CONFIG_PREFIX}{source}.yaml", data)


def upload(target: Target, source: str, file: Path, force: Force | None = None) -> str:
    """Put the export into the source's inbox and give the id that its run has, or will have."""
    from pim_connector.products.inbox import inbox_of, judge
    from pim_connector.products.splitting import run_id

    bucket = target.bucket()
    key = f"incoming/{source}/{file.name}"
    judged = judge(file.name, inbox_of(bucket, source))
    if judged.kind != "export":
        raise ConfigurationError(f"{file.name} would start no run: {judged.reason}")
    extra = {"Metadata": metadata(force)} if force else {}
    target.client("s3").upload_file(str(file), bucket.name, key, ExtraArgs=extra)
    stored = bucket.describe(key)
    if stored is None:
        raise ConnectorError(f"{key} was taken from the inbox before its run could be named")
    return run_id(bucket.name, source, stored)


def metadata(force: Force) -> dict[str, str]:
    """Say with an upload that it is a full send; S3 keeps 2 KB of metadata, in ASCII.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
    """
    from msgspec import to_builtins

    from pim_connector.products.splitting import FORCE

    text = json.dumps(to_builtins(force))
    if len(text) > MOST_METADATA:
        raise ConfigurationError(
            "too many identifiers for one upload: import the file, then "
            "`pim-connector replay RUN --full --identifier …`"
        )
    return {FORCE: text}


def ended(target: Target, run_id: str, *, quiet: bool = False) -> Run:
    """Follow the run to its end."""
    import time
    from functools import partial

    from cli.findings import outage, standstill
    from cli.following import follow, watch
    from pim_connector.sync.runs import Registry

    registry = Registry(target.run_table())
    runs = follow(
        lambda: registry.get(run_id),
        clock=time.monotonic,
        sleep=time.sleep,
        stopped=lambda: standstill(outage(target)),
        say=partial(typer.echo, err=True),
    )
    try:
        return watch(runs, _console(quiet=quiet))
    except KeyboardInterrupt:
        typer.echo(f"The run goes on: pim-connector show {run_id}", err=True)
        raise


def _console(*, quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(quiet=quiet, highlight=False)
