"""Follows a run until every record has its end state, with a bar for people who watch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pim_connector.errors import ConnectorError

if TYPE_CHECKING:
    from rich.console import Console

    from pim_connector.sync.runs import Run

ENDED = ("finished", "failed")
START_SECONDS = 60.0
POLL_SECONDS = 0.25
OUTAGE_SECONDS = 3.0
"""So often is looked whether the PIM is down; a run that is over sooner needs no such look."""


def follow(
    get: Callable[[], Run | None],
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    stopped: Callable[[], str | None] = lambda: None,
    say: Callable[[str], None] = print,
) -> Iterator[Run]:
    """Give the run whenever it has changed, and end when it has; a run kept for the night too.

    `clock` is in seconds and only its differences matter. `stopped` says why nothing is delivered
    at present, if that is so; `say` is told that, and when it is over. Raises ConnectorError if no
    run begins within START_SECONDS: then nothing listens to the bucket.
    """
    began = clock()
    last: Run | None = None
    told: str | None = None
    looked = began
    while True:
        if clock() - looked >= OUTAGE_SECONDS:
            looked = clock()
            now = stopped()
            if now != told:
                say(now or "The PIM answers again: delivery goes on.")
            told = now
        run = get()
        if run is not None and run != last:
            last = run
            yield run
            if run.phase in (*ENDED, "noted"):
                return
        if run is None and clock() - began > START_SECONDS:
            raise ConnectorError(
                f"the file is in the inbox, but no run began within {START_SECONDS:.0f} seconds. "
                "Look at the splitter's log, and whether the stack's rule for uploads is enabled."
            )
        sleep(POLL_SECONDS)


def watch(runs: Iterator[Run], console: Console) -> Run:
    """Show the progress of a run and give it as it ended."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("records"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("waiting for the run", total=None)
        said = ""
        for run in runs:
            known = run.phase in ("delivering", *ENDED)
            progress.update(
                task,
                description=run.phase,
                completed=run.accounted,
                total=run.records if known else None,
            )
            if not console.is_terminal and run.phase != said:
                said = run.phase
                console.print(f"  {run.phase}: {run.records} records read, {run.accounted} done")
    return run
