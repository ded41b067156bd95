"""The way to the PIM: a client that is made anew when its credentials were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

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


class CountedTransport(httpx.BaseTransport):
    """Counts the calls that go through another transport."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.calls = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        return self._inner.handle_request(request)

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
        return sum(transport.calls for transport in self._counted)

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
