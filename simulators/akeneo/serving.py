"""From the HTTP call to its handler: token, headers, rights, counters and faults."""

import asyncio
import time
from itertools import islice
from typing import NoReturn
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

from simulators.akeneo.accounts import ACCESS_SECONDS, check_right, check_web_api
from simulators.akeneo.editions import has
from simulators.akeneo.faults import LateCall
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal, bad_json
from simulators.akeneo.routing import (
    COLLECTION,
    JSON,
    Call,
    Endpoint,
    basic_credentials,
    check_headers,
    check_token_content_type,
    json_answer,
    no_route,
    refusal_answer,
)
from simulators.akeneo.server import break_connection
from simulators.akeneo.stream import Lines

API = "/api/rest/v1"
TOKEN_PATH = "/api/oauth/v1/token"  # noqa: S105  # a path
TOKEN_BYTES = 300
TOO_MANY = "You have exceeded the limit of API requests per second."


class Serving:
    """The ASGI application of one endpoint."""

    def __init__(self, pim: Pim, endpoint: Endpoint) -> None:
        self.pim = pim
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the call, let faults strike, answer it."""
        name = self.endpoint.name
        status = 0
        hang_up = False

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            if not hang_up:
                await send(message)

        self.pim.counters.enter(name)
        try:
            request = Request(scope, receive)
            body = await request.body()
            response = await platform_fault(self.pim, name, request, len(body))
            if response is not None:
                await response(scope, receive, watched)
                return
            hang_up = self.pim.faults.strikes("timeouts_after", name)
            await self._answer(request, body, receive, watched)
            if hang_up:
                await never_answer(request, self.pim.faults.timeout_seconds)
        finally:
            self.pim.counters.leave(status)

    async def _answer(self, request: Request, body: bytes, receive: Receive, send: Send) -> None:
        pim, endpoint = self.pim, self.endpoint
        try:
            call = self._call(request, body)
        except Refusal as refusal:
            await refusal_answer(refusal)(request.scope, receive, send)
            return
        if not endpoint.public and not pim.counters.begin(call.user):
            await self._too_many_at_once()(request.scope, receive, send)
            return
        if endpoint.method != "GET" and pim.faults.strikes("late_calls", endpoint.name):
            await self._outlive(call, request)
        try:
            response = await self._work(call)
            await response(request.scope, receive, send)
        finally:
            if not endpoint.public:
                pim.counters.end(call.user)
        if endpoint.method != "GET":
            pim.late.answered(endpoint.name)

    def _call(self, request: Request, body: bytes) -> Call:
        """What the handler sees; raises `Refusal` for a call that gets no further."""
        pim, endpoint = self.pim, self.endpoint
        if not has(pim.edition, endpoint.needs):
            raise no_route(request, 404)
        user = self._user(request)
        if any("[" in name for name in request.query_params):
            raise Refusal(400, "Bracket syntax is not supported in query parameters.")
        check_headers(request, endpoint)
        check_right(pim.accounts, user, endpoint.resource, endpoint.action)
        return Call(
            pim=pim,
            request=request,
            route=endpoint.name,
            body=body,
            user=user,
            params=dict(request.path_params),
        )

    async def _work(self, call: Call) -> Response:
        latency = self.pim.faults.latency_ms
        if latency and self.endpoint.method != "GET":
            await asyncio.sleep(_entries(self.endpoint, call.body) * latency / 1000)
        return self._handled(call)

    def _handled(self, call: Call) -> Response:
        try:
            with self.pim.lock:
                return self.endpoint.handler(call)
        except Refusal as refusal:
            return refusal_answer(refusal)

    async def _outlive(self, call: Call, request: Request) -> NoReturn:
        """Part from the client and leave the rest of the call for later; always raises."""
        pim, faults = self.pim, self.pim.faults
        collection = self.endpoint.content_type == COLLECTION
        begun = self._handled(call) if collection else None
        if isinstance(begun, Lines):
            for _ in islice(begun.work, int(faults.late_lines)):
                pass

        def finish() -> None:
            response = begun if begun is not None else self._handled(call)
            if isinstance(response, Lines):
                for _ in response.work:
                    pass
            pim.counters.end(call.user)

        late = LateCall(
            route=self.endpoint.name,
            user=call.user,
            waits_for=int(faults.late_after),
            finish=finish,
        )
        pim.late.waiting.append(late)
        if faults.late_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(faults.late_seconds, lambda: pim.late.finish([late]))
        if faults.late_hang_seconds:
            await never_answer(request, faults.late_hang_seconds)
        break_connection(request.scope.get("client"))

    def _too_many_at_once(self) -> Response:
        headers = {"Retry-After": str(self.pim.counters.limits.retry_after)}
        return json_answer({"code": 429, "message": TOO_MANY}, 429, headers)

    def _user(self, request: Request) -> str:
        if self.endpoint.public:
            return ""
        accounts = self.pim.accounts
        user = accounts.user_of(request.headers.get("authorization"), now=time.monotonic())
        check_web_api(accounts, user)
        return user


def _entries(endpoint: Endpoint, body: bytes) -> int:
    """How many resources a write is about; lines of a stream take their time one by one."""
    if endpoint.content_type == COLLECTION:
        return 0
    try:
        data = decode(body)
    except InvalidJsonError:
        return 1
    return len(data) or 1 if isinstance(data, list) else 1


class TokenServing:
    """The ASGI application of the token endpoint."""

    def __init__(self, pim: Pim) -> None:
        self.pim = pim

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the call, let faults strike that name it, grant or refuse."""
        name = f"POST {TOKEN_PATH}"
        response: Response | None = None
        self.pim.counters.enter(name)
        try:
            request = Request(scope, receive)
            body = await request.body()
            faults = self.pim.faults
            if faults.down or (faults.only is not None and faults.only in name):
                response = await platform_fault(self.pim, name, request, len(body))
            if response is None:
                response = self._grant(request, body)
            await response(scope, receive, send)
        finally:
            self.pim.counters.leave(response.status_code if response is not None else 0)

    def _grant(self, request: Request, body: bytes) -> Response:
        try:
            if len(body) > TOKEN_BYTES:
                raise Refusal(
                    413,
                    f"Request content exceeded the maximum allowed size of {TOKEN_BYTES} bytes",
                )
            check_token_content_type(request)
            lifetime = self.pim.faults.token_seconds
            answer = self.pim.accounts.grant(
                basic_credentials(request.headers.get("authorization")),
                _parameters(request, body),
                now=time.monotonic(),
                lifetime=ACCESS_SECONDS if lifetime is None else lifetime,
            )
            return json_answer(answer)
        except Refusal as refusal:
            return refusal_answer(refusal)


