"""Single objects, lists and uploads."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest

from pim_connector.akeneo import AkeneoClient, AppToken, ForbiddenError, RefusedError
from pim_connector.akeneo.answers import LocalPace
from pim_connector.akeneo.http import VERSION
from pim_connector.akeneo.structure_cache import fetch_structure
from pim_connector.errors import ConfigurationError, TransientError
from tests.unit.akeneo.pim import Clock, Pim, says

API = "/api/rest/v1"


def page(items: list[dict[str, Any]], following: str | None = None) -> httpx.Response:
    links = {"next": {"href": following}} if following else {}
    return httpx.Response(200, json={"_links": links, "_embedded": {"items": items}})


def test_the_version_in_the_user_agent_is_the_projects() -> None:
    pyproject = Path(__file__).parents[3] / "pyproject.toml"
    assert f'version = "{VERSION}"' in pyproject.read_text()


def test_an_object_the_pim_does_not_have_is_none() -> None:
    pim = Pim()
    pim.routes[f"{API}/products/a/b c"] = lambda _: says(404, "Product does not exist.")
    assert pim.client().get_product("a/b c") is None
    assert pim.paths[-1] == f"GET {API}/products/a/b%20c"


def test_a_code_can_never_act_as_a_path_or_a_query() -> None:
    pim = Pim()
    pim.routes[f"{API}/families/a/variants?limit=1/variants"] = lambda _: page([])
    assert list(pim.client().list_family_variants("a/variants?limit=1")) == []
    assert pim.paths[-1].startswith(f"GET {API}/families/a%2Fvariants%3Flimit%3D1/variants?")


def test_an_object_is_given_as_the_pim_sends_it() -> None:
    pim = Pim()
    pim.routes[f"{API}/asset-families/Packshots/assets/a"] = lambda _: httpx.Response(
        200, json={"code": "a"}
    )
    assert pim.client().get_asset("Packshots", "a") == {"code": "a"}


def test_a_transient_failure_of_a_read_is_waited_out() -> None:
    pim = Pim()
    answers = iter([says(503), says(429, headers={"Retry-After": "2"}), says(404)])
    pim.routes[f"{API}/families/shoes"] = lambda _: next(answers)
    assert pim.client().get_family("shoes") is None
    assert pim.clock.slept == [0.5, 2.0]


def test_a_list_is_read_page_by_page_and_only_as_far_as_asked() -> None:
    pim = Pim()
    pages = {
        None: page([{"code": "a"}, {"code": "b"}], f"https://pim.example.com{API}/families?page=2"),
        "2": page([{"code": "c"}], f"https://pim.example.com{API}/families?page=3"),
        "3": page([]),
    }
    pim.routes[f"{API}/families"] = lambda request: pages[request.url.params.get("page")]
    families = pim.client().list_families()
    assert next(families) == {"code": "a"}
    assert len([path for path in pim.paths if "families" in path]) == 1
    assert [item["code"] for item in families] == ["b", "c"]
    assert len([path for path in pim.paths if "families" in path]) == 3


def test_products_are_paged_by_key_and_searched_as_the_pim_expects() -> None:
    pim = Pim()
    seen: list[httpx.QueryParams] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params)
        return page([])

    pim.routes[f"{API}/products"] = answer
    search = {"sku": [{"operator": "IN", "value": ["a&b", "ü"]}]}
    assert list(pim.client().list_products(search, attributes="sku")) == []
    assert seen[0]["pagination_type"] == "search_after"
    assert seen[0]["limit"] == "100"
    assert seen[0]["attributes"] == "sku"
    assert json.loads(seen[0]["search"]) == search


def test_a_list_that_is_not_paged_is_a_plain_array() -> None:
    pim = Pim()
    pim.routes[f"{API}/measurement-families"] = lambda _: httpx.Response(200, json=[{"code": "W"}])
    assert list(pim.client().list_measurement_families()) == [{"code": "W"}]


def test_a_next_page_on_another_host_is_never_asked_for() -> None:
    pim = Pim()
    pim.routes[f"{API}/families"] = lambda _: page([], f"https://evil.example.net{API}/families")
    with pytest.raises(ConfigurationError, match=r"evil\.example\.net"):
        list(pim.client().list_families())
    assert len([path for path in pim.paths if "families" in path]) == 1


def test_a_next_page_under_http_behind_a_proxy_is_asked_for_on_our_own_origin() -> None:
    pim = Pim()
    pages = iter([page([{"code": "a"}], f"http://pim.example.com{API}/families?page=2"), page([])])
    pim.routes[f"{API}/families"] = lambda request: (
        next(pages) if request.url.scheme == "https" else says(500)
    )
    assert [item["code"] for item in pim.client().list_families()] == ["a"]


def test_a_next_page_that_is_the_same_page_ends_the_list() -> None:
    pim = Pim()
    pim.routes[f"{API}/channels"] = lambda request: page([{"code": "a"}], str(request.url))
    assert len(list(pim.client().list_channels())) == 1


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, html="<p>"), httpx.Response(200, json={"items": []})]
)
def test_an_answer_that_is_no_list_is_not_an_empty_list(answer: httpx.Response) -> None:
    pim = Pim()
    pim.routes[f"{API}/channels"] = lambda _: answer
    with pytest.raises(ConfigurationError):
        list(pim.client().list_channels())


def test_what_the_role_may_not_read_is_an_error_that_names_the_right_to_give() -> None:
    pim = Pim()
    pim.routes[f"{API}/channels"] = lambda _: says(403, "Access forbidden.")
    with pytest.raises(ForbiddenError, match="Web API permissions"):
        list(pim.client().list_channels())


def test_a_structure_leaves_unknown_what_the_pim_hides() -> None:
    pim = Pim()
    seen: list[str] = []

    def attributes(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.params["search"])
        wanted = json.loads(request.url.params["search"])["code"][0]["value"]
        return page([{"code": code, "type": "pim_catalog_simpleselect"} for code in wanted])

    pim.routes[f"{API}/attributes"] = attributes
    pim.routes[f"{API}/system-information"] = lambda _: httpx.Response(200, json={"edition": "CE"})
    for number in range(150):
        pim.routes[f"{API}/attributes/a{number}/options"] = lambda _: page([{"code": "red"}])
    pim.routes[f"{API}/channels"] = lambda _: says(403)
    pim.routes[f"{API}/families"] = lambda _: page([{"code": "shoes", "attributes": ["a1"]}])
    pim.routes[f"{API}/families/shoes/variants"] = lambda _: page([{"code": "by_size"}])
    pim.routes[f"{API}/measurement-families"] = lambda _: says(404)
    structure = fetch_structure(
        pim.client(),
        [f"a{number}" for number in range(150)],
        resources={
            "attributes",
            "attribute_options",
            "channels",
            "family_variants",
            "measurement_families",
        },
    )
    assert len(seen) == 2
    assert structure.options("a149") == frozenset({"red"})
    assert structure.channels is None
    assert structure.measurement_families is None
    variant = structure.family_variant("by_size")
    assert variant is not None
    assert variant.family == "shoes"


def test_a_single_upsert_tells_created_from_updated_and_refused() -> None:
    pim = Pim()
    answers = iter([httpx.Response(201), httpx.Response(204), says(422, "No such type.")])
    pim.routes[f"{API}/asset-families/f/attributes/a"] = lambda _: next(answers)
    client = pim.client()
    assert client.upsert_asset_attribute("f", {"code": "a"})
    assert not client.upsert_asset_attribute("f", {"code": "a"})
    with pytest.raises(RefusedError, match=r"422 No such type\.") as caught:
        client.upsert_asset_attribute("f", {"code": "a"})
    assert caught.value.status == 422


def test_deleting_what_is_not_there_is_no_failure() -> None:
    pim = Pim()
    answers = iter([httpx.Response(204), says(404)])
    pim.routes[f"{API}/asset-families/f/assets/a"] = lambda _: next(answers)
    assert pim.client().delete_asset("f", "a")
    assert not pim.client().delete_asset("f", "a")


class Uploads:
    """The media route: keeps what came in, gives a code."""

    def __init__(self, headers: dict[str, str], *first: httpx.Response) -> None:
        self.headers = headers
        self.answers = list(first)
        self.bodies: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.bodies.append(request.content)
        return self.answers.pop(0) if self.answers else httpx.Response(201, headers=self.headers)


class Once(io.RawIOBase):
    """A download: it can be read once, and not wound back."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    def read(self, size: int = -1) -> bytes:
        size = len(self._rest) if size < 0 else size
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def opener(content: bytes, opened: list[Once]) -> Callable[[], BinaryIO]:
    def open_it() -> BinaryIO:
        opened.append(Once(content))
        return opened[-1]  # type: ignore[return-value]  # all that is asked of it is read()

    return open_it


