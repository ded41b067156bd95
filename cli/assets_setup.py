"""`pim-connector assets setup`: asset families, attributes and link rules, created or checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.profiles import PimOption
from cli.statuses import REJECTED
from cli.target import ProfileOption, RegionOption, StackOption, connect_pim

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.assets.setup import SetupStep
    from pim_connector.dam.asset_rules import AssetMapping


def setup(
    source: Annotated[Path, typer.Option("--source", "-s", help="The DAM source file.")],
    pim: PimOption = None,
    check: Annotated[bool, typer.Option("--check", help="Only compare; change nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Create in the PIM what `assets.families` of a source file declares, or check it.

    What is there already and differs is changed where Akeneo allows that; a type, or whether there
    is a value per locale or channel, it never changes: that is shown as a conflict. Nothing is ever
    deleted. Exit status: 0 all is as declared (now) · 3 there are conflicts, or with --check
    anything that differs · 2 wrong usage or configuration.

    Example: pim-connector assets setup --source bynder.yaml --pim staging --check
    """
    from pim_connector.akeneo.structure_cache import ASSET_RESOURCES, fetch_structure
    from pim_connector.assets.setup import setup_steps, unmapped

    mapping = _mapping(source)
    with connect_pim(pim, stack, profile, region) as client:
        structure = fetch_structure(client, resources=ASSET_RESOURCES)
        steps = setup_steps(mapping, structure)
        problems = unmapped(mapping, structure)
        _show(steps, problems, as_json=as_json)
        conflicts = [step for step in steps if step.state == "conflict"]
        pending = [step for step in steps if step.state in ("create", "change")]
        if not check and not conflicts:
            for step in pending:
                _apply(client, step)
            if pending:
                typer.echo(f"{len(pending)} changes made", err=True)
    if conflicts or problems or (check and pending):
        raise typer.Exit(REJECTED)


def _mapping(source: Path) -> AssetMapping:
    from pim_connector.dam.loading import load_source
    from pim_connector.errors import ConfigurationError

    try:
        described = load_source(source.read_bytes(), name=str(source))
    except OSError as error:
        raise ConfigurationError(f"{source} cannot be read: {error.strerror}") from error
    if described.assets is None or not described.assets.families:
        raise ConfigurationError(
            f"{source}: `assets.families` is missing: which asset families the PIM should have"
        )
    return described.assets


def _apply(client: AkeneoClient, step: SetupStep) -> None:
    if step.kind == "family":
        client.upsert_asset_family(step.body)
    else:
        client.upsert_asset_attribute(step.family, step.body)


def _show(steps: list[SetupStep], problems: list[str], *, as_json: bool) -> None:
    import msgspec

    for step in steps:
        if as_json:
            typer.echo(msgspec.json.encode(step).decode())
            continue
        name = step.family if step.kind == "family" else f"{step.family}.{step.code}"
        said = f": {'; '.join(step.differences)}" if step.differences else ""
        typer.echo(f"{step.state:9} {step.kind:9} {name}{said}")
    for problem in problems:
        if as_json:
            typer.echo(msgspec.json.encode({"state": "missing", "problem": problem}).decode())
        else:
            typer.echo(f"missing   {problem}; declare it in assets.families, or create it")
