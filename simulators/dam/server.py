"""The simulated DAM as an ASGI application, with a back door for tests and demos.

Under `/_dam/`: `GET truth`, `GET requests`; `GET`/`PATCH habits`; `POST assets` (one, or
`{"count": n}`), `PATCH`/`DELETE assets/{id}`; `POST live` (what happens between two requests);
`POST clock` (`{"advance_s": n}`); `POST webhooks` (`{"url", "scheme", "secret", …}`), `DELETE
webhooks`, `POST deliver`.
"""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulators.dam.announcer import Announcer, Webhook
from simulators.dam.dam import Dam
from simulators.dam.habits import Habits
from simulators.dam.requests import Asked
from simulators.dam.signatures import SCHEMES, Signing

SIGNING_KEYS = ("secret", "header", "prefix", "algorithm", "encoding", "topic", "client_id")


def application(dam: Dam) -> Starlette:
    """Serve one DAM. Every path that is not the back door's is the DAM's own."""
    announcer = Announcer(dam.library, _post)
    door = BackDoor(dam, announcer)
    routes = [
        Route("/_dam/truth", door.truth, methods=["GET"]),
        Route("/_dam/requests", door.requests, methods=["GET"]),
        Route("/_dam/habits", door.habits, methods=["GET", "PATCH"]),
        Route("/_dam/assets", door.add, methods=["POST"]),
        Route("/_dam/assets/{id}", door.asset, methods=["PATCH", "DELETE"]),
        Route("/_dam/live", door.live, methods=["POST"]),
        Route("/_dam/clock", door.clock, methods=["POST"]),
        Route("/_dam/webhooks", door.webhooks, methods=["POST", "DELETE"]),
        Route("/_dam/deliver", door.deliver, methods=["POST"]),
        Route("/{path:path}", _dam_itself(dam), methods=["GET", "POST"]),
    ]
    return Starlette(routes=routes)


def _dam_itself(dam: Dam) -> Any:
    async def answer(request: Request) -> Response:
        asked = Asked(
            method=request.method,
            url=str(request.url),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.body(),
        )
        answered = await run_in_threadpool(dam.answer, asked)
        return Response(
            answered.bytes(),
            status_code=answered.status,
            headers=answered.headers,
            media_type=answered.content_type,
        )

    return answer


class BackDoor:
    """What tests and demos do to the DAM, as an editor would through its screens."""

    def __init__(self, dam: Dam, announcer: Announcer) -> None:
        self._dam, self._announcer = dam, announcer

    async def truth(self, _: Request) -> Response:
        return JSONResponse(self._dam.library.living())

    async def requests(self, _: Request) -> Response:
        return JSONResponse(dict(self._dam.requests))

    async def habits(self, request: Request) -> Response:
        if request.method == "PATCH":
            now = msgspec.to_builtins(self._dam.habits)
            try:
                changed = msgspec.convert({**now, **await request.json()}, Habits)
            except msgspec.ValidationError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            self._dam.library.habits = changed
        return JSONResponse(msgspec.to_builtins(self._dam.habits))

    async def add(self, request: Request) -> Response:
        asked = await request.json()
        count = asked.pop("count", 1)
        id_ = asked.pop("id", None)
        ids = [
            self._dam.library.add(id_=id_ if count == 1 else None, **asked) for _ in range(count)
        ]
        return JSONResponse({"ids": ids}, status_code=201)

    async def asset(self, request: Request) -> Response:
        asset_id = request.path_params["id"]
        if asset_id not in self._dam.library.living():
            return JSONResponse({"error": "no such asset"}, status_code=404)
        if request.method == "DELETE":
            self._dam.library.delete(asset_id)
        else:
            self._dam.library.change(asset_id, **await request.json())
        return Response(status_code=204)

    async def live(self, _: Request) -> Response:
        self._dam.live()
        return Response(status_code=204)

    async def clock(self, request: Request) -> Response:
        self._dam.library.advance(float((await request.json())["advance_s"]))
        return Response(status_code=204)

    async def webhooks(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._announcer.webhooks.clear()
            return Response(status_code=204)
        asked = await request.json()
        if asked.get("scheme", "none") not in SCHEMES:
            error = f"scheme must be one of {', '.join(SCHEMES)}"
            return JSONResponse({"error": error}, status_code=400)
        known = {key: asked[key] for key in SIGNING_KEYS if key in asked}
        signing = Signing(scheme=asked.get("scheme", "none"), **known)
        self._announcer.webhooks.append(Webhook(url=asked["url"], signing=signing))
        return Response(status_code=201)

    async def deliver(self, _: Request) -> Response:
        sent = await run_in_threadpool(self._announcer.deliver)
        return JSONResponse({"sent": sent})


def _post(url: str, body: bytes, headers: dict[str, str]) -> None:
    try:
        httpx.post(url, content=body, headers=headers, timeout=10)
    except httpx.HTTPError:
        return  # Directus, Strapi: no retry, and nobody hears of it
