"""`pim-connector mapping`: draft a mapping file, check it before it is used, its JSON Schema."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.mapping_init import init
from cli.profiles import PimOption, connect

if TYPE_CHECKING:
    from pim_connector.structure import Structure

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
    pim: PimOption = None,
) -> None:
    """Check a mapping against its schema, and against the PIM's structure where one is named.

    Every problem is one line: file, line, key, and what was expected. Exit status: 0 nothing found
    · 2 there are problems.

    Example: pim-connector mapping check erp.yaml --structure structure.json
    """
    from pim_connector.mapping import MappingError, compile_mapping, load_mapping
    from pim_connector.mapping.checking import check_against

    problems: tuple[str, ...] = ()
    try:
        program = compile_mapping(load_mapping(_read(mapping), name=str(mapping)))
        known = _structure(structure, pim)
        if known is not None:
            problems = check_against(program, known)
    except MappingError as error:
        problems = error.problems
    for problem in problems:
        print(problem)
    if problems:
        _say(f"{len(problems)} problems")
        raise typer.Exit(2)
    against = "its schema and the PIM's structure" if structure or pim else "its schema"
    _say(f"{mapping}: nothing to complain of, against {against}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of mapping files, for editors that complete and underline.

    Example: pim-connector mapping schema > mapping.schema.json
    """
    from pim_connector.mapping.schema import json_schema

    sys.stdout.write(json_schema())


def _read(path: Path) -> bytes:
    from pim_connector.errors import ConfigurationError

    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from error


def _structure(file: Path | None, pim: str | None) -> Structure | None:
    """The structure from the file, or from the PIM, whole: nearest names need all of them."""
    from pim_connector.structure import Structure, fetch_structure

    if file is not None:
        return Structure.from_json(_read(file), name=str(file))
    if pim is None:
        return None
    with connect(pim) as client:
        return fetch_structure(client)


def _say(line: str) -> None:
    print(line, file=sys.stderr)
