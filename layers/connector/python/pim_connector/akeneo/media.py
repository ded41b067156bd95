"""Which addresses a download may go to: what a record says must not reach our own machine.

A host is resolved once, its address is checked, and the connection goes to that very address, so
a name that resolves to something else a moment later (DNS rebinding) changes nothing.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import IO
from urllib.parse import urljoin, urlsplit

import httpx
from msgspec import Struct

from pim_connector.errors import RejectedError, TransientError

Resolve = Callable[[str], Sequence[str]]
"""All addresses of a host name, as text; OSError where it has none."""


def resolve(host: str) -> list[str]:
    """Ask the system's resolver."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def is_allowed_host(host: str, allowed: Iterable[str]) -> bool:
    """Say whether a host is one of those a source names; `*.example.com` means any below it."""
    name = host.rstrip(".").lower()
    for pattern in allowed:
        wanted = pattern.rstrip(".").lower()
        if wanted.startswith("*."):
            if name.endswith(wanted[1:]):
                return True
        elif name == wanted:
            return True
    return False


_SPECIAL = [
    ipaddress.ip_network(text)
    for text in (
        "fec0::/10",
        "3fff::/20",
        "5f00::/16",
        "100::/64",
        "2001:db8::/32",
        "192.88.99.0/24",
    )
]
"""Ranges that are not the internet, whatever the version of Python takes them for.

https://www.iana.org/assignments/iana-ipv6-special-registry
"""


def is_public(address: str) -> bool:
    """Say whether an address is on the open internet.

    Not: loopback, private, link-local (169.254.169.254 hands out credentials), multicast, reserved,
    carrier-grade NAT, and all of these written as IPv6 (mapped, 6to4, Teredo, NAT64).
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or _nat64(parsed)
        if parsed.teredo:
            return False
        if inner is not None:
            return is_public(str(inner))
    if any(parsed.version == net.version and parsed in net for net in _SPECIAL):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def is_elsewhere(address: str) -> bool:
    """Say whether an address is neither this machine nor on its link (169.254.0.0/16, fe80::/10).

    An ERP's pictures may lie in the company's own network, which is_public leaves out; but Lambda
    keeps its runtime API on the machine itself, and credentials are handed out on the link.
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or _nat64(parsed)
        if inner is not None:
            return is_elsewhere(str(inner))
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def checked_address(
    url: str, allowed: Iterable[str] | None, *, resolver: Resolve, may_reach: Callable[[str], bool]
) -> str:
    """Return the one address that a URL's host may be reached at now; `allowed` None: any host.

    RejectedError for a host that the source does not allow, or with an address that `may_reach`
    refuses (`is_public`, `is_elsewhere`); TransientError for a name that does not resolve.
    """
    parts = urlsplit(url)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        raise RejectedError(f"{_shown(url)} is not an address on the web")
    if parts.username or parts.password:
        raise RejectedError(f"{_shown(url)}: an address with a name or password in it is not used")
    if allowed is not None and not is_allowed_host(host, allowed):
        raise RejectedError(
            f"files are not downloaded from {host}: add it to `assets.media.hosts` of the source"
        )
    try:
        addresses = list(resolver(host))
    except (OSError, UnicodeError) as error:
        raise TransientError(f"{host} does not resolve: {error}") from error
    if not addresses:
        raise TransientError(f"{host} does not resolve")
    refused = [address for address in addresses if not may_reach(address)]
    if refused:
        raise RejectedError(
            f"{host} is {refused[0]}, which is not asked: not an address on the internet"
        )
    return addresses[0]


