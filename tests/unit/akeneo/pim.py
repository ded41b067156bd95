"""A PIM at the transport: the real client runs against it, and it fails as it is told to."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpx

from pim_connector.akeneo import AkeneoClient, AppToken, ConnectionCredentials, Credentials

CREDENTIALS = ConnectionCredentials(
    client_id="client-1", secret="s3cret-word", username="erp_1234", password="pass-w0rd!"
)
Line = dict[str, Any]
Behaviour = Callable[["Pim", httpx.Request, list[Line]], httpx.Response]


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


class Pim:
    """Answers every line with 201 or 204; `script` holds what the next bulk calls do instead."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.script: deque[Behaviour] = deque()
        self.always: Behaviour | None = None
        self.calls: list[list[Line]] = []
        self.grants: list[str] = []
        self.passwords: list[str] = []
        self.paths: list[str] = []
        self.stored: dict[str, Line] = {}
        self.valid: set[str] = set()
        self.routes: dict[str, Callable[[httpx.Request], httpx.Response]] = {}
        self.token_answers: deque[Callable[[], httpx.Response]] = deque()

    def client(
        self, credentials: Credentials | Callable[[], Credentials] = CREDENTIALS, **options: Any
    ) -> AkeneoClient:
        settings: dict[str, Any] = {
            "transport": httpx.MockTransport(self.answer),
            "now": self.clock.now,
            "sleep": self.clock.sleep,
            "jitter": lambda: 1.0,
        }
        return AkeneoClient("https://pim.example.com", credentials, **{**settings, **options})

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.paths.append(f"{request.method} {request.url.raw_path.decode()}")
        if request.url.path == "/api/oauth/v1/token":
            return self._token(json.loads(request.content))
        if request.headers["Authorization"].removeprefix("Bearer ") not in self.valid:
            return says(401, "The access token provided has expired.")
        if request.url.path in self.routes:
            return self.routes[request.url.path](request)
        lines = sent_lines(request)
        self.calls.append(lines)
        if self.script:
            return self.script.popleft()(self, request, lines)
        return (self.always or Pim.takes)(self, request, lines)

    def takes(self, request: httpx.Request, lines: Sequence[Line]) -> httpx.Response:
        return streamed(self.results(lines), array=is_array(request))

    def results(self, lines: Sequence[Line]) -> list[Line]:
        return [self._save(number, line) for number, line in enumerate(lines, start=1)]

    def _save(self, number: int, line: Line) -> Line:
        key = next(k for k in ("identifier", "uuid", "code") if k in line)
        status = 204 if line[key] in self.stored else 201
        self.stored[line[key]] = line
        return {"line": number, key: line[key], "status_code": status}

    def _token(self, grant: dict[str, str]) -> httpx.Response:
        self.grants.append(grant["grant_type"])
        if "password" in grant:
            self.passwords.append(grant["password"])
        if self.token_answers:
            return self.token_answers.popleft()()
        token = f"access-{len(self.grants)}"
        self.valid.add(token)
        return httpx.Response(
            200,
            json={
                "access_token": token,
                "expires_in": 3600,
                "token_type": "bearer",
                "scope": None,
                "refresh_token": f"refresh-{len(self.grants)}",
            },
        )


def app_token(pim: Pim) -> AppToken:
    pim.valid.add("app-t0ken")
    return AppToken(token="app-t0ken")


def products(count: int) -> list[Line]:
    return [{"identifier": f"sku-{number}", "enabled": True} for number in range(1, count + 1)]


def says(status: int, message: str = "", headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, json={"code": status, "message": message}, headers=headers)


def refuses(status: int, message: str = "No.", headers: dict[str, str] | None = None) -> Behaviour:
    """Refuse a whole call."""
    return lambda _pim, _request, _lines: says(status, message, headers)


def cut_after(count: int, *, breaks: bool = False, inside: bool = False) -> Behaviour:
    """Process and answer only the first `count` lines, under a status of 200."""

    def behave(pim: Pim, _request: httpx.Request, lines: list[Line]) -> httpx.Response:
        results = pim.results(lines[:count])
        tail = b'\n{"line":%d,"identifier":"sk' % (count + 1) if inside else b""
        return streamed(results, tail=tail, breaks=breaks)

    return behave


def lines_fail(statuses: dict[int, int], message: str = "Deadlock.") -> Behaviour:
    """Answer some lines (1-based) of a call with another status, without saving them."""

    def behave(pim: Pim, request: httpx.Request, lines: list[Line]) -> httpx.Response:
        results = []
        for number, line in enumerate(lines, start=1):
            if number in statuses:
                key = next(k for k in ("identifier", "uuid", "code") if k in line)
                status = statuses[number]
                results.append(
                    {"line": number, key: line[key], "status_code": status, "message": message}
                )
            else:
                results.append(pim._save(number, line))
        return streamed(results, array=is_array(request))

    return behave


def too_big_for(limit: int, status: int) -> Behaviour:
    """Refuse calls of more than `limit` bytes, as a platform before the PIM does."""

    def behave(pim: Pim, request: httpx.Request, lines: list[Line]) -> httpx.Response:
        if len(request.content) > limit:
            return says(status, "Too large.")
        return pim.takes(request, lines)

    return behave


def fails(error: type[httpx.TransportError], words: str = "the network is down") -> Behaviour:
    def behave(_pim: Pim, request: httpx.Request, _lines: list[Line]) -> httpx.Response:
        raise error(words, request=request)

    return behave


def streamed(
    results: list[Line], *, tail: bytes = b"", breaks: bool = False, array: bool = False
) -> httpx.Response:
    """One piece per line, as the server flushes them; `breaks`: the connection ends in between."""
    if array:
        return httpx.Response(
            200, json=[{k: v for k, v in result.items() if k != "line"} for result in results]
        )

    def pieces() -> Iterator[bytes]:
        for number, result in enumerate(results):
            yield (b"\n" if number else b"") + json.dumps(result).encode()
        yield tail
        if breaks:
            raise httpx.ReadError("connection reset")

    return httpx.Response(
        200,
        content=pieces(),
        headers={"Content-Type": "application/vnd.akeneo.collection+json"},
    )


def is_array(request: httpx.Request) -> bool:
    return request.headers["Content-Type"] == "application/json"


def sent_lines(request: httpx.Request) -> list[Line]:
    if is_array(request):
        items: list[Line] = json.loads(request.content)
        return items
    return [json.loads(line) for line in request.content.split(b"\n") if request.content]
