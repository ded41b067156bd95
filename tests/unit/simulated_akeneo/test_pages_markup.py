"""Values with markup in them are shown on the simulator's pages, and never run."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote

import httpx
import pytest

from simulators.akeneo.pim import Pim

ATTACK = "<script>alert(1)</script><img src=x onerror=alert(1)>\" onmouseover='x"


class Tags(HTMLParser):
    """The tags and attributes that a browser would see."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]


def shown(client: httpx.Client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    if answer.headers["content-type"] == "application/json":
        return answer.text
    tags = Tags(answer.text)
    assert "script" not in tags.names
    assert not [name for name in tags.attributes if name.startswith("on")]
    return answer.text


@pytest.fixture
def product(pim: Pim, client: httpx.Client) -> str:
    """A product whose identifier and name are attacks."""
    written = client.patch(
        "/api/rest/v1/products/" + quote(ATTACK, safe=""),
        json={"values": {"name": [{"data": ATTACK, "locale": "en_US", "scope": None}]}},
    )
    assert written.status_code == 201, written.text
    return next(iter(pim.products))


def test_the_list_and_the_page_of_a_product(product: str, client: httpx.Client) -> None:
    assert "&lt;script&gt;" in shown(client, "/")
    assert "&lt;script&gt;" in shown(client, f"/products/{product}")


@pytest.mark.parametrize("path", ["/", "/models", "/assets"])
def test_what_was_searched_for(client: httpx.Client, path: str) -> None:
    assert "alert" in shown(client, f"{path}?q={quote(ATTACK)}&page={quote(ATTACK)}")


@pytest.mark.parametrize("path", ["/products/", "/models/", "/assets/x/", "/media/"])
def test_what_is_not_there(client: httpx.Client, path: str) -> None:
    for attack in (ATTACK, "<script>", "<img src=x onerror=alert(1)>"):
        shown(client, path + quote(attack, safe=""), 404)