def _parameters(request: Request, body: bytes) -> dict[str, object]:
    if not request.headers["content-type"].startswith(JSON):
        return dict(parse_qsl(body.decode(errors="replace")))
    try:
        data = decode(body)
    except InvalidJsonError:
        raise bad_json() from None
    return data if isinstance(data, dict) else {}


async def platform_fault(pim: Pim, name: str, request: Request, size: int) -> Response | None:
    """What strikes before the PIM looks at a call: an answer, a wait, a broken connection."""
    faults = pim.faults
    if faults.call_latency_ms:
        await asyncio.sleep(faults.call_latency_ms / 1000)
    if faults.down:
        return PlainTextResponse("Service Unavailable", faults.down)
    if faults.strikes("dropped_connections", name):
        break_connection(request.scope.get("client"))
    if faults.strikes("timeouts_before", name):
        await never_answer(request, pim.faults.timeout_seconds)
    if faults.strikes("too_many_requests", name):
        headers = {} if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
        return json_answer({"code": 429, "message": TOO_MANY}, 429, headers)
    if faults.strikes("server_errors", name):
        return PlainTextResponse("Internal Server Error", faults.server_error_status)
    if faults.payload_limit is not None and size > faults.payload_limit:
        return PlainTextResponse("<html><title>403 Forbidden</title></html>", 403)
    return None


async def never_answer(request: Request, seconds: float) -> NoReturn:
    """Wait until the client gives up or the time is over; then break the connection."""
    try:
        async with asyncio.timeout(seconds):
            while (await request.receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        pass
    break_connection(request.scope.get("client"))