def test_an_asset_file_is_uploaded_and_its_code_comes_from_the_header() -> None:
    pim = Pim()
    uploads = Uploads({"Asset-media-file-code": "a/b/x.png", "Location": "elsewhere"})
    pim.routes[f"{API}/asset-media-files"] = uploads
    assert pim.client().upload_asset_media("x.png", b"PNG", content_type="image/png") == "a/b/x.png"
    assert b'name="file"; filename="x.png"' in uploads.bodies[0]
    assert b"Content-Type: image/png\r\n\r\nPNG\r\n" in uploads.bodies[0]


def test_a_product_file_names_its_value_and_its_code_comes_from_the_location() -> None:
    pim = Pim()
    uploads = Uploads({"Location": f"https://pim.example.com{API}/media-files/f/2/e%20x.png"})
    pim.routes[f"{API}/media-files"] = uploads
    target = {"identifier": "a", "attribute": "image", "locale": None, "scope": None}
    assert pim.client().upload_product_media("x.png", b"PNG", product=target) == "f/2/e x.png"
    assert json.dumps(target).encode() in uploads.bodies[0]
    assert b'name="product"' in uploads.bodies[0]


def test_an_upload_sends_the_whole_file_again_after_a_failure_or_a_renewed_token() -> None:
    pim, opened = Pim(), list[Once]()
    content = b"0123456789" * 20_000
    uploads = Uploads({"Asset-media-file-code": "x"}, says(503), says(401))
    pim.routes[f"{API}/asset-media-files"] = uploads
    assert pim.client().upload_asset_media("x.bin", opener(content, opened)) == "x"
    assert [content in body for body in uploads.bodies] == [True, True, True]
    assert all(file.closed for file in opened)


