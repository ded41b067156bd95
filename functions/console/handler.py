"""The console behind its function URL: calls become pages, pages become answers."""

from __future__ import annotations

import gc

gc.disable()  # until `observed`: what modules make while they are imported is not garbage

import base64
import binascii
import os
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from pim_connector.console.exchange import Call, Reply, Visitor
from pim_connector.console.gate import enter
from pim_connector.console.parts import ConsoleSettings, Parts
from pim_connector.console.rendering import bare_page
from pim_connector.console.routes import ROUTES, Route, answer, policy, static
from pim_connector.settings import load
from telemetry import observed

MOST_FORM_BYTES = 1_000_000
NOBODY = Visitor(actor="", name="", acts=False, token="")
app = LambdaFunctionUrlResolver()


@cache
def parts() -> Parts:
    def client(service: str) -> Any:
        return boto3.client(service)  # type: ignore[call-overload]  # not a literal

    return Parts(load(ConsoleSettings, os.environ), client)


@cache
def headers() -> dict[str, str]:
    """What every reply has; uploads go to the bucket's own address."""
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
    """Have one address answered."""

    def called(**names: str) -> Response[str]:
        event = app.current_event.raw_event
        form = read_form(event)
        if form is None:
            return response(
                bare_page("closed.html", 413, problem="This is more than a form holds.")
            )
        call = read_call(event, form, names)
        return response(enter(call, cookies(event), parts(), lambda c: answer(route, c, parts())))

    app.route(route.path, method=route.method)(called)


def read_call(event: dict[str, Any], form: dict[str, str], names: dict[str, str]) -> Call:
    query = parse_qs(str(event.get("rawQueryString") or ""), keep_blank_values=True)
    return Call(
        method=event["requestContext"]["http"]["method"].upper(),
        path=event.get("rawPath") or "/",
        query={name: values[0] for name, values in query.items()},
        form=form,
        headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
        names=names,
        visitor=NOBODY,
    )


def read_form(event: dict[str, Any]) -> dict[str, str] | None:
    """Read an URL-encoded form; None for one that is too large."""
    body = event.get("body") or ""
    if len(body) > MOST_FORM_BYTES:
        return None
    if event.get("isBase64Encoded"):
        try:
            body = base64.b64decode(body, validate=True).decode("utf-8", "replace")
        except binascii.Error:
            return {}
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=200)
    except ValueError:
        return None
    return {name: values[0] for name, values in fields.items()}


def cookies(event: dict[str, Any]) -> dict[str, str]:
    pairs = event.get("cookies") or str((event.get("headers") or {}).get("cookie", "")).split(";")
    found: dict[str, str] = {}
    for pair in pairs:
        name, _, value = pair.strip().partition("=")
        found.setdefault(name, value)
    return found


def response(reply: Reply) -> Response[str]:
    return Response(
        status_code=reply.status,
        content_type=reply.content_type,
        body=reply.body,
        headers={**headers(), **reply.headers},
        cookies=list(reply.cookies),  # type: ignore[arg-type]  # texts are taken as they are
    )


for each in ROUTES:
    bind(each)


@app.get("/static/<name>")
def static_file(name: str) -> Response[str]:
    return response(static(name))


@app.not_found
def no_page(_: Exception) -> Response[str]:
    return response(bare_page("closed.html", 404, problem="There is no such page."))


@observed
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    return app.resolve(event, context)
