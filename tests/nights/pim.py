"""The simulated PIM behind a transport of its own: no sockets, no event loop, but time passes.

The ASGI application's coroutine is driven by hand, so that the PIM's lines fall between the calls
of other workers, and so that a client can go away in the middle.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

import httpx
from starlette.requests import ClientDisconnect

from simulators.akeneo import serving, structure_endpoints
from simulators.akeneo.accounts import Connection
from simulators.akeneo.app import create_app
from simulators.akeneo.catalog import from_resources
from simulators.akeneo.faults import Faults
from simulators.akeneo.pim import Pim, Product, ProductModel
from simulators.akeneo.server import ConnectionBroken
from tests.nights.goods import CATALOG, POISON
from tests.nights.held import texts
from tests.nights.loop import Loop
from tests.nights.weather import Weather

SECRET = {
    "client_id": "client-of-the-night",
    "secret": "s3cr3t-of-the-c0nnection",
    "username": "robot",
    "password": "p4ssw0rd-of-the-r0bot",
}
WRONG = SECRET | {"secret": "wr0ng-s3cr3t", "password": "wr0ng-p4ssword"}
LINE_SECONDS = 0.055
BROKEN = (ConnectionBroken, ClientDisconnect)
"""What the application raises where the simulator breaks a connection, bare or wrapped."""


@dataclass(frozen=True)
class Write:
    """One accepted write: who wrote it (a run's id) and when."""

    time: float
    kind: str
    code: str
    run: str


@dataclass(slots=True, kw_only=True)
class WatchedPim(Pim):
    """A PIM that notes every accepted write, and breaks off at a poisonous product."""

    writes: list[Write] = field(default_factory=list)
    before: dict[tuple[str, tuple[str, str]], dict[str, str] | None] = field(default_factory=dict)
    """What a product was when a run first wrote to it, None for no such product."""
    after: dict[Write, dict[str, str]] = field(default_factory=dict)
    run_now: Callable[[], str] = str
    clock: Any = None

    def save_product(self, product: Product) -> None:
        if any(POISON in str(value) for value in product.values.values()):
            raise ConnectionBroken("the PIM's process died of this product")
        old = self.products.get(product.uuid)
        before = texts(self, old) if old is not None else None
        Pim.save_product(self, product)
        self._note(("product", self.identifier_of(product) or ""), before, product)

    def save_model(self, model: ProductModel) -> None:
        old = self.model(model.code)
        before = texts(self, old) if old is not None else None
        Pim.save_model(self, model)
        self._note(("product_model", model.code), before, model)

    def _note(
        self, key: tuple[str, str], before: dict[str, str] | None, now: Product | ProductModel
    ) -> None:
        write = Write(self.clock.now, *key, self.run_now())
        self.writes.append(write)
        self.before.setdefault((write.run, key), before)
        self.after[write] = texts(self, now)


@dataclass(frozen=True)
class Sent:
    """One PATCH of a list: when, where to, by which run, its lines."""

    time: float
    path: str
    run: str
    lines: tuple[dict[str, Any], ...]


@types.coroutine
def _handed_over(message: dict[str, Any]) -> Generator[dict[str, Any], None, None]:
    yield message


class PimWorld:
    """One PIM, its history, and transports to it."""

    def __init__(self, loop: Loop, weather: Weather, chance: Random) -> None:
        self._loop, self._weather, self._chance = loop, weather, chance
        clock = loop.clock
        self.pim = WatchedPim(
            catalog=from_resources(CATALOG),
            now=lambda: datetime.fromtimestamp(clock.now, UTC),
            run_now=self._run_now,
            clock=clock,
        )
        self.pim.accounts.connect(Connection(**SECRET))
        self.app = create_app(self.pim)
        self.sent: list[Sent] = []
        self.tokens: set[str] = set()
        self.option_calls: list[float] = []
        self.calls_in_vain: list[float] = []
        self.strangers = 0
        self.now = 0
        self.most = 0
        self._hurried = False

    def transport(self) -> httpx.BaseTransport:
        return _Transport(self)

    def steady(self) -> dict[Any, str]:
        """Say which clocks of the simulator are to be the loop's."""
        fake = types.SimpleNamespace(monotonic=lambda: self._loop.clock.now)
        return {(serving, "time"): fake, (structure_endpoints, "time"): fake}  # type: ignore[dict-item]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Take one call, at the speed and in the mood of the moment."""
        if self._hurried:
            return self._at_once(request)
        loop, weather, chance = self._loop, self._weather, self._chance
        loop.wait(chance.uniform(0.005, 0.05))
        calm = loop.clock.now >= weather.calm_from
        if any(begin <= loop.clock.now < end for begin, end in weather.outages):
            return self._outage(request)
        if not calm and chance.random() < weather.time_out_before:
            self._time_out(request)
        if not calm and chance.random() < weather.dropped:
            raise httpx.RemoteProtocolError("Server disconnected", request=request)
        if not calm and chance.random() < weather.forget_tokens:
            self.pim.accounts.expire_all()
        hang_up = not calm and chance.random() < weather.time_out_after
        body = request.read()
        self._note(request, body)
        self._mood(calm=calm)
        return self._worked(request, body, hang_up=hang_up)

    @contextmanager
    def out_of_time(self) -> Iterator[None]:
        """Have calls answered at once, with nothing going wrong: no part of the history."""
        self._hurried, self.pim.faults = True, Faults()
        try:
            yield
        finally:
            self._hurried = False

    def _at_once(self, request: httpx.Request) -> httpx.Response:
        call = _Call(self, request, request.read())
        start = call.step()
        assert start is not None
        return httpx.Response(
            start["status"], headers=start["headers"], stream=call, request=request
        )

    def _outage(self, request: httpx.Request) -> httpx.Response:
        self.calls_in_vain.append(self._loop.clock.now)
        way = self._chance.choice(("refused", "503", "time"))
        if way == "refused":
            raise httpx.ConnectError("connection refused", request=request)
        if way == "time":
            self._time_out(request)
        return httpx.Response(503, text="Service Unavailable", request=request)

    def _time_out(self, request: httpx.Request) -> None:
        seconds = (request.extensions.get("timeout") or {}).get("read") or 60.0
        self._loop.wait(seconds)
        raise httpx.ReadTimeout("timed out", request=request)

    def _mood(self, *, calm: bool) -> None:
        weather, chance = self._weather, self._chance
        if calm:
            self.pim.faults = Faults()
            return
        self.pim.faults = Faults(
            seed=chance.randrange(1 << 30),
            too_many_requests=weather.too_many,
            retry_after=weather.retry_after,
            server_errors=weather.server_error,
            server_error_status=chance.choice((500, 502, 503, 504)),
            cut_answers=weather.cut,
            cut_after_lines=chance.randrange(4),
            deadlock_lines=weather.deadlock,
            payload_limit=weather.payload_limit,
        )

    def _note(self, request: httpx.Request, body: bytes) -> None:
        if request.method != "PATCH":
            return
        path = request.url.path.removeprefix("/api/rest/v1/")
        lines = tuple(json.loads(line) for line in body.split(b"\n") if line)
        self.sent.append(Sent(self._loop.clock.now, path, self._run_now(), lines))

    def _worked(self, request: httpx.Request, body: bytes, *, hang_up: bool) -> httpx.Response:
        call = _Call(self, request, body)
        try:
            start = call.step()
        except BROKEN as error:
            raise httpx.RemoteProtocolError("Server disconnected", request=request) from error
        assert start is not None
        if _writes_options(request) and start["status"] == 200:
            self.option_calls.append(self._loop.clock.now)
        if "oauth" in request.url.path:
            return self._granted(call, start["status"], start["headers"], request)
        if hang_up:
            call.finish()
            self._time_out(request)
        return httpx.Response(
            start["status"], headers=start["headers"], stream=call, request=request
        )

    def _granted(
        self, call: _Call, status: int, headers: Any, request: httpx.Request
    ) -> httpx.Response:
        content = b"".join(call)
        self.strangers += WRONG["password"].encode() in request.content
        if status == 200:
            answer = json.loads(content)
            self.tokens |= {answer["access_token"], answer["refresh_token"]}
        return httpx.Response(status, headers=headers, content=content, request=request)

    def _run_now(self) -> str:
        task = self._loop.task()
        return "" if task is None else str(task.about.get("run", ""))

    def closes_early(self) -> bool:
        return self._chance.random() < 0.5

    def pause(self) -> None:
        """Let the PIM work on a line."""
        if not self._hurried:
            self._loop.wait(LINE_SECONDS)


class _Call(httpx.SyncByteStream):
    """One call that the application works on: the body comes as it is written."""

    def __init__(self, world: PimWorld, request: httpx.Request, body: bytes) -> None:
        self._world = world
        self._over = False
        world.now += 1
        world.most = max(world.most, world.now)
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return messages.pop() if messages else {"type": "http.disconnect"}

        self._work = world.app(_scope(request), receive, _handed_over)  # type: ignore[arg-type]

    def step(self) -> dict[str, Any] | None:
        """Let the application work until it says something; None at its end."""
        try:
            while True:
                message = self._work.send(None)
                if message is not None:
                    return message  # type: ignore[no-any-return]
        except StopIteration:
            self._end()
            return None
        except BaseException:
            self._end()
            raise

    def __iter__(self) -> Iterator[bytes]:
        try:
            while (message := self.step()) is not None:
                if message.get("body"):
                    yield message["body"]
                    self._world.pause()
        except BROKEN as error:
            raise httpx.ReadError("the connection was reset") from error

    def finish(self) -> None:
        """Work on to the end, though nobody listens."""
        with suppress(*BROKEN):
            while self.step() is not None:
                pass

    def close(self) -> None:
        """The client goes away: the PIM notices at its next line, or works on to the end."""
        if self._over:
            return
        if self._world.closes_early():
            with suppress(*BROKEN):
                self.step()
            self._work.close()
            self._end()
        else:
            self.finish()

    def _end(self) -> None:
        if not self._over:
            self._over = True
            self._world.now -= 1


class _Transport(httpx.BaseTransport):
    def __init__(self, world: PimWorld) -> None:
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._world.answer(request)


def _scope(request: httpx.Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "server": (request.url.host, request.url.port or 80),
        "client": ("127.0.0.1", 1),
    }


def _writes_options(request: httpx.Request) -> bool:
    return request.method == "PATCH" and "/options" in request.url.path
