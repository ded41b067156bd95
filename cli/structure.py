"""`pim-connector structure`: the PIM's structure as a file, for work without the PIM."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli.profiles import PimOption, connect

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
) -> None:
    """Read the PIM's structure and write it as one JSON file.

    The file holds the REST API's own objects by resource. `preview` and `mapping check` read it
    with --structure, the simulator with --catalog.

    Example: pim-connector structure pull --pim staging -o structure.json
    """
    import msgspec

    from pim_connector.errors import ConfigurationError
    from pim_connector.structure import EVERYTHING, PRODUCT_RESOURCES, read_catalog

    catalog = {}
    with connect(pim) as client:
        resources = EVERYTHING if assets else PRODUCT_RESOURCES
        for resource, objects in read_catalog(client, attribute, resources=resources):
            if objects is None:
                _say(f"{resource}: not known (this role may not list them, or no such thing here)")
                continue
            catalog[resource] = objects
            _say(f"{resource}: {len(objects)}")
    if "attributes" not in catalog:
        raise ConfigurationError(
            "the PIM does not show its attributes, and without them a structure is of no use."
            " Give the role of the connection's user: System > Roles > Web API permissions >"
            " List attributes."
        )
    _write(output, msgspec.json.format(msgspec.json.encode(catalog), indent=1))


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _write(output: Path, data: bytes) -> None:
    """Write it whole or not at all: a half file would look like a small PIM."""
    if str(output) == "-":
        sys.stdout.buffer.write(data + b"\n")
        return
    from pim_connector.errors import ConfigurationError

    part = output.with_name(output.name + ".part")
    try:
        part.write_bytes(data + b"\n")
        part.replace(output)
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}.") from error
    _say(f"written to {output}")
