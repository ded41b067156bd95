"""Sends requests to one PIM, over one pool of kept connections, and waits out what passes."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
from msgspec.structs import replace

from pim_connector.akeneo.answers import (
    Deadline,
    ForbiddenError,
    RefusedError,
    RetryPolicy,
    failure,
)
from pim_connector.akeneo.auth import BEFORE_CALL
from pim_connector.errors import ConfigurationError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "0.1.0"
API = "/api/rest/v1/"
TIMEOUT = httpx.Timeout(connect=5.0, read=60.0, write=30.0, pool=10.0)
"""Seconds. `read` is between two pieces of an answer: the PIM sends bulk answers line by line."""
NOT_THE_PIM = (
    "{url} answers with something else than the PIM's JSON: is this the URL of an Akeneo PIM, and"
    " no login page before it?"
)

T = TypeVar("T")


def http_client(
    base_url: str,
    auth: httpx.Auth,
    *,
    timeout: httpx.Timeout | None = None,
    transport: httpx.BaseTransport | None = None,
) -> httpx.Client:
    """Build the HTTP client; ConfigurationError if `base_url` is not the address of a server."""
    return httpx.Client(
        base_url=_root(base_url) + API,
        auth=auth,
        timeout=timeout or TIMEOUT,
        transport=transport,
        headers={"User-Agent": f"pim-connector/{VERSION}", "Accept": "application/json"},
        follow_redirects=False,
        http2=False,
    )


class Connection:
    """Requests with retries. `path` is below `/api/rest/v1/`, its codes already quoted."""

    def __init__(self, http: httpx.Client, retry_policy: RetryPolicy) -> None:
        self._http = http
        self.retry_policy = retry_policy

    @property
    def base_url(self) -> httpx.URL:
        return self._http.base_url

    @property
    def origin(self) -> str:
        return f"{self.base_url.scheme}://{self.base_url.netloc.decode()}"

    def within(self, deadline: Deadline) -> Connection:
        return Connection(self._http, replace(self.retry_policy, deadline=deadline))

    def close(self) -> None:
        self._http.close()

    def get(self, path: str) -> dict[str, Any] | None:
        """Read one object; None if the PIM does not have it."""
        try:
            response = self.send("GET", path)
        except RefusedError as error:
            if error.status == 404:
                return None
            raise
        return decoded(response, dict)

    def patch(
        self, path: str, item: dict[str, Any], *, before_call: Callable[[], None] | None = None
    ) -> bool:
        """Create or update one object; True if it was created."""
        body = json.dumps(item, ensure_ascii=False, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"}
        return (
            self.send("PATCH", path, before_call=before_call, content=body, headers=headers)
        ).status_code == 201

    def delete(self, path: str) -> bool:
        try:
            self.send("DELETE", path)
        except RefusedError as error:
            if error.status == 404:
                return False
            raise
        return True

    def unless_hidden(self, read: Callable[[], T]) -> T | None:
        """Give None where the PIM forbids it, or where this edition does not have it."""
        try:
            return read()
        except ForbiddenError:
            return None
        except RefusedError as error:
            if error.status == 404:
                return None
            raise

    def send(
        self,
        method: str,
        path: str,
        *,
        before_call: Callable[[], None] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """Send until there is an answer; give it read if it is 2xx, raise what it means if not."""
        failures = 0
        while True:
            try:
                return self._send_once(method, path, before_call, request)
            except TransientError as error:
                failures += 1
                self.retry_policy.pause(failures, error)

    def _send_once(
        self,
        method: str,
        path: str,
        before_call: Callable[[], None] | None,
        request: dict[str, Any],
    ) -> httpx.Response:
        with self.answering(method, path, before_call=before_call, **request) as response:
            with transport_errors(_named(method, path)):
                response.read()
            if not response.is_success:
                raise failure(response, _named(method, path), now=self.retry_policy.now())
            return response

    @contextmanager
    def answering(
        self,
        method: str,
        path: str,
        *,
        before_call: Callable[[], None] | None = None,
        **request: Any,
    ) -> Iterator[httpx.Response]:
        """Send once and give the answer, whatever its status, before its body is read.

        `before_call` is called when the token is there, and again if the call is repeated with a
        new one: a slot that was waited for is not spent on getting a token.
        """
        self.retry_policy.check()
        built = self._http.build_request(method, path, timeout=self._timeout(), **request)
        built.extensions[BEFORE_CALL] = before_call
        with transport_errors(_named(method, path)):
            response = self._http.send(built, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _timeout(self) -> httpx.Timeout:
        """No single wait may outlive the deadline."""
        left = self.retry_policy.deadline()
        parts = self._http.timeout.as_dict()
        if left == math.inf:
            return self._http.timeout
        return httpx.Timeout(
            **{name: left if part is None else min(part, left) for name, part in parts.items()}
        )


@contextmanager
def transport_errors(what: str) -> Iterator[None]:
    """Turn what goes wrong below HTTP into a TransientError, without what the request carried.

    Protocol errors are not chained and not quoted: their text can hold a header's value.
    """
    try:
        yield
    except httpx.TimeoutException as error:
        raise TransientError(
            f"{what}: the PIM did not answer in time ({type(error).__name__})."
        ) from error
    except httpx.NetworkError as error:
        raise TransientError(
            f"{what}: the PIM cannot be reached ({type(error).__name__}: {error}). If this lasts,"
            " check the PIM's URL and the way to it."
        ) from error
    except httpx.RequestError as error:
        kind = type(error).__name__
        raise TransientError(f"{what}: the connection to the PIM broke ({kind}).") from None


def decoded(response: httpx.Response, kind: type[T]) -> T:
    """Decode a JSON answer; ConfigurationError if it is none, as from a portal or a proxy."""
    try:
        body = json.loads(response.content)
    except ValueError:
        body = None
    if not isinstance(body, kind):
        raise ConfigurationError(NOT_THE_PIM.format(url=response.url.copy_with(query=None)))
    return body


def not_a_page_for_people(response: httpx.Response) -> None:
    """Raise ConfigurationError for the login or error page of something before the PIM."""
    if "html" in response.headers.get("Content-Type", ""):
        raise ConfigurationError(NOT_THE_PIM.format(url=response.url.copy_with(query=None)))


def _named(method: str, path: str) -> str:
    return f"{method} {API}{path.partition('?')[0]}"


def _root(base_url: str) -> str:
    try:
        url = httpx.URL(base_url.strip())
    except (httpx.InvalidURL, TypeError) as error:
        raise ConfigurationError(f"the PIM's URL cannot be read: {error}") from None
    if url.userinfo or url.query or url.fragment:
        raise ConfigurationError("the PIM's URL must be its address only, without credentials.")
    if url.scheme not in ("http", "https") or not url.host:
        raise ConfigurationError(
            f"the PIM's URL must look like https://my-pim.example.com, not {base_url.strip()!r}."
        )
    return str(url).rstrip("/").removesuffix("/api/rest/v1").rstrip("/")
