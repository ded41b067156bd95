"""The runs: a list, one run with what was rejected and why, and its reports from S3."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from cli.runs import rejections
from cli.summary import MEANINGS, seconds
from local.desk.connection import Connection
from local.desk.pages import page
from pim_connector.runs.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from cli.target import Target
    from pim_connector.runs.run import Run

MOST_RUNS: Final = 100
MOST_REJECTIONS: Final = 200
CHUNK_BYTES: Final = 64 * 1024
TYPES: Final = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
REPORT_POLICY: Final = (
    "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
)
"""A report is shown as it is, but with no right to this site: a script in it does not run."""


def newest(target: Target, limit: int) -> list[Run]:
    """Give the newest runs with their counts."""
    registry = Registry(target.run_table())
    names = islice(registry.all_runs(), limit)
    return [run for name in names if (run := registry.get(name.run))]


def list_page(connection: Connection, _: Request) -> Response:
    """All runs, the newest first."""
    found = newest(connection.target(), MOST_RUNS)
    return page("runs.html", runs=found, meanings=MEANINGS, seconds=seconds, most=MOST_RUNS)


def run_page(connection: Connection, request: Request) -> Response:
    """One run; a run that is not known yet may be one whose file was dropped a moment ago."""
    target = connection.target()
    name = request.path_params["run"]
    run = Registry(target.run_table()).get(name)
    if run is None:
        return page("run_unknown.html", 404, run=name)
    found = rejections(target, run.id) if run.counts["rejected"] else []
    return page(
        "run.html",
        run=run,
        meanings=MEANINGS,
        seconds=seconds(run),
        under_way=run.phase not in ("finished", "failed", "noted") and not run.hold,
        reports=list(_reports(target, run.id)),
        rejections=found[:MOST_REJECTIONS],
        rejected=len(found),
    )


def report_file(connection: Connection, request: Request) -> Response:
    """One report as it lies in S3."""
    target = connection.target()
    run, name = request.path_params["run"], request.path_params["name"]
    stored = target.bucket().describe(f"reports/{run}/{name}")
    if stored is None:
        return page("missing.html", 404, what="report")
    kind = name.rpartition(".")[2]
    headers = {"content-security-policy": REPORT_POLICY, "content-length": str(stored.size)}
    if kind not in ("json", "html"):
        headers["content-disposition"] = "attachment"
    return StreamingResponse(
        _chunks(target.bucket().open(stored)),
        media_type=TYPES.get(kind, "application/octet-stream"),
        headers=headers,
    )


def _reports(target: Target, run: str) -> Iterator[str]:
    prefix = f"reports/{run}/"
    return (key.removeprefix(prefix) for key in target.bucket().keys(prefix))


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        yield from iter(lambda: stream.read(CHUNK_BYTES), b"")
