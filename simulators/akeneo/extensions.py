"""UI extensions: registered through the API, shown in the PIM's pages, with the PIM's proof of who.

https://api.akeneo.com/extensions/ (SaaS only). Iframes get a token by `postMessage`, signed with
the extension's secret; actions are posted from the PIM's server with a signed body. The documents
do not name the header of that signature; here it is `X-Akeneo-Signature`.
"""

import hashlib
import hmac
import json
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import jwt
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.akeneo.app_pages import page, user_of
from simulators.akeneo.apps import Extension, User
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal, invalid, violation
from simulators.akeneo.routing import JSON, Call, Endpoint, Handler, json_answer

TOKEN_SECONDS = 3600
ACTION_SECONDS = 5.0
LEAST_SECRET = 32
POSITIONS = {
    "iframe": {
        "pim.product.tab",
        "pim.product-model.tab",
        "pim.sub-product-model.tab",
        "pim.product.panel",
        "pim.product-model.panel",
        "pim.sub-product-model.panel",
        "pim.category.tab",
        "pim.activity.navigation.tab",
        "pim.product-grid.action-bar",
    },
    "action": {
        "pim.product.header",
        "pim.product-model.header",
        "pim.sub-product-model.header",
        "pim.product-grid.action-bar",
        "pim.product.index",
    },
    "link": {
        "pim.product.header",
        "pim.product-model.header",
        "pim.sub-product-model.header",
        "pim.product-grid.action-bar",
    },
}


def _mine(call: Call) -> Iterator[Extension]:
    yield from (e for e in call.pim.extensions.by_uuid.values() if e.owner == call.user)


def _list(call: Call) -> Response:
    return json_answer([extension.shown() for extension in _mine(call)])


def _found(call: Call) -> Extension:
    for extension in _mine(call):
        if extension.uuid == call.params["uuid"]:
            return extension
    raise Refusal(404, "The extension does not exist or you do not own it.")


def _get(call: Call) -> Response:
    return json_answer(_found(call).shown())


def _create(call: Call) -> Response:
    taken = {extension.name for extension in _mine(call)}
    extension = _read(call.object(), call.user, str(uuid.uuid4()), None)
    if extension.name in taken:
        raise invalid([violation("name", "An extension with this name exists already.")])
    call.pim.extensions.by_uuid[extension.uuid] = extension
    return json_answer(extension.shown(), 201)


def _change(call: Call) -> Response:
    old = _found(call)
    extension = _read(call.object(), call.user, old.uuid, old)
    call.pim.extensions.by_uuid[extension.uuid] = extension
    return json_answer(extension.shown())


def _delete(call: Call) -> Response:
    del call.pim.extensions.by_uuid[_found(call).uuid]
    return Response(status_code=204)


def _read(body: dict[str, Any], owner: str, own: str, old: Extension | None) -> Extension:
    """Check a body; of a change only what is said is taken."""
    configuration = body.get("configuration") or {}

    def said(name: str, inside: dict[str, Any], before: Any) -> Any:
        return inside.get(name, before)

    extension = Extension(
        uuid=own,
        owner=owner,
        name=said("name", body, old and old.name) or "",
        version=said("version", body, old and old.version),
        type=said("type", body, old and old.type) or "",
        position=said("position", body, old and old.position) or "",
        url=said("url", configuration, old and old.url) or "",
        label=said("default_label", configuration, old and old.label) or "",
        labels=said("labels", configuration, old and old.labels) or {},
        secret=said("secret", configuration, old and old.secret) or "",
    )
    broken = list(_broken(extension))
    if broken:
        raise invalid([violation(path, message) for path, message in broken])
    return extension


def _broken(extension: Extension) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", extension.name):
        yield "name", "The name holds letters, digits, hyphens and underscores only."
    if extension.type not in POSITIONS:
        yield "type", "This type is not known."
    elif extension.position not in POSITIONS[extension.type]:
        yield "position", "This position is not for this type."
    if not extension.url.startswith(("http://", "https://")):
        yield "configuration.url", "This value is not a valid URL."
    if not extension.label:
        yield "configuration.default_label", "This value should not be blank."
    if extension.type == "iframe" and len(extension.secret) < LEAST_SECRET:
        yield "configuration.secret", f"The secret has at least {LEAST_SECRET} characters."


def extension_endpoints() -> list[Endpoint]:
    """The rows of `/ui-extensions`: those of each user, of SaaS only."""

    def row(method: str, path: str, handler: Handler, action: str = "list") -> Endpoint:
        return Endpoint(
            method=method,
            path=f"/ui-extensions{path}",
            handler=handler,
            content_type=JSON if method in ("POST", "PATCH") else None,
            resource="extension",
            action=action,
            needs="saas",
        )

    return [
        row("GET", "", _list),
        row("POST", "", _create, "edit"),
        row("GET", "/{uuid}", _get),
        row("PATCH", "/{uuid}", _change, "edit"),
        row("DELETE", "/{uuid}", _delete, "remove"),
    ]


