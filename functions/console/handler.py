"""The console behind its function URL: calls become pages, pages become answers."""

from __future__ import annotations

import gc

gc.disable()  # until `observed`: what modules make while they are imported is not garbage

import os
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.console.exchange import Reply
from pim_connector.console.gate import at_the_door, enter
from pim_connector.console.parts import ConsoleSettings, Parts
from pim_connector.console.rendering import bare_page
from pim_connector.console.routes import DOOR, ROUTES, Route, answer, policy, static
from pim_connector.console.web import Request, read_request
from pim_connector.errors import ConnectorError
from pim_connector.settings import load
from telemetry import logger, observed

app = LambdaFunctionUrlResolver()


@cache
def parts() -> Parts:
    def client(service: str) -> Any:
        return boto3.client(service)  # type: ignore[call-overload]  # not a literal

    return Parts(load(ConsoleSettings, os.environ), client)


@cache
def headers() -> dict[str, str]:
    """Return what every reply has; uploads go to the bucket's own address."""
    address = (
        parts()
        .client("s3")
        .generate_presigned_url(
            "get_object", Params={"Bucket": parts().settings.bucket, "Key": "x"}, ExpiresIn=60
        )
    )
    place = urlsplit(address)
    return dict(policy(f"{place.scheme}://{place.netloc}"))


def bind(route: Route) -> None:
    """Have the address of a page answered."""

    def called(**names: str) -> Response[str]:
        return told(
            lambda request: enter(
                request,
                names,
                parts(),
                lambda call: answer(route, call, parts()),
                changes=route.changes,
            )
        )

    app.route(route.path, method=route.method)(called)


def told(show: Callable[[Request], Reply | None]) -> Response[str]:
    """Answer the call of now, whatever goes wrong before a page is reached."""
    try:
        reply = show(read_request(app.current_event.raw_event))
    except ConnectorError as error:
        logger.warning("not answered", extra={"reason": str(error)})
        reply = bare_page("door.html", 503, title="This did not work", message=str(error))
    return response(reply or no_such_page())


def response(reply: Reply) -> Response[str]:
    return Response(
        status_code=reply.status,
        content_type=reply.content_type,
        body=reply.body,
        headers={**headers(), **reply.headers},
        cookies=list(reply.cookies),  # type: ignore[arg-type]  # texts are taken as they are
    )


def no_such_page() -> Reply:
    return bare_page("door.html", 404, title="Not found", message="There is no such page.")


def door() -> Response[str]:
    return told(lambda request: at_the_door(request, parts()))


for each in ROUTES:
    bind(each)
for method, path in DOOR:
    app.route(path, method=method)(door)


@app.get("/static/<name>")
def static_file(name: str) -> Response[str]:
    return response(static(name))


@app.not_found
def not_found(_: Exception) -> Response[str]:
    return response(no_such_page())


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
