"""The inbox: what lies in it, and a place to drop an export."""

from __future__ import annotations

from itertools import islice
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from cli.imports import CONFIG_PREFIX
from local.desk.connection import Connection
from local.desk.pages import page
from pim_connector.inbox import INBOX, Ignored, Upload, new_run, request_for

if TYPE_CHECKING:
    from cli.target import Target

MOST_FILES: Final = 100


def inbox_page(connection: Connection, _: Request) -> Response:
    """Show the inbox."""
    return _page(connection.target())


async def drop(connection: Connection, request: Request) -> Response:
    """Put an uploaded file into incoming/<source>/ and go on to its run."""
    async with request.form(max_files=1, max_fields=2) as form:
        file, source = form.get("file"), str(form.get("source", "")).strip()
        if not isinstance(file, UploadFile) or not file.filename:
            return await run_in_threadpool(_refused, connection, "Choose a file.")
        return await run_in_threadpool(_put, connection, source, file)


def _refused(connection: Connection, reason: str) -> Response:
    return _page(connection.target(), reason, 400)


def _put(connection: Connection, source: str, file: UploadFile) -> Response:
    target = connection.target()
    name = PurePosixPath((file.filename or "").replace("\\", "/")).name
    key = f"{INBOX}{source}/{name}"
    reason = trouble_with(source) or ("" if name.isprintable() else "rename the file")
    if reason or not name:
        return _refused(connection, f"{key}: {reason or 'the file has no name'}.")
    bucket = target.bucket()
    target.client("s3").upload_fileobj(file.file, bucket.name, key)
    stored = bucket.describe(key)
    if stored is None:
        return RedirectResponse("/runs", 303)
    run = new_run(bucket.name, source, stored, phase="waiting", now="")
    return RedirectResponse(f"/runs/{run.id}", 303)


def trouble_with(source: str) -> str:
    """Say what is wrong with the name of a source; empty if nothing is."""
    asked = request_for(f"{INBOX}{source}/file")
    if isinstance(asked, Ignored):
        return asked.reason
    return "" if isinstance(asked, Upload) and asked.source == source else "a name has no slash"


def sources(target: Target) -> list[str]:
    """The sources that have a mapping."""
    keys = target.bucket().keys(CONFIG_PREFIX)
    return sorted({PurePosixPath(key).stem for key in keys})


def _page(target: Target, problem: str = "", status: int = 200) -> Response:
    bucket = target.bucket()
    keys = list(islice(bucket.keys(INBOX), MOST_FILES))
    files = [stored for key in keys if (stored := bucket.describe(key))]
    known = sources(target)
    return page("inbox.html", status, files=files, sources=known, problem=problem, most=MOST_FILES)