def frame_address(extension: Extension, user: User, context: dict[str, str]) -> str:
    """What the PIM opens in the iframe: who and what, none of it proof of anything."""
    told = {
        "position": extension.position,
        "tenant": "simulated",
        "user[id]": user.number,
        "user[uuid]": user.uuid,
        "user[username]": user.username,
        "user[ui_locale]": "en_US",
        "user[catalog_locale]": "en_US",
        "user[catalog_scope]": "ecommerce",
        **context,
    }
    return f"{extension.url}{'&' if '?' in extension.url else '?'}{urlencode(told)}"


def frame_token(extension: Extension, user: User, now: datetime) -> str:
    """The proof that a page in an iframe gets when it asks for it."""
    at = now.timestamp()
    claims = {
        "jti": str(uuid.uuid4()),
        "iat": at,
        "exp": at + TOKEN_SECONDS,
        "userId": user.number,
        "userUuid": user.uuid,
    }
    return jwt.encode(claims, extension.secret, algorithm="HS256")


def action_call(
    extension: Extension, user: User, data: dict[str, Any], now: datetime
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an action's POST."""
    body = json.dumps(
        {
            "data": data,
            "context": {"locale": "en_US", "channel": "ecommerce"},
            "user": {"uuid": user.uuid, "username": user.username, "groups": ["All"]},
            "timestamp": int(now.timestamp()),
        }
    ).encode()
    headers = {"content-type": "application/json"}
    if extension.secret:
        signature = hmac.new(extension.secret.encode(), body, hashlib.sha512).hexdigest()
        headers["x-akeneo-signature"] = signature
    return body, headers


def _token(pim: Pim, request: Request) -> Response:
    extension = pim.extensions.by_uuid.get(request.path_params["uuid"])
    if extension is None:
        return JSONResponse({"message": "There is no such extension."}, 404)
    return JSONResponse({"token": frame_token(extension, user_of(pim, request), pim.now())})


def _activity(pim: Pim, request: Request) -> Response:
    return page(
        "activity.html", extensions=shown_at(pim, request, {}, "pim.activity.navigation.tab")
    )


def shown_at(
    pim: Pim, request: Request, context: dict[str, str], *positions: str
) -> list[dict[str, Any]]:
    """What a page needs of the extensions at its positions."""
    user = user_of(pim, request)
    return [
        {
            "uuid": each.uuid,
            "type": each.type,
            "label": each.label,
            "address": frame_address(each, user, context),
            "origin": _origin(each.url),
            "what": context.get("product[uuid]") or context.get("product[code]", ""),
        }
        for each in pim.extensions.at(*positions)
    ]


def _origin(url: str) -> str:
    read = httpx.URL(url)
    return f"{read.scheme}://{read.netloc.decode()}"


async def _run(pim: Pim, request: Request) -> Response:
    """Post an action from the PIM's server, and tell the user what came of it."""
    extension = pim.extensions.by_uuid.get(request.path_params["uuid"])
    if extension is None or extension.type != "action":
        return page("missing.html", 404, what="action")
    what = request.query_params.get("what", "")
    header = extension.position == "pim.product.header"
    data = {"productUuid" if header else "productModelCode": what}
    body, headers = action_call(extension, user_of(pim, request), data, pim.now())
    message = await run_in_threadpool(_posted, extension, body, headers)
    return page("refused.html", 200, message=message)


def _posted(extension: Extension, body: bytes, headers: dict[str, str]) -> str:
    try:
        answer = httpx.post(extension.url, content=body, headers=headers, timeout=ACTION_SECONDS)
    except httpx.HTTPError as error:
        return f"{extension.label}: no answer ({type(error).__name__})."
    outcome = "done" if answer.is_success else f"failed with {answer.status_code}"
    return f"{extension.label}: {outcome}."


def extension_routes(pim: Pim) -> Iterator[Route]:
    """The PIM's own pages and what its script asks for."""

    def locked(show: Callable[[Pim, Request], Response]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            with pim.lock:
                return show(pim, request)

        return answer

    async def run(request: Request) -> Response:
        return await _run(pim, request)

    yield Route("/activity", locked(_activity), methods=["GET"])
    yield Route("/extensions/{uuid}/token", locked(_token), methods=["POST"])
    yield Route("/extensions/{uuid}/run", run, methods=["POST"])
