"""The pages as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from local.desk import inbox, runs
from local.desk.connection import Connection
from local.desk.guard import Guard
from local.desk.overview import overview_page
from local.desk.pages import page
from local.desk.studio import Studio
from pim_connector.errors import ConnectorError

Look = Callable[[Connection, Request], Response]


def create_app(connection: Connection, studio: Studio) -> Starlette:
    """Serve the pages; works in `httpx.ASGITransport(app)` as well as in a server."""

    def look(path: str, show: Look) -> Route:
        async def answer(request: Request) -> Response:
            return await run_in_threadpool(show, connection, request)

        return Route(path, answer, methods=["GET"])

    async def drop(request: Request) -> Response:
        return await inbox.drop(connection, request)

    async def open_studio(request: Request) -> Response:
        return await run_in_threadpool(studio.open, request)

    routes = [
        look("/", overview_page),
        look("/runs", runs.list_page),
        look("/runs/{run}", runs.run_page),
        look("/runs/{run}/reports/{name}", runs.report_file),
        look("/inbox", inbox.inbox_page),
        Route("/inbox", drop, methods=["POST"]),
        Route("/studio", open_studio, methods=["GET"]),
        Route("/studio", studio.work, methods=["POST"]),
        Route("/studio/mapping", studio.save, methods=["POST"]),
        Route("/studio/samples", studio.bring, methods=["POST"]),
        Mount("/static", StaticFiles(directory=Path(__file__).parent / "static")),
    ]
    handlers: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
        ConnectorError: _problem,
        BotoCoreError: _problem,
        ClientError: _problem,
        HTTPException: _http_problem,
    }
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard)],
        exception_handlers=handlers,
    )


async def _problem(_: Request, error: Exception) -> Response:
    return page("problem.html", 503, problem=str(error))


async def _http_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  what it is registered for
    if error.status_code == 404:
        return page("missing.html", 404, what="page")
    return page("problem.html", error.status_code, problem=str(error.detail))