def _nat64(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _shown(url: str) -> str:
    """Return an address for people: without query, and without a name and password."""
    before, slashes, rest = url.partition("?")[0].partition("//")
    host, slash, path = rest.partition("/")
    return f"{before}{slashes}{host.rpartition('@')[2]}{slash}{path}"[:200]


# Downloads a file to a file on disk, a piece at a time, from allowed hosts only.


MOST_REDIRECTS = 5
CHUNK_BYTES = 256 * 1024
_LATER = frozenset({408, 420, 423, 425, 429})


class Downloaded(Struct, frozen=True, kw_only=True):
    """What was written to the file: size in bytes, SHA-256 in hex, content type in lower case."""

    size: int
    sha256: str
    content_type: str


class Limits(Struct, frozen=True, kw_only=True):
    """What one file may be: size, content types such as image/* (none means any), and the time
    that its server may be silent.
    """

    max_megabytes: int
    types: tuple[str, ...] = ()
    timeout_s: float = 30


class Downloads:
    """Downloads within limits. `hosts` are those that may be asked, None means any; `auth` goes to
    the host `own_host` only, which is always allowed.

    `transport` is httpx's; `resolver` looks names up; `may_reach` says whether an address may be
    asked at all.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        hosts: Sequence[str] | None,
        own_host: str = "",
        auth: httpx.Auth | None = None,
        transport: httpx.BaseTransport | None = None,
        resolver: Resolve = resolve,
        may_reach: Callable[[str], bool] = is_public,
    ) -> None:
        self._limits = limits
        self._hosts = None if hosts is None else (own_host, *hosts)
        self._own_host = own_host.lower()
        self._auth = auth
        self._resolver = resolver
        self._may_reach = may_reach
        self._http = httpx.Client(
            transport=transport,
            timeout=httpx.Timeout(limits.timeout_s, connect=10.0),
            follow_redirects=False,
            trust_env=False,
        )

    def download(self, url: str, target: IO[bytes]) -> Downloaded:
        """Write the file at `url` to `target`; memory does not grow with its size.

        Each redirect is checked like the first address. RejectedError for a host, size or type
        that is not allowed and for an answer that will not change; TransientError for others.
        """
        for _ in range(MOST_REDIRECTS + 1):
            try:
                with self._ask(url) as answer:
                    if not answer.has_redirect_location:
                        return self._take(answer, url, target)
                    url = urljoin(url, answer.headers["location"])
            except httpx.HTTPError as error:
                kind = type(error).__name__
                raise TransientError(f"{_shown(url)} could not be downloaded: {kind}") from error
            except (httpx.InvalidURL, ValueError) as error:
                raise RejectedError(f"{_shown(url)} is not an address on the web") from error
        raise RejectedError(f"{_shown(url)}: more than {MOST_REDIRECTS} redirects")

    def close(self) -> None:
        self._http.close()

    def _ask(self, url: str) -> _Answer:
        address = checked_address(
            url, self._hosts, resolver=self._resolver, may_reach=self._may_reach
        )
        original = httpx.URL(url)
        request = self._http.build_request(
            "GET",
            original.copy_with(host=address),
            headers={"Host": original.netloc.decode("ascii"), "Accept-Encoding": "identity"},
            extensions={"sni_hostname": original.host},
        )
        is_own = original.host.lower() == self._own_host
        return _Answer(self._send(request, self._auth if is_own else None))

    def _send(self, request: httpx.Request, auth: httpx.Auth | None) -> httpx.Response:
        """Send with authentication, but never read the file itself to authenticate.

        httpx reads the whole answer for OAuth 2, so the steps of its flow are taken here.
        """
        if auth is None:
            return self._http.send(request, stream=True, auth=None)
        flow = auth.auth_flow(request)
        step = next(flow)
        for _ in range(4):
            if step is not request:
                step = flow.send(self._http.send(step, auth=None))
                continue
            answer = self._http.send(request, stream=True, auth=None)
            try:
                step = flow.send(answer)
            except StopIteration:
                return answer
            answer.close()
        raise TransientError(f"{_shown(str(request.url))}: the DAM's authentication goes round")

    def _take(self, answer: httpx.Response, url: str, target: IO[bytes]) -> Downloaded:
        if answer.status_code >= 500 or answer.status_code in _LATER:
            raise TransientError(f"{_shown(url)} answers {answer.status_code}")
        if answer.status_code != httpx.codes.OK:
            raise RejectedError(f"{_shown(url)} answers {answer.status_code}")
        content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        types = self._limits.types
        if types and not any(fnmatchcase(content_type, wanted.lower()) for wanted in types):
            raise RejectedError(
                f"{_shown(url)} is {content_type or 'of no named type'}; the source allows"
                f" {', '.join(types)}"
            )
        return self._copy(answer, url, target, content_type)

    def _copy(
        self, answer: httpx.Response, url: str, target: IO[bytes], content_type: str
    ) -> Downloaded:
        most = self._limits.max_megabytes * 1024 * 1024
        too_large = f"{_shown(url)} is larger than {self._limits.max_megabytes} MB"
        announced = answer.headers.get("content-length", "")
        if announced.isdigit() and int(announced) > most:
            raise RejectedError(too_large)
        digest, size = hashlib.sha256(), 0
        for chunk in answer.iter_bytes(CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise RejectedError(too_large)
            digest.update(chunk)
            target.write(chunk)
        if not size:
            raise RejectedError(f"{_shown(url)} is empty")
        return Downloaded(size=size, sha256=digest.hexdigest(), content_type=content_type)


class _Answer:
    """A streamed answer that is closed whatever happens."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response

    def __enter__(self) -> httpx.Response:
        return self._response

    def __exit__(self, *_: object) -> None:
        self._response.close()


def host_of(url: str) -> str:
    """Return the host of a URL in lower case, "" where there is none."""
    return (urlsplit(url).hostname or "").lower()
