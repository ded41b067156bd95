"""`import FILE`: put an export into the inbox and watch what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.target import ProfileOption, RegionOption, StackOption, connect
from pim_connector.errors import ConfigurationError, ConnectorError

if TYPE_CHECKING:
    from rich.console import Console

    from cli.target import Target
    from pim_connector.runs.run import Run

app = typer.Typer()
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
    wait: Annotated[bool, typer.Option(help="Stay until the run has ended.")] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only one JSON object on standard output.")
    ] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Import an export. Exit status 3 if records were rejected, 1 if the run failed.

    Example: pim-connector import export.xml --source erp --mapping mapping.yaml
    """
    from cli.app import FAILED, REJECTED
    from cli.summary import as_json as summary_of
    from cli.summary import counts_table

    target = connect(stack, profile, region)
    source = source or only_source(target)
    if mapping:
        put_mapping(target, source, mapping)
    run_id = upload(target, source, file)
    if not wait:
        typer.echo(json.dumps({"run": run_id}) if as_json else run_id)
        return
    run = ended(target, run_id, quiet=as_json)
    if as_json:
        typer.echo(json.dumps(summary_of(run)))
    else:
        _console().print(counts_table(run))
        if run.phase == "noted":
            typer.echo("Kept for the nightly sweep (ErpTrigger is nightly).")
        if run.counts["rejected"]:
            typer.echo(f"The reasons: pim-connector rejects {run.id}")
    if run.problem:
        raise ConnectorError(run.problem)
    if run.phase == "failed":
        raise typer.Exit(FAILED)
    raise typer.Exit(REJECTED if run.counts["rejected"] else 0)


def only_source(target: Target) -> str:
    """The source to assume; ConfigurationError if there is none, or more than one."""
    keys = list(target.bucket().keys(CONFIG_PREFIX))
    sources = [key.removeprefix(CONFIG_PREFIX).rpartition(".")[0] for key in keys]
    if len(sources) == 1:
        return sources[0]
    if not sources:
        raise ConfigurationError("no source has a mapping yet: give --source and --mapping")
    raise ConfigurationError(f"there are several sources ({', '.join(sources)}): give --source")


def put_mapping(target: Target, source: str, mapping: Path) -> None:
    """Check the mapping and put it where the functions read it."""
    from pim_connector.mapping import load_mapping

    data = mapping.read_bytes()
    load_mapping(data, name=str(mapping))
    target.bucket().put(f"{CONFIG_PREFIX}{source}.yaml", data)


def upload(target: Target, source: str, file: Path) -> str:
    """Put the export into the source's inbox and give the id that its run has, or will have."""
    from pim_connector.inbox import new_run

    bucket = target.bucket()
    key = f"incoming/{source}/{file.name}"
    target.client("s3").upload_file(str(file), bucket.name, key)
    stored = bucket.describe(key)
    if stored is None:
        raise ConnectorError(f"{key} was taken from the inbox before its run could be named")
    return new_run(bucket.name, source, stored, phase="waiting", now="").id


def ended(target: Target, run_id: str, *, quiet: bool = False) -> Run:
    """Follow the run to its end."""
    import time

    from cli.following import follow, watch
    from pim_connector.runs.registry import Registry

    registry = Registry(target.run_table())
    runs = follow(lambda: registry.get(run_id), clock=time.monotonic, sleep=time.sleep)
    return watch(runs, _console(quiet=quiet))


def _console(*, quiet: bool = False) -> Console:
    from rich.console import Console

    return Console(quiet=quiet, highlight=False)
