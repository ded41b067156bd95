"""Asking a DAM: requests as a source file describes them, as fast as it allows."""

from __future__ import annotations

import logging
import random
import time
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

import httpx
import msgspec
from msgspec import Struct

from pim_connector.dam.auth import auth_of
from pim_connector.dam.rendering import address_of, content_of
from pim_connector.dam.request_kinds import Request
from pim_connector.dam.source import Source
from pim_connector.dam.template import fill_text
from pim_connector.dam.waits import backoff, wait_named
from pim_connector.errors import ConfigurationError, TransientError

LARGEST_ANSWER = 64 * 1024 * 1024
"""An answer is one page; what is larger would not fit beside it in a Lambda's memory."""


class Clocks(Struct, frozen=True, kw_only=True):
    """Time as the client sees it, so that tests need not wait. All in seconds."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    chance: Callable[[], float] = random.random
    time_left: Callable[[], float] = lambda: 60.0


class Answer(Struct, frozen=True, kw_only=True):
    """What a DAM answered: status, headers (any case), and the body's JSON, None if empty.

    `url` is for messages: secrets are taken out of it. `asked` is what relative addresses in the
    answer are relative to, without its query.
    """

    status: int
    headers: Mapping[str, str]
    body: Any
    url: str
    asked: str


class DamHttp:
    """The requests of one source. Secrets stay in here: no message names one.

    Of a secret with several values (a list, while it is rotated) the first one is used.
    """

    def __init__(
        self,
        source: Source,
        secrets: Mapping[str, Any],
        *,
        transport: httpx.BaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        # httpx logs whole addresses at INFO, and some DAMs want the key in the address.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        self._source = source
        self._clocks = clocks or Clocks()
        several = {k: v if isinstance(v, list) else [v] for k, v in secrets.items()}
        self._secrets = {f"secret.{k}": str(v[0]) for k, v in several.items() if v}
        self._hidden = _hidden(str(one) for values in several.values() for one in values)
        self._auth = auth_of(source, self._secrets)
        self._client = httpx.Client(transport=transport, timeout=source.rate.timeout_s)
        self._next = 0.0
        self.requests = 0

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self, request: Request, values: Mapping[str, Any], *, expected: Iterable[int] = ()
    ) -> Answer:
        """Send a described request. Statuses of `expected` are answers too, beside 2xx.

        TransientError when the DAM cannot answer in the time left; ConfigurationError when it
        refuses the request or the credentials, or does not answer with JSON.
        """
        known = {**self._secrets, **values}
        content, headers = content_of(request, known)
        url = address_of(request, self._source.base_url, known)
        return self._send(request.verb, url, headers, content, frozenset(expected))

    def follow(
        self,
        url: str,
        request: Request,
        values: Mapping[str, Any],
        *,
        expected: Iterable[int] = (),
    ) -> Answer:
        """Ask for an address that the DAM gave, as `request` says: its method, headers, content.

        Only the DAM's own host is sent our credentials.
        """
        base = urlsplit(self._source.base_url)
        target = urlsplit(urljoin(self._source.base_url, url))
        if _host(target) != _host(base):
            raise ConfigurationError(
                f"the DAM says the next page is on {target.netloc}, but base_url is on "
                f"{base.netloc}, and credentials go nowhere else. Make base_url that host; or, "
                "where the DAM does not know its own name, take the page or cursor out of the "
                "address: pagination {kind: cursor, next: \"extract(…, 'cursor=([^&]*)')\"}"
            )
        content, headers = content_of(request, {**self._secrets, **values})
        own = urlunsplit((base.scheme, base.netloc, *target[2:4], ""))
        return self._send(request.verb, own, headers, content, frozenset(expected))

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        expected: frozenset[int],
    ) -> Answer:
        rate, attempt = self._source.rate, 0
        common = {k: fill_text(v, self._secrets) for k, v in self._source.headers.items()}
        headers = {"Accept": "application/json", **common, **headers}
        while True:
            self._pace()
            try:
                answer = self._once(method, url, headers, content)
                status, problem, named = answer.status_code, f"answers {answer.status_code}", answer
            except httpx.InvalidURL as error:
                raise ConfigurationError(f"base_url or path: {error}") from error
            except httpx.RequestError as error:
                status, named = 0, None
                problem = f"cannot be reached ({type(error).__name__})"
            if named is not None and (status in expected or status not in rate.retry_status):
                return self._read(named, method, expected)
            names = (
                (rate.reset_header,) if isinstance(rate.reset_header, str) else rate.reset_header
            )
            wait = wait_named(named.headers, names, self._clocks.now()) if named else None
            if wait is None:
                wait = backoff(attempt, self._clocks.chance())
            if wait > min(rate.longest_wait_s, self._clocks.time_left() - rate.timeout_s):
                raise TransientError(
                    f"{self._source.source}: the DAM {problem} and there is no time to wait "
                    f"{wait:.0f} s; the next poll goes on from here",
                    retry_after=wait,
                )
            self._clocks.sleep(wait)
            attempt += 1

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None
    ) -> httpx.Response:
        self.requests += 1
        with self._client.stream(
            method, url, headers=headers, content=content, auth=self._auth
        ) as response:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise ConfigurationError(
                        f"{self._source.source}: an answer has more than {LARGEST_ANSWER} bytes; "
                        "ask for smaller pages (pagination.size) or fewer fields"
                    )
        headers_ = [(k, v) for k, v in response.headers.multi_items() if k != "content-encoding"]
        return httpx.Response(
            response.status_code, headers=headers_, content=bytes(body), request=response.request
        )

    def _pace(self) -> None:
        """Keep the distance between two requests that `rate.per_s` asks for."""
        if self._source.rate.per_s is None:
            return
        now = self._clocks.now()
        if now < self._next:
            self._clocks.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self._source.rate.per_s

    def _read(self, response: httpx.Response, method: str, expected: frozenset[int]) -> Answer:
        status = response.status_code
        where = self.redact(f"{method} {response.request.url}")
        asked = str(response.request.url.copy_with(query=None, fragment=None))
        if status not in expected and not 200 <= status < 300:
            excerpt = self.redact(response.text[:300])
            hint = {
                401: "check the credentials (auth, secret)",
                403: "check what the credentials may see",
                404: "check base_url and path",
            }.get(status, "check the request in the source file")
            if response.has_redirect_location:
                to = self.redact(response.headers["location"][:300])
                hint = f"it redirects to {to}: write that address, base_url and path"
            raise ConfigurationError(f"{where} answers {status}: {hint}. It says: {excerpt}")
        if not response.content or status in expected:
            return Answer(
                status=status, headers=response.headers, body=None, url=where, asked=asked
            )
        try:
            body = msgspec.json.decode(response.content.removeprefix(BOM_UTF8))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            kind = response.headers.get("content-type", "nothing in particular")
            raise ConfigurationError(
                f"{where} answers with {kind}, which is not JSON; check base_url and path. "
                f"It begins: {self.redact(response.text[:100])}"
            ) from error
        return Answer(status=status, headers=response.headers, body=body, url=where, asked=asked)

    def redact(self, text: str) -> str:
        """Take every secret out of a text that people will read."""
        for secret in self._hidden:
            text = text.replace(secret, "***")
        return text


def _hidden(secrets: Iterable[str]) -> list[str]:
    """The secrets as they may turn up in a text, longest first; very short ones hide nothing."""
    forms = {form for s in secrets if len(s) > 3 for form in (s, quote(s, safe=""), quote(s))}
    return sorted(forms, key=len, reverse=True)


def _host(parts: SplitResult) -> tuple[str | None, int]:
    """The host and port of an address; http and https are one DAM, however it names itself."""
    usual = {"http": 80, "https": 443}
    port = parts.port or usual.get(parts.scheme, 0)
    return parts.hostname, 443 if port == 80 else port
