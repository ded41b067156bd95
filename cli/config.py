"""`pim-connector config`: mappings and DAM source files, checked before they are put in place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.imports import check_name
from cli.profiles import OtherPimOption
from cli.target import ProfileOption, RegionOption, StackOption, connect

if TYPE_CHECKING:
    from cli.target import Target
    from pim_connector.akeneo import AkeneoClient

app = typer.Typer(help="Mappings and DAM source files of a stack.")


@app.callback()
def config() -> None:
    """Keep the group a group, whatever commands it has."""


@app.command()
def push(
    source: Annotated[str, typer.Argument(help="Name of the source; its folder in the inbox.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The YAML file.")],
    dam: Annotated[bool, typer.Option("--dam", help="It describes a DAM, not an ERP.")] = False,
    beside: Annotated[
        list[Path] | None,
        typer.Option(
            "--with", exists=True, help="A second file that a table of the mapping reads."
        ),
    ] = None,
    pim: OtherPimOption = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Compare with the PIM's structure first.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Check a mapping or DAM source file, against the PIM too, and put it in place.

    Nothing is uploaded while there are problems: exit status 2. Files that waited for their mapping
    are taken up at once.

    Example: pim-connector config push erp mapping.yaml
    """
    target = connect(stack, profile, region)
    data = file.read_bytes()
    problems = (_dam if dam else _erp)(source, file, data, target, pim, check=check)
    if problems:
        typer.echo(json.dumps({"problems": problems}) if as_json else "\n".join(problems))
        raise typer.Exit(2)
    folder = "config/dam" if dam else "config/erp"
    bucket = target.bucket()
    for second in beside or ():
        bucket.put(f"{folder}/{source}/{second.name}", second.read_bytes())
    key = f"{folder}/{source}.yaml"
    bucket.put(key, data)
    stored = bucket.describe(key)
    version = stored.version if stored else ""
    told = {"source": source, "key": key, "version": version}
    typer.echo(json.dumps(told) if as_json else f"{key} is in place (version {version})")


def _erp(
    source: str, file: Path, data: bytes, target: Target, pim: str | None, *, check: bool
) -> list[str]:
    from pim_connector.akeneo.structure_cache import fetch_structure
    from pim_connector.mapping.checking import check_against
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import MappingError, load_mapping

    check_name(source)
    try:
        compiled = compile_mapping(load_mapping(data, name=str(file)))
        if not check:
            return []
        with _client(target, pim) as client:
            return list(check_against(compiled, fetch_structure(client)))
    except MappingError as error:
        return list(error.problems)


def _dam(
    source: str, file: Path, data: bytes, target: Target, pim: str | None, *, check: bool
) -> list[str]:
    from pim_connector.akeneo.structure_cache import ASSET_RESOURCES, fetch_structure
    from pim_connector.assets.mapping import compile_assets
    from pim_connector.assets.setup import unmapped
    from pim_connector.dam.loading import load_source

    described = load_source(data, name=str(file))
    if described.source != source:
        return [f"{file}: `source: {described.source}` must be {source}, the name it is put under"]
    if described.assets is None:
        return [f"{file}: `assets` is missing: how the DAM's properties become assets"]
    compile_assets(described.assets, name=str(file), base_url=described.base_url)
    if not check:
        return []
    with _client(target, pim) as client:
        structure = fetch_structure(client, resources=ASSET_RESOURCES)
    return [f"{file}: {each}" for each in unmapped(described.assets, structure)]


def _client(target: Target, pim: str | None) -> AkeneoClient:
    from cli.profiles import connect as connect_pim

    return connect_pim(pim) if pim else target.pim()
