from __future__ import annotations

from typing import Any

import httpx
import pytest

from pim_connector.errors import RejectedError
from pim_connector.media import MediaFiles, is_elsewhere


def media(answer: Any = None, *, may_ask: bool = True) -> MediaFiles:
    transport = httpx.MockTransport(answer or (lambda _: httpx.Response(200, content=b"x")))
    s3: Any = None
    return MediaFiles(s3, "bucket", httpx.Client(transport=transport), may_ask=lambda _: may_ask)


def test_a_file_behind_a_url_is_named_by_its_path() -> None:
    file = media().read("shop", "https://cdn.example.com/a%20b/boot%C3%A9.jpg?size=1")

    assert (file.filename, file.content) == ("booté.jpg", b"x")


def test_a_url_is_its_own_mark() -> None:
    assert media().mark("shop", "HTTPS://cdn.example.com/1.jpg") == "HTTPS://cdn.example.com/1.jpg"


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_url_that_gives_no_file_is_said_to(status: int) -> None:
    with pytest.raises(RejectedError, match=f"answered {status}"):
        media(lambda _: httpx.Response(status)).read("shop", "https://cdn.example.com/1.jpg")


def test_a_server_that_does_not_answer_is_said_to() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no way there")

    with pytest.raises(RejectedError, match="no way there"):
        media(refuse).read("shop", "https://cdn.example.com/1.jpg")


def test_a_file_that_does_not_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pim_connector.media.LARGEST_BYTES", 10)

    with pytest.raises(RejectedError, match="larger than"):
        media(lambda _: httpx.Response(200, content=b"x" * 11)).read("s", "https://a.example/1")


def test_an_address_of_the_machine_itself_is_not_asked() -> None:
    with pytest.raises(RejectedError, match="not asked"):
        media(may_ask=False).read(
            "shop", "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"
        )


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3", "169.254.169.254", "::1", "fe80::1", "0.0.0.0"],  # noqa: S104
)
def test_hosts_on_the_machine_and_its_link_are_known(host: str) -> None:
    assert not is_elsewhere(host)


def test_other_addresses_are_elsewhere() -> None:
    assert is_elsewhere("192.0.2.1")


@pytest.mark.parametrize("path", ["../other/secret.jpg", "a/../../b", "", ".", "s3:config/x", ".."])
def test_a_path_that_leaves_the_source_s_folder_is_refused(path: str) -> None:
    with pytest.raises(RejectedError, match="incoming/shop/"):
        media().mark("shop", path)
