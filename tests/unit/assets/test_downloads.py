"""Downloads go where the source allows, whatever a record or a name server says."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pim_connector.akeneo.media import (
    Downloads,
    Limits,
    checked_address,
    is_allowed_host,
    is_public,
)
from pim_connector.dam.http import _client_credentials, _Header
from pim_connector.dam.source import ClientCredentialsAuth
from pim_connector.errors import RejectedError, TransientError

PUBLIC = "93.184.216.34"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
        "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1%eth0",
        "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
        "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "fec0::1", "3fff::1", "5f00::1", "2001:db8::1", "not an address",
    ],
)  # fmt: skip
def test_an_address_of_our_own_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"])
def test_an_address_on_the_internet_is(address: str) -> None:
    assert is_public(address)


def test_hosts_are_compared_whole() -> None:
    allowed = ("cdn.example.com", "*.images.example.com")
    assert is_allowed_host("CDN.example.com.", allowed)
    assert is_allowed_host("a.b.images.example.com", allowed)
    for host in ("evilcdn.example.com", "cdn.example.com.evil.org", "images.example.com", "com"):
        assert not is_allowed_host(host, allowed)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "gopher://cdn/x", "http:///x", "https://user:pw@cdn.example.com/x", "x"],
)
def test_only_plain_web_addresses_are_asked(url: str) -> None:
    with pytest.raises(RejectedError) as caught:
        checked_address(url, ["cdn.example.com"], resolver=lambda _: [PUBLIC], may_reach=is_public)
    assert "pw@" not in str(caught.value)


@pytest.mark.parametrize("status", [300, 301, 302, 304, 307])
def test_a_redirect_to_nowhere_is_an_answer_like_any_other(status: int) -> None:
    downloads = Downloads(
        Limits(max_megabytes=1),
        hosts=None,
        transport=httpx.MockTransport(lambda _: httpx.Response(status)),
        resolver=lambda _: [PUBLIC],
    )
    with pytest.raises(RejectedError, match=f"answers {status}"):
        downloads.download("https://cdn.example.com/x.png", io.BytesIO())


def test_one_inner_address_among_public_ones_is_enough_to_refuse() -> None:
    with pytest.raises(RejectedError, match=r"10\.0\.0\.1"):
        checked_address(
            "https://cdn.example.com/x",
            ["cdn.example.com"],
            resolver=lambda _: [PUBLIC, "10.0.0.1"],
            may_reach=is_public,
        )


def test_a_name_that_does_not_resolve_may_do_so_later() -> None:
    def nobody(_: str) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(TransientError):
        checked_address("https://c/x", ["c"], resolver=nobody, may_reach=is_public)


class Net(httpx.BaseTransport):
    """Remembers where connections went; answers by path."""

    def __init__(self, answers: dict[str, httpx.Response]) -> None:
        self.answers = answers
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answers[request.url.path]


def downloads(net: Net, resolver: Any = lambda _: [PUBLIC], **more: Any) -> Downloads:
    limits = more.pop("limits", Limits(max_megabytes=200))
    fields: dict[str, Any] = {"own_host": "dam.example.com", "transport": net} | more
    return Downloads(limits, hosts=["cdn.example.com"], resolver=resolver, **fields)


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """DNS rebinding: the second answer of the name server must not be used at all."""
    answers = iter([[PUBLIC], ["169.254.169.254"]])
    net = Net({"/x.jpg": httpx.Response(200, content=b"jpeg")})

    downloads(net, lambda _: next(answers)).download("https://dam.example.com/x.jpg", io.BytesIO())

    (request,) = net.requests
    assert request.url.host == PUBLIC
    assert request.headers["host"] == "dam.example.com"
    assert request.extensions["sni_hostname"] == "dam.example.com"


def test_each_redirect_is_checked_like_the_first_address() -> None:
    def resolver(host: str) -> list[str]:
        return {"dam.example.com": [PUBLIC], "cdn.example.com": ["10.0.0.5"]}[host]

    moved = httpx.Response(302, headers={"location": "https://cdn.example.com/y.jpg"})
    net = Net({"/x.jpg": moved, "/y.jpg": httpx.Response(200, content=b"secret")})
    target = io.BytesIO()

    with pytest.raises(RejectedError, match=r"10\.0\.0\.5"):
        downloads(net, resolver).download("https://dam.example.com/x.jpg", target)
    assert len(net.requests) == 1
    assert not target.getvalue()


def test_redirects_that_never_end_are_given_up() -> None:
    again = httpx.Response(302, headers={"location": "/x.jpg"})
    net = Net({"/x.jpg": again})
    with pytest.raises(RejectedError, match="redirects"):
        downloads(net).download("https://dam.example.com/x.jpg", io.BytesIO())
    assert len(net.requests) == 6


def test_the_dams_credentials_go_to_the_dam_only() -> None:
    moved = httpx.Response(302, headers={"location": "https://cdn.example.com/y.jpg"})
    net = Net({"/x.jpg": moved, "/y.jpg": httpx.Response(200, content=b"jpeg")})
    auth = _Header("Authorization", "Bearer t0ken")

    downloads(net, auth=auth).download("https://dam.example.com/x.jpg", io.BytesIO())

    assert [r.headers.get("authorization") for r in net.requests] == ["Bearer t0ken", None]


class Stream(httpx.SyncByteStream):
    """A file that never lies in memory as a whole."""

    def __init__(self, megabytes: int) -> None:
        self.megabytes = megabytes

    def __iter__(self) -> Iterator[bytes]:
        for _ in range(self.megabytes * 16):
            yield b"x" * 65_536


class Nowhere(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)


def test_memory_does_not_grow_with_the_file_even_behind_oauth() -> None:
    described = ClientCredentialsAuth(token_url="/token", client_id="a", client_secret="b")
    auth = _client_credentials(described, "https://dam.example.com", {})
    net = Net(
        {
            "/token": httpx.Response(200, json={"access_token": "t"}),
            "/x.jpg": httpx.Response(200, stream=Stream(64)),
        }
    )
    tracemalloc.start()
    taken = downloads(net, auth=auth).download("https://dam.example.com/x.jpg", Nowhere())  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert taken.size == 64 * 1024 * 1024
    assert peak < 8 * 1024 * 1024
    assert net.requests[-1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    ("status", "error"),
    [(503, TransientError), (429, TransientError), (404, RejectedError), (403, RejectedError)],
)
def test_an_answer_that_may_change_is_told_from_one_that_will_not(
    status: int, error: type[Exception]
) -> None:
    net = Net({"/x.jpg": httpx.Response(status)})
    with pytest.raises(error) as caught:
        downloads(net).download("https://dam.example.com/x.jpg?Signature=s3cret", io.BytesIO())
    assert "s3cret" not in str(caught.value)
