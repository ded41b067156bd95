"""Reads lists page by page, as the PIM links them.

https://api.akeneo.com/documentation/pagination.html: the next page's URL is taken from the answer,
never built; the end is a page without a next link.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx

from pim_connector.akeneo.connection import API, decoded
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.akeneo.connection import Connection

PAGE_SIZE = 100
"""The API's maximum."""


def read_list(
    connection: Connection,
    path: str,
    search: dict[str, Any] | None,
    params: dict[str, str],
    *,
    by_key: bool,
) -> Iterator[dict[str, Any]]:
    """Give the items of all pages. `by_key`: the list is long, so page by key, not by number.

    Lists that are not paged answer with a plain array and are given as they are.
    """
    query = {"limit": str(PAGE_SIZE), **params}
    if by_key:
        query["pagination_type"] = "search_after"
    if search is not None:
        query["search"] = json.dumps(search)
    seen: set[str] = set()
    target: str | None = f"{path}?{httpx.QueryParams(query)}"
    while target is not None and target not in seen:
        seen.add(target)
        page = decoded(connection.send("GET", target), object)
        yield from _items(page, path)
        target = _next(page, connection)


def _items(page: object, path: str) -> list[dict[str, Any]]:
    items: Any = page
    if isinstance(page, dict):
        items = page.get("_embedded", {}).get("items")
    if not isinstance(items, list):
        raise ConfigurationError(f"GET {path}: the answer is not a list. Is this an Akeneo PIM?")
    return items


def _next(page: object, connection: Connection) -> str | None:
    """Take what the link says below `/api/rest/v1/`: the token goes nowhere but to our own PIM.

    A PIM behind a proxy may write `http` for `https` in its links; another host is an error.
    """
    link = page.get("_links", {}).get("next") if isinstance(page, dict) else None
    if not link:
        return None
    url = httpx.URL(link["href"])
    if url.host and url.host != connection.base_url.host:
        raise ConfigurationError(
            f"the PIM's next page is on {url.host}, not on {connection.base_url.host}: use the URL"
            " by which the PIM calls itself (AKENEO_PIM_URL in its settings)."
        )
    return url.raw_path.decode().partition(API)[2]
