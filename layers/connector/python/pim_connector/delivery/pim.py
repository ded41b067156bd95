"""The way to the PIM: a client that is made anew when its credentials were refused."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from msgspec import Struct

from pim_connector.errors import TransientError

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient, Credentials


class PimUnavailableError(TransientError):
    """The PIM, and not something of ours, could not answer."""


@contextmanager
def asking_the_pim() -> Iterator[None]:
    """Mark transient failures inside as the PIM's, for the breaker."""
    try:
        yield
    except TransientError as error:
        raise PimUnavailableError(str(error), retry_after=error.retry_after) from error


class Usage(Struct, frozen=True):
    """HTTP calls, how many of them the PIM throttled (429), and how long it took over all."""

    calls: int = 0
    throttled: int = 0
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.calls + other.calls,
            self.throttled + other.throttled,
            self.seconds + other.seconds,
        )

    def __sub__(self, other: Usage) -> Usage:
        return self + Usage(-other.calls, -other.throttled, -other.seconds)


class _TimedStream(httpx.SyncByteStream):
    """An answer's body. The PIM sends bulk answers line by line: a call lasts until its end."""

    def __init__(self, inner: httpx.SyncByteStream, closed: Callable[[], None]) -> None:
        self._inner = inner
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner)

    def close(self) -> None:
        self._inner.close()
        self._closed()


class CountedTransport(httpx.BaseTransport):
    """Counts and times the calls that go through another transport. `clock` is in seconds."""

    def __init__(
        self, inner: httpx.BaseTransport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._clock = clock
        self.usage = Usage()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        began = self._clock()
        self.usage += Usage(calls=1)

        def closed() -> None:
            self.usage += Usage(seconds=self._clock() - began)

        try:
            response = self._inner.handle_request(request)
        except BaseException:
            closed()
            raise
        self.usage += Usage(throttled=int(response.status_code == 429))
        assert isinstance(response.stream, httpx.SyncByteStream)  # noqa: S101  a sync transport's
        response.stream = _TimedStream(response.stream, closed)
        return response

    def close(self) -> None:
        self._inner.close()


class Pim:
    """One client for all invocations of a worker, until the PIM refuses its credentials.

    `read` reads the credentials from where they are kept, so that a rotated secret is picked up
    without a deployment; `connect` makes a client of them that sends through `transport`.
    """

    def __init__(
        self,
        read: Callable[[], Credentials],
        connect: Callable[[Credentials, httpx.BaseTransport], AkeneoClient],
        transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport,
    ) -> None:
        self._read = read
        self._connect = connect
        self._transport = transport
        self._deadline: Callable[[], float] = lambda: float("inf")
        self._credentials: Credentials | None = None
        self._client: AkeneoClient | None = None
        self._counted: list[CountedTransport] = []

    @property
    def calls(self) -> int:
        """Count of all HTTP calls so far, those for tokens included."""
        return self.usage.calls

    @property
    def usage(self) -> Usage:
        """All HTTP calls so far, those for tokens included, and the time they took."""
        return sum((transport.usage for transport in self._counted), Usage())

    def until(self, deadline: Callable[[], float]) -> None:
        """Bind what follows to the time that is left, in seconds."""
        self._deadline = deadline

    def client(self) -> AkeneoClient:
        """Give the client, within the deadline. Raises what reading the credentials raises."""
        if self._client is None:
            self._credentials = self._read()
            self._counted.append(CountedTransport(self._transport()))
            self._client = self._connect(self._credentials, self._counted[-1])
        return self._client.within(self._deadline)

    def renew(self) -> bool:
        """Read the credentials again after a refusal; say whether they are others now."""
        refused = self._credentials
        self.close()
        self.client()
        return self._credentials != refused

    def close(self) -> None:
        """End the connections; the next call reads the credentials again."""
        if self._client is not None:
            self._client.close()
        self._client = None
