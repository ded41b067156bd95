"""`pim-connector assets`: what a DAM source would send."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import files
from cli.assets_reconcile import approve, reconcile
from cli.assets_resend import resend
from cli.assets_setup import setup
from cli.assets_status import status

if TYPE_CHECKING:
    from cli.asset_preview import Line, Previewer
    from pim_connector.dam.http import DamHttp
    from pim_connector.dam.polling import PollReport, SourceCursor
    from pim_connector.dam.source import Source

app = typer.Typer(no_args_is_help=True, help="Assets of a DAM: what would be sent, and why not.")

SECRET_PREFIX = "DAM_SECRET_"  # noqa: S105  # the beginning of a variable's name


app.command()(setup)
app.command()(reconcile)
app.command()(approve)
app.command()(resend)
app.command()(status)


@app.callback()
def assets() -> None:
    """Assets of a DAM: what would be sent, and why not."""


@app.command()
def preview(
    source: Annotated[Path, typer.Option("--source", "-s", help="The DAM source file.")],
    since: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Only what changed since, as 2026-01-31T10:20:30Z."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="Remember here what was shown, and next time show only what changed."),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Stop after this many lines.")] = None,
    structure: Annotated[
        Path | None, typer.Option(help="The PIM's structure, from `structure pull`.")
    ] = None,
    secrets: Annotated[
        Path | None,
        typer.Option(help="A JSON file with the values of {{secret.NAME}}; else the environment."),
    ] = None,
    reconcile: Annotated[
        bool,
        typer.Option(help="With --state and `absent: reconcile`: look for what is gone, too."),
    ] = True,
) -> None:
    """Ask the DAM what changed and show exactly what would be sent, as NDJSON.

    Needs neither AWS nor a PIM. A value {{secret.token}} is read from the environment variable
    DAM_SECRET_TOKEN, or from --secrets. A summary goes to standard error. Exit status: 0 all is
    well · 1 the DAM did not answer · 2 the source file is wrong · 3 some assets were rejected.

    Example: pim-connector assets preview --source bynder.yaml --limit 5
    """
    from cli.asset_preview import EnoughError, Previewer, StateFile
    from pim_connector.assets.mapping import compile_assets
    from pim_connector.dam.client import DamClient
    from pim_connector.dam.http import Clocks
    from pim_connector.dam.loading import load_source
    from pim_connector.dam.polling import Poll
    from pim_connector.errors import ConfigurationError

    described = load_source(files.read(source), name=str(source))
    if described.assets is None:
        raise ConfigurationError(
            f"{source}: `assets` is missing: how a DAM's properties become assets of the PIM"
        )
    compiled = compile_assets(described.assets, name=str(source), base_url=described.base_url)
    kept = StateFile(state)
    if since is not None:
        kept.state.cursors[described.source] = _since(described, since)
    known = kept.state.shown.setdefault(described.source, {})
    compares = reconcile and bool(known) and described.deleted.absent == "reconcile"
    patience = _Patience()
    clocks = Clocks(sleep=patience.sleep, time_left=patience.time_left)
    with DamClient(described, _secrets(described, secrets), clocks=clocks) as client:
        patience.http = client.http
        previewer = Previewer(client, compiled, files.structure(structure), known, _show, limit)
        poll = Poll(
            client=client, cursors=kept, send=previewer.take, groups=1, time_left=lambda: 86_400.0
        )
        report = None
        try:
            report = poll.run()
            if compares:
                _reconcile(previewer, described, report)
        except EnoughError:
            pass
        except BrokenPipeError:
            sys.stderr.close()
            return
        finally:
            kept.write()
    _summarise(previewer, report)
    if previewer.counts["rejected"] or (report and report.unreadable):
        raise typer.Exit(3)


@app.command()
def schema() -> None:
    """Print the JSON Schema of DAM source files, for editors that complete and underline.

    Example: pim-connector assets schema > dam.schema.json
    """
    from pim_connector.dam.source import json_schema

    sys.stdout.write(json_schema())


def _reconcile(previewer: Previewer, source: Source, report: PollReport) -> None:
    if source.item is None:
        report.note("not reconciled: `item` is missing, how to ask for one asset by its id")
        return
    before = previewer.known
    missing = previewer.missing()
    most = source.assets.on_delete.max_share if source.assets else 100
    if missing > 1 and 100 * missing > most * before:
        report.note(
            f"{missing} of {before} assets are missing, which is more than max_share ({most:g} %):"
            f" the stack takes none out before `pim-connector assets approve {source.source}`"
        )


SILENT_S, BUSY_S = 12.0, 120.0
"""How long a DAM that never answered is waited for, and one that asks to wait."""


class _Patience:
    """Waits for a DAM as the stack does, but not for long, and says so on standard error."""

    def __init__(self) -> None:
        self.http: DamHttp | None = None
        self._answers, self._since = -1, 0.0

    def sleep(self, seconds: float) -> None:
        """Wait, and say so where it is long enough to wonder."""
        if seconds >= SHORT_S:
            typer.echo(f"the DAM does not answer yet; waiting {seconds:.0f} s", err=True)
        time.sleep(seconds)

    def time_left(self) -> float:
        """Return the seconds left; they are counted anew from each answer of the DAM."""
        if self.http is None:
            return SILENT_S
        if self.http.answers != self._answers:
            self._answers, self._since = self.http.answers, time.monotonic()
        most = BUSY_S if self._answers else SILENT_S
        return self.http.timeout_s + most - (time.monotonic() - self._since)


SHORT_S = 1.0


def _show(line: Line) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()


def _since(source: Source, text: str) -> SourceCursor:
    """Make a cursor that begins at a time; ISO 8601, without a zone it is the source's."""
    from pim_connector.dam.pages import Position, Stamps
    from pim_connector.dam.polling import SourceCursor
    from pim_connector.dam.source import Since
    from pim_connector.errors import ConfigurationError, RejectedError

    if source.list.mode == "full" or source.list.pagination.__struct_config__.tag == "token":
        raise ConfigurationError("--since: this source cannot be asked since a time")
    try:
        began = Stamps(Since(format="iso", tz=source.since.tz or "UTC")).read(text)
    except RejectedError as error:
        raise ConfigurationError(
            f"--since {text}: expected a time such as 2026-01-31T10:20:30Z"
        ) from error
    return SourceCursor(changes=Position(began=began))


