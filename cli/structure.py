"""`pim-connector structure`: the PIM's structure as a file, for work without the PIM."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import files
from cli.profiles import PimOption
from cli.target import ProfileOption, RegionOption, StackOption, connect_pim

app = typer.Typer(help="The PIM's structure: attributes, families, channels, options.")


@app.callback()
def structure() -> None:
    """Keep the group a group, though it has one command."""


@app.command()
def pull(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ],
    pim: PimOption = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="Only this attribute and its options; may be given several times."),
    ] = None,
    assets: Annotated[bool, typer.Option(help="Asset families and their attributes too.")] = True,
    stack: StackOption = None,
    profile: ProfileOption = None,
    region: RegionOption = None,
) -> None:
    """Read the PIM's structure and write it as one JSON file.

    The file holds the REST API's own objects by resource. `preview` and `mapping check` read it
    with --structure, the simulator with --catalog.

    Example: pim-connector structure pull --pim staging -o structure.json
    """
    import msgspec

    from pim_connector.akeneo.editions import edition_of
    from pim_connector.akeneo.structure_cache import EVERYTHING, PRODUCT_RESOURCES, read_catalog
    from pim_connector.errors import ConfigurationError

    catalog = {}
    with connect_pim(pim, stack, profile, region) as client:
        resources = EVERYTHING if assets else PRODUCT_RESOURCES
        for resource, objects in read_catalog(client, attribute, resources=resources):
            if objects is None:
                typer.echo(
                    f"{resource}: not known (this role may not list them, or no such thing here)",
                    err=True,
                )
                continue
            catalog[resource] = objects
            said = edition_of(objects) if isinstance(objects, dict) else len(objects)
            typer.echo(f"{resource}: {said}", err=True)
    if "attributes" not in catalog:
        raise ConfigurationError(
            "the PIM does not show its attributes, and without them a structure is of no use."
            " Give the role of the connection's user: System > Roles > Web API permissions >"
            " List attributes."
        )
    data = msgspec.json.format(msgspec.json.encode(catalog), indent=1) + b"\n"
    if str(output) == "-":
        sys.stdout.buffer.write(data)
        return
    files.write(output, data)
    typer.echo(f"written to {output}", err=True)
