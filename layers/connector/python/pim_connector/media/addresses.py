"""Which addresses a download may go to: what a record says must not reach our own machine.

A host is resolved once, its address is checked, and the connection goes to that very address, so
a name that resolves to something else a moment later (DNS rebinding) changes nothing.
https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

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
    """Give the one address that a URL's host may be reached at now; `allowed` None: any host.

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
    return url.partition("?")[0][:200]