def test_an_upload_never_holds_the_file_in_memory() -> None:
    pim = Pim()
    sizes: list[int] = []

    class Endless(Once):
        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= 1_000_000
            sizes.append(size)
            return b"x" * size if len(sizes) < 50 else b""

    pim.routes[f"{API}/asset-media-files"] = Uploads({"Asset-media-file-code": "x"})
    pim.client().upload_asset_media("x.bin", lambda: Endless(b""))  # type: ignore[arg-type,return-value]  # read() only
    assert len(sizes) == 50


def test_an_upload_that_is_refused_gives_the_pims_words() -> None:
    pim = Pim()
    pim.routes[f"{API}/media-files"] = lambda _: says(422, 'Product "a" does not exist.')
    with pytest.raises(RefusedError, match='Product "a" does not exist'):
        pim.client().upload_product_media("x", b"", product={"identifier": "a"})


def test_an_upload_without_a_code_in_the_answer_is_no_success() -> None:
    pim = Pim()
    pim.routes[f"{API}/asset-media-files"] = Uploads({})
    with pytest.raises(ConfigurationError, match="does not name it"):
        pim.client().upload_asset_media("x", b"")


@pytest.mark.parametrize(
    "url",
    ["", "pim.example.com", "ftp://pim.example.com", "https://", "https://u:p4ss@pim.example.com"],
)
def test_a_url_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="URL") as caught:
        AkeneoClient(url, AppToken(token="t"))
    assert "p4ss" not in str(caught.value)


@pytest.mark.parametrize("tail", ["", "/", "/api/rest/v1", "/api/rest/v1/"])
def test_a_url_is_understood_with_and_without_the_apis_path(tail: str) -> None:
    paths: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(str(request.url))
        return httpx.Response(200, json={"version": "7", "edition": "CE"})

    client = AkeneoClient(
        f"https://host/pim{tail}", AppToken(token="t"), transport=httpx.MockTransport(answer)
    )
    assert client.system_information()["edition"] == "CE"
    assert paths == ["https://host/pim/api/rest/v1/system-information"]


def test_no_single_wait_outlives_the_deadline() -> None:
    timeouts: list[dict[str, float]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(200, json={})

    client = AkeneoClient(
        "https://host", AppToken(token="t"), transport=httpx.MockTransport(answer)
    )
    client.system_information()
    client.within(lambda: 7.5).system_information()
    assert timeouts[0] == {"connect": 5.0, "read": 60.0, "write": 30.0, "pool": 10.0}
    assert timeouts[1] == {"connect": 5.0, "read": 7.5, "write": 7.5, "pool": 7.5}


def test_a_pim_that_wants_more_than_five_minutes_is_left_to_the_caller() -> None:
    pim = Pim()
    pim.routes[f"{API}/channels"] = lambda _: says(503, headers={"Retry-After": "3600"})
    with pytest.raises(TransientError) as caught:
        list(pim.client().list_channels())
    assert caught.value.retry_after == 3600.0


def test_a_local_pace_lets_three_calls_a_second_pass() -> None:
    clock = Clock()
    pace = LocalPace(3, now=clock.now, sleep=clock.sleep)
    start = clock.now()
    for _ in range(7):
        pace.wait()
    assert clock.now() - start == pytest.approx(2.0)
