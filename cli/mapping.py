"""`pim-connector mapping`: draft a mapping file, check it before it is used, its JSON Schema."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import files
from cli.mapping_init import init
from cli.profiles import connect
from cli.statuses import MISUSED

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import Structure
    from pim_connector.mapping.compiled import CompiledMapping

CheckPimOption = Annotated[
    str | None,
    typer.Option(
        "--pim",
        metavar="PROFILE|URL",
        help="Compare with this PIM: a profile's name or a URL.",
    ),
]
app = typer.Typer(help="Mapping files: draft and check them, and their schema for editors.")


@app.callback()
def mapping() -> None:
    """Keep the group a group, whatever commands it has."""


app.command()(init)


@app.command()
def check(
    mapping: Annotated[Path, typer.Argument(help="The mapping file.")],
    structure: Annotated[
        Path | None, typer.Option(help="The PIM's structure, from `structure pull`.")
    ] = None,
    pim: CheckPimOption = None,
    sample: Annotated[
        Path | None,
        typer.Option(help="An export: see that its time (`source.order`) can be ordered."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Check a mapping against its schema, and against the PIM's structure where one is named.

    Every problem is one line: file, line, key, and what was expected. Exit status: 0 nothing found
    · 2 there are problems.

    Example: pim-connector mapping check erp.yaml --structure structure.json
    """
    from pim_connector.mapping.checking import check_against
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import MappingError, load_mapping

    problems: tuple[str, ...] = ()
    try:
        compiled = compile_mapping(load_mapping(files.read(mapping), name=str(mapping)))
        known = _structure(structure, pim)
        if known is not None:
            problems = check_against(compiled, known)
        if sample is not None:
            problems += tuple(_unordered(sample, compiled))
    except MappingError as error:
        problems = error.problems
    if as_json:
        typer.echo(json.dumps({"problems": problems}))
        raise typer.Exit(MISUSED if problems else 0)
    for problem in problems:
        typer.echo(problem)
    if problems:
        typer.echo(f"{len(problems)} problem{'s' if len(problems) > 1 else ''}", err=True)
        raise typer.Exit(MISUSED)
    against = "its schema and the PIM's structure" if structure or pim else "its schema"
    typer.echo(f"{mapping}: nothing to complain of, against {against}", err=True)


def _unordered(sample: Path, compiled: CompiledMapping) -> Iterator[str]:
    from pim_connector.erp.reader import read_order
    from pim_connector.records import UnreadableFileError

    try:
        read_order(files.opener(sample), compiled)
    except UnreadableFileError as error:
        yield f"{sample}: {error}"


@app.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors that complete and underline.

    Example: pim-connector mapping schema > mapping.schema.json
    """
    from pim_connector.mapping.language import json_schema

    sys.stdout.write(json_schema())


def _structure(file: Path | None, pim: str | None) -> Structure | None:
    """The structure from the file, or from the PIM, whole: nearest names need all of them."""
    from pim_connector.akeneo.structure_cache import fetch_structure

    if file is not None:
        return files.structure(file)
    if pim is None:
        return None
    with connect(pim) as client:
        return fetch_structure(client)
