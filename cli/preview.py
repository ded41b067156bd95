"""`pim-connector preview`: what a file would send, without AWS and without a PIM."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import files

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import Structure
    from pim_connector.erp.preview import Previewed, Summary
    from pim_connector.erp.reader import RecordReader
    from pim_connector.mapping.compiled import CompiledMapping
    from pim_connector.mapping.results import Json

app = typer.Typer()

MOST_REASONS = 10


@app.command()
def preview(
    file: Annotated[Path, typer.Argument(help="An export: XML, or XML in gzip or zip.")],
    mapping: Annotated[Path, typer.Option("--mapping", "-m", help="The mapping file.")],
    second: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="NAME=FILE", help="A second file that a table reads."),
    ] = None,
    structure: Annotated[
        Path | None,
        typer.Option(
            help="The PIM's structure, from `structure pull`; without it types come "
            "from the mapping and nothing is checked against the PIM."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many records.")] = None,
    table: Annotated[bool, typer.Option("--table", help="For people instead of NDJSON.")] = False,
) -> None:
    """Show exactly what would be sent for each record, in document order, as NDJSON.

    A summary goes to standard error. Exit status: 0 the file was read to its end · 1 it could not
    be, or its `source.order` names no time · 2 the mapping, the structure or an option is wrong.

    Example: pim-connector preview export.xml --mapping erp.yaml --structure pim.json --limit 5
    """
    from pim_connector.erp.preview import Summary, preview_records
    from pim_connector.erp.reader import read_order, read_records
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import load_mapping
    from pim_connector.records import UnreadableFileError

    compiled = compile_mapping(load_mapping(files.read(mapping), name=str(mapping)))
    known = files.structure(structure)
    others = {name: files.opener(path) for name, path in named(second or [])}
    reader = read_records(files.opener(file), compiled, others=others)
    summary = Summary()
    previewed = islice(preview_records(reader, compiled, known, summary), limit)
    try:
        _show(previewed, table)
    except UnreadableFileError as error:
        typer.echo(f"{file}: {error}", err=True)
        _summarise(summary, reader, compiled, known)
        raise typer.Exit(1) from error
    except BrokenPipeError:
        sys.stderr.close()
        return
    _summarise(summary, reader, compiled, known)
    try:
        read_order(files.opener(file), compiled)
    except UnreadableFileError as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(1) from error


def named(second: list[str]) -> Iterator[tuple[str, Path]]:
    from pim_connector.errors import ConfigurationError

    for said in second:
        name, equals, path = said.partition("=")
        if not equals:
            raise ConfigurationError(f"--with {said}: expected NAME=FILE")
        yield name, Path(path)


def _show(previewed: Iterator[Previewed], table: bool) -> None:
    if table:
        _show_table(previewed)
        return
    import msgspec

    encode = msgspec.json.Encoder().encode
    out = sys.stdout.buffer
    try:
        for each in previewed:
            out.write(encode(each) + b"\n")
    finally:
        out.flush()


def _show_table(previewed: Iterator[Previewed]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    for each in previewed:
        colour = {"mapped": "green", "filtered": "yellow", "rejected": "red"}[each.state]
        console.print(f"record {each.record}, line {each.line}: [{colour}]{each.state}[/{colour}]")
        grid = Table(show_header=False)
        for name, text, style in _rows(each):
            grid.add_row(Text(name), Text(text, style=style))
        console.print(grid)


def _rows(each: Previewed) -> Iterator[tuple[str, str, str]]:
    """A record as rows of name, text and colour, one per locale and channel of a value."""
    for error in each.errors:
        source = f" ({error.source})" if error.source else ""
        value = f': "{error.value}"' if error.value and error.value not in error.message else ""
        yield f"{error.attribute or 'record'}{source}", error.message + value, "red"
    if each.reason:
        yield "reason", each.reason, ""
    for name, data in (each.payload or {}).items():
        if name != "values":
            yield name, _json(data), ""
            continue
        for attribute, values in data.items() if isinstance(data, dict) else ():
            for sent in values if isinstance(values, list) else ():
                assert isinstance(sent, dict)  # noqa: S101 - the shape of a payload
                place = " ".join(str(sent[key]) for key in ("locale", "scope") if sent[key])
                yield f"{attribute} {place}".strip(), _json(sent["data"]), ""
    for media in each.media:
        yield media.attribute, f"file: {media.location}", ""
    for warning in each.warnings:
        yield warning.attribute or "record", warning.message, "yellow"


def _json(data: Json) -> str:
    """Text as it is, all else as JSON."""
    import json

    return data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)


def _summarise(
    summary: Summary, reader: RecordReader, compiled: CompiledMapping, structure: Structure | None
) -> None:
    states = ", ".join(f"{count} {state}" for state, count in sorted(summary.states.items()))
    typer.echo(f"{sum(summary.states.values())} records: {states or 'none'}", err=True)
    if summary.repeated:
        typer.echo(f"{summary.repeated} records repeat an identifier of the file", err=True)
    for phrase in reader.notes():
        typer.echo(phrase, err=True)
    for reason, count in summary.reasons.most_common(MOST_REASONS):
        typer.echo(f"  {count} × {reason}", err=True)
    empty = sorted((compiled.attribute_codes or frozenset()) - summary.filled)
    if empty and summary.states["mapped"]:
        typer.echo(f"filled by no record, perhaps a wrong path: {', '.join(empty)}", err=True)
    if structure is None:
        typer.echo("without --structure nothing is checked against the PIM", err=True)


if __name__ == "__main__":
    from cli.app import main

    sys.argv.insert(1, "preview")
    main()
