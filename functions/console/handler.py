"""The console behind its function URL: calls become pages, pages become answers."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import boto3
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from drafting import draft
from pim_connector.aws.events import RUN_FINISHED
from pim_connector.console.exchange import Reply
from pim_connector.console.notifications import run_finished
from pim_connector.console.parts import ConsoleSettings, Parts, signing
from pim_connector.console.routes import ROUTES, WITHOUT_SESSION, Route, nowhere, shown, static
from pim_connector.console.routes import without_session as answered
from pim_connector.settings import load
from telemetry import observed

app = LambdaFunctionUrlResolver()


@cache
def parts() -> Parts:
    def client(service: str) -> Any:
        config = signing(os.environ) if service == "s3" else None
        return boto3.client(service, config=config)  # type: ignore[call-overload]  # not a literal

    return Parts(load(ConsoleSettings, os.environ), client, draft=draft)


def response(reply: Reply) -> Response[str]:
    return Response(
        status_code=reply.status,
        content_type=reply.content_type,
        body=reply.body,
        headers={**parts().headers, **reply.headers},
        cookies=list(reply.cookies),  # type: ignore[arg-type]  # texts are taken as they are
    )


def bind(route: Route) -> None:
    """Have the address of a page answered."""

    def called(**names: str) -> Response[str]:
        return response(shown(route, app.current_event.raw_event, names, parts()))

    app.route(route.path, method=route.method)(called)


def without_session() -> Response[str]:
    return response(answered(app.current_event.raw_event, parts()))


for each in ROUTES:
    bind(each)
for method, path in WITHOUT_SESSION:
    app.route(path, method=method)(without_session)


@app.get("/static/<name>")
def static_file(name: str) -> Response[str]:
    return response(static(name))


@app.not_found
def not_found(_: Exception) -> Response[str]:
    return response(nowhere())


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    if event.get("detail-type") == RUN_FINISHED:
        return {"told": run_finished(event["detail"], parts())}
    return app.resolve(event, context)
