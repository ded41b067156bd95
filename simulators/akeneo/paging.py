"""Pages of a list: limits, links, and where the next page starts.

Source: https://api.akeneo.com/documentation/pagination.html.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from simulators.akeneo.refusal import Refusal

T = TypeVar("T")
DEEPEST = 10_000
MAX_LIMIT = 100
DEFAULT_LIMIT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a list call asks for."""

    url: str
    parameters: dict[str, str]
    order: tuple[str, ...]
    """Parameter names as the links begin with them."""
    limit: int
    number: int
    with_count: bool
    search_after: str | None
    """Not None: the list continues after this key ("" is the first page)."""

    def link(self, **changes: str | None) -> dict[str, str]:
        """A link to another page of the same list."""
        parameters = self.parameters | {
            key: value for key, value in changes.items() if value is not None
        }
        for key, value in changes.items():
            if value is None:
                parameters.pop(key, None)
        names = [name for name in self.order if name in parameters]
        names += [name for name in parameters if name not in names]
        query = "&".join(f"{name}={quote(parameters[name], safe=':,')}" for name in names)
        return {"href": f"{self.url}?{query}"}


def page_of(
    url: str, query: Mapping[str, str], *, searchable: bool = False, keyset_only: bool = False
) -> Page:
    """Read the paging parameters; raises `Refusal` 422 for those that make no sense.

    `searchable` lists know both pagination types; the others only pages. `keyset_only` lists
    (assets, asset families) always continue after a key.
    """
    limit = _limit(query.get("limit", str(MAX_LIMIT if keyset_only else DEFAULT_LIMIT)))
    kind = query.get("pagination_type", "page")
    if searchable and kind not in ("page", "search_after"):
        raise Refusal(422, "Pagination type does not exist.")
    parameters = {"with_count": "false", "limit": str(limit)}
    keyset = keyset_only or (searchable and kind == "search_after")
    parameters |= {key: value for key, value in query.items() if key != "limit"}
    if searchable:
        parameters["pagination_type"] = kind
    number = 1
    if not keyset:
        number = _number(query.get("page", "1"))
        parameters["page"] = str(number)
    if keyset_only:
        parameters = dict(query)
    order = ("page", "with_count", "pagination_type", "limit")
    return Page(
        url=url,
        parameters=parameters,
        order=order if searchable else ("page", "limit", "with_count"),
        limit=limit,
        number=number,
        with_count=query.get("with_count") == "true",
        search_after=query.get("search_after", "") if keyset else None,
    )


def _limit(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise Refusal(422, f'"{text}" is not a valid limit number.')
    if int(text) > MAX_LIMIT:
        raise Refusal(422, f"You cannot request more than {MAX_LIMIT} items.")
    return int(text)


def _number(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise Refusal(422, f'"{text}" is not a valid page number.')
    return int(text)


def paged(
    page: Page,
    items: Sequence[T],
    key_of: Callable[[T], str],
    show: Callable[[T], dict[str, Any]],
) -> dict[str, Any]:
    """The list answer: links, items, and the count where it was asked for.

    `items` are all that match; for a list that continues after a key they are in the order of
    `key_of`.
    """
    if page.search_after is not None:
        return _after(page, items, key_of, show)
    start = (page.number - 1) * page.limit
    if page.parameters.get("pagination_type") and start + page.limit > DEEPEST:
        raise Refusal(
            422,
            'You have reached the maximum number of pages you can retrieve with the "page" '
            "pagination type. Please use the search after pagination type instead",
            link="http://api.akeneo.com/documentation/pagination.html#the-search-after-method",
        )
    chosen = items[start : start + page.limit]
    links = {"self": page.link(), "first": page.link(page="1")}
    if page.number > 1:
        links["previous"] = page.link(page=str(page.number - 1))
    if start + page.limit < len(items) or (not page.with_count and len(chosen) == page.limit):
        links["next"] = page.link(page=str(page.number + 1))
    answer: dict[str, Any] = {"_links": links, "current_page": page.number}
    if page.with_count:
        answer["items_count"] = len(items)
    return answer | {"_embedded": {"items": [show(item) for item in chosen]}}


def _after(
    page: Page,
    items: Sequence[T],
    key_of: Callable[[T], str],
    show: Callable[[T], dict[str, Any]],
) -> dict[str, Any]:
    after = (page.search_after or "").lower()
    chosen = [item for item in items if not after or key_of(item).lower() > after][: page.limit]
    links = {"self": page.link(), "first": page.link(search_after=None)}
    if len(chosen) == page.limit:
        links["next"] = page.link(search_after=key_of(chosen[-1]))
    return {"_links": links, "_embedded": {"items": [show(item) for item in chosen]}}
