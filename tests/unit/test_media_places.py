from __future__ import annotations

from typing import Any

import httpx
import pytest

from pim_connector.akeneo.media import Downloads, Limits, is_elsewhere
from pim_connector.errors import RejectedError
from pim_connector.products.files import MediaFiles


def media(answer: Any = None, *, address: str = "192.0.2.1", s3: Any = None) -> MediaFiles:
    def streamed(request: httpx.Request) -> httpx.Response:
        response = answer(request) if answer else httpx.Response(200, content=b"x")
        response.stream = httpx.ByteStream(response.content)
        return response

    downloads = Downloads(
        Limits(max_megabytes=1),
        hosts=None,
        transport=httpx.MockTransport(streamed),
        resolver=lambda _: [address],
        may_reach=is_elsewhere,
    )
    return MediaFiles(s3, "bucket", downloads)


def read(files: MediaFiles, location: str) -> tuple[str, bytes]:
    with files.read("shop", location) as file, file.open() as content:
        return file.filename, content.read()


def test_a_file_behind_a_url_is_named_by_its_path() -> None:
    found = read(media(), "https://cdn.example.com/a%20b/boot%C3%A9.jpg?size=1")

    assert found == ("booté.jpg", b"x")


def test_a_url_is_its_own_mark() -> None:
    assert media().mark("shop", "HTTPS://cdn.example.com/1.jpg") == "HTTPS://cdn.example.com/1.jpg"


@pytest.mark.parametrize("status", [404, 500])
def test_a_url_that_gives_no_file_is_said_to(status: int) -> None:
    with pytest.raises(RejectedError, match=f"answers {status}"):
        read(media(lambda _: httpx.Response(status)), "https://cdn.example.com/1.jpg")


def test_a_file_that_has_moved_is_fetched_from_where_it_is() -> None:
    def moved(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/1.jpg":
            return httpx.Response(301, headers={"Location": "https://new.example.com/2.jpg"})
        return httpx.Response(200, content=b"moved")

    assert read(media(moved), "https://cdn.example.com/1.jpg") == ("1.jpg", b"moved")


def test_a_server_that_does_not_answer_is_said_to() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no way there")

    with pytest.raises(RejectedError, match="could not be downloaded: ConnectError"):
        read(media(refuse), "https://cdn.example.com/1.jpg")


def test_a_file_that_does_not_end_is_not_read_to_its_end() -> None:
    large = httpx.Response(200, content=b"x" * (1024 * 1024 + 1))

    with pytest.raises(RejectedError, match="larger than 1 MB"):
        read(media(lambda _: large), "https://a.example/1")


def test_an_address_of_the_machine_itself_is_not_asked() -> None:
    with pytest.raises(RejectedError, match="not asked"):
        read(media(address="127.0.0.1"), "http://a.example:9001/2018-06-01/runtime/invocation/next")


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A name that resolves to this machine when it is asked again (DNS rebinding) does no harm."""
    asked: list[tuple[str, str]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((request.url.host, request.headers["host"]))
        return httpx.Response(200, content=b"x")

    read(media(answer), "http://cdn.example.com/1.jpg")
    assert asked == [("192.0.2.1", "cdn.example.com")]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.1.2.3", "169.254.169.254", "::1", "fe80::1", "0.0.0.0", "::ffff:127.0.0.1"],  # noqa: S104
)
def test_addresses_of_the_machine_and_its_link_are_known(host: str) -> None:
    assert not is_elsewhere(host)


@pytest.mark.parametrize("address", ["192.0.2.1", "10.1.2.3"])
def test_other_addresses_are_elsewhere(address: str) -> None:
    assert is_elsewhere(address)


@pytest.mark.parametrize("path", ["../other/secret.jpg", "a/../../b", "", ".", "s3:config/x", ".."])
def test_a_path_that_leaves_the_source_s_folder_is_refused(path: str) -> None:
    with pytest.raises(RejectedError, match="incoming/shop/"):
        media().mark("shop", path)
