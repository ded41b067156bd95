"""`pim-connector mapping init`: a first mapping, made from a sample of the export."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import files

if TYPE_CHECKING:
    from pim_connector.erp.elements import OpenFile

MOST_BYTES = 64_000_000
"""What is taken of standard input, which cannot be read twice."""


def init(
    sample: Annotated[
        Path, typer.Argument(help="An export: XML, or XML in gzip or zip; - for standard input.")
    ],
    structure: Annotated[
        Path | None,
        typer.Option(help="The PIM's structure, from `structure pull`: proposes its attributes."),
    ] = None,
    record: Annotated[
        str | None,
        typer.Option(help="The path of the records, where the guess is wrong: /shop/item, //item."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Instead of the declared one: windows-1252.")
    ] = None,
    records: Annotated[int, typer.Option(min=1, max=20_000, help="Records to look at.")] = 5_000,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="File to write; - for standard output.")
    ] = Path("-"),
) -> None:
    """Draft a mapping from a sample: records, types, languages, attributes by name.

    Formats with a starter (docs/mappings) are recognised and get it, cut to what the sample holds.
    The draft runs through `mapping check` and `preview` as it is. What is uncertain is marked with
    `# ?`, and what is not used stands there as a comment, so nothing of the file is dropped
    silently; the last line says how many of the sample's leaves are read. Exit status: 0 written ·
    1 the sample breaks off (what came before is drafted) · 2 there is nothing to make a mapping of.

    Example: pim-connector mapping init export.xml --structure pim.json -o erp.yaml
    """
    from drafting.drafting import draft_mapping

    known = files.structure(structure)
    opened = _standard_input() if str(sample) == "-" else files.opener(sample)
    drafted = draft_mapping(opened, known, record=record, most=records, encoding=encoding)
    _write(output, drafted.text)
    for line in drafted.said:
        typer.echo(line, err=True)
    if drafted.broken is not None:
        typer.echo(f"{sample}: {drafted.broken}", err=True)
        raise typer.Exit(1)


def _standard_input() -> OpenFile:
    data = sys.stdin.buffer.read(MOST_BYTES)
    return lambda: io.BytesIO(data)


def _write(output: Path, text: str) -> None:
    from pim_connector.errors import ConfigurationError

    if str(output) == "-":
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise ConfigurationError(f"{output} is there already, and would be lost") from error
    except OSError as error:
        raise ConfigurationError(f"{output} cannot be written: {error.strerror}") from error
    typer.echo(f"written to {output}", err=True)