def _secrets(source: Source, file: Path | None) -> Mapping[str, Any]:
    """Read the values of {{secret.NAME}}: from a file, else from the environment."""
    import msgspec

    from pim_connector.dam.source import names_in
    from pim_connector.errors import ConfigurationError

    if file is not None:
        try:
            return msgspec.json.decode(files.read(file), type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ConfigurationError(
                f"{file}: must be a JSON object of texts, as the secret in Secrets Manager"
            ) from error
    asked = (source.auth, source.headers, source.list, source.item, source.deleted)
    used = names_in(msgspec.to_builtins(asked))
    names = {name.removeprefix("secret.") for name in used if name.startswith("secret.")}
    missing = sorted(name for name in names if _variable(name) not in os.environ)
    if missing:
        wanted = ", ".join(map(_variable, missing))
        raise ConfigurationError(f"set {wanted}, or give --secrets FILE: {source.source} needs it")
    return {name: os.environ[_variable(name)] for name in names}


def _variable(name: str) -> str:
    return SECRET_PREFIX + name.upper().replace("-", "_").replace(".", "_")


def _summarise(previewer: Previewer, report: PollReport | None) -> None:
    counts = ", ".join(f"{count} {state}" for state, count in sorted(previewer.counts.items()))
    typer.echo(f"{sum(previewer.counts.values())} assets: {counts or 'none'}", err=True)
    if report is None:
        typer.echo("stopped at --limit; there may be more", err=True)
        return
    typer.echo(f"{report.requests} requests to the DAM", err=True)
    if report.unreadable:
        typer.echo(f"{report.unreadable} items could not be read", err=True)
    if report.without_id:
        typer.echo(f"{report.without_id} items without an id were passed over", err=True)
    for note in report.notes:
        typer.echo(f"  {note}", err=True)
