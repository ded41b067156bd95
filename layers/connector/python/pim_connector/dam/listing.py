"""One page of a DAM's list, and one asset by its id: JSON in, rows out."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urljoin

import msgspec

from pim_connector.dam.graphql import errors_in
from pim_connector.dam.http import Answer, DamHttp
from pim_connector.dam.numbering import numbered
from pim_connector.dam.pages import Ask, MarkExpiredError, Page
from pim_connector.dam.paging_kinds import (
    Cursors,
    HeaderCursors,
    LinkHeaders,
    NextUrls,
    PageNumbers,
    Tokens,
)
from pim_connector.dam.rows import asset_rows, feed_rows
from pim_connector.dam.source import DeletedFeed, Listing, Source
from pim_connector.dam.stamps import Stamps
from pim_connector.errors import ConfigurationError
from pim_connector.expressions import Expression

_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r'rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))', re.IGNORECASE)
EXPIRED = (400, 404, 410)


class PageReader:
    """Fetches pages of one list. Its `fetch` is what a walk is given."""

    def __init__(self, source: Source, listing: Listing, stamps: Stamps, http: DamHttp) -> None:
        self._listing, self._stamps, self._http = listing, stamps, http
        self._paging = listing.pagination
        self._items = Expression(listing.items, where="list.items")
        self._fixed = listing.has_fixed_pages
        self._row = (
            feed_rows(listing, stamps)
            if isinstance(listing, DeletedFeed)
            else asset_rows(source, stamps)
        )

    def fetch(self, ask: Ask) -> Page:
        """Ask for one page. MarkExpiredError when the DAM no longer knows `ask.mark`.

        ConfigurationError when the answer has no list where `items` says, or none of its items has
        an id or a time stamp that can be read.
        """
        start, number, limit = self._place(ask)
        page = self._page(ask, start, number, limit)
        given = len(page.rows)
        numbered_pages = isinstance(self._paging, PageNumbers) and not self._fixed
        if not numbered_pages or not given or not ask.most <= given < limit:
            return page
        if not self._page(ask, start + limit, number + 1, limit).rows:
            return page
        page = self._page(ask, start, number, limit)
        if len(page.rows) != given:
            return page  # more came while we looked
        raise ConfigurationError(
            f"the DAM gave {given} items where {limit} were asked for, and there are more on the "
            "next page; page numbers mean nothing then: set pagination.size and max_size to "
            f"{given} at most"
        )

    def _page(self, ask: Ask, start: int, number: int, limit: int) -> Page:
        answer = self._answer(ask, start, number, limit)
        errors = errors_in(answer.body)
        if errors:
            raise ConfigurationError(f"{answer.url} answers with errors: {errors}")
        items = self._items.read(answer.body)
        if not isinstance(items, list):
            raise ConfigurationError(_no_list(answer, self._listing.items))
        rows = tuple(map(self._row, items))
        problems = [row.problem for row in rows if row.problem]
        if problems and len(problems) == len(rows):
            raise ConfigurationError(f"not one of {len(rows)} items can be read: {problems[0]}")
        return Page(
            rows=rows,
            start=start,
            limit=limit,
            next=self._next_place(ask, len(rows)) if self._fixed else self._next(answer),
            last=self._last(answer) if isinstance(self._paging, Tokens) else None,
        )

    def _place(self, ask: Ask) -> tuple[int, int, int]:
        if self._fixed:
            place = self._first() if ask.mark is None else int(ask.mark)
            return place, place, ask.limit
        if isinstance(self._paging, PageNumbers):
            number, size = numbered(ask.offset, ask.limit)
            return number * size, number + self._paging.first, size
        return ask.offset, 0, ask.limit

    def _answer(self, ask: Ask, start: int, number: int, limit: int) -> Answer:
        expired = self._expired() if ask.mark and not self._fixed else ()
        values = {
            "since": None if ask.since is None else self._since(ask.since),
            "limit": limit,
            "offset": start,
            "page": number,
            "cursor": ask.mark,
        }
        if ask.mark and isinstance(self._paging, NextUrls | LinkHeaders | Tokens):
            answer = self._http.follow(ask.mark, self._listing, values, expected=expired)
        else:
            answer = self._http.ask(self._listing, values, expected=expired)
        if answer.status in expired:
            raise MarkExpiredError(
                f"{answer.url} answers {answer.status}: the page mark is no longer known"
            )
        return answer

    def _since(self, since: int) -> str | int:
        exclusive = self._stamps.exclusive
        return self._stamps.write(max(0, since - self._stamps.granule) if exclusive else since)

    def _expired(self) -> tuple[int, ...]:
        return self._paging.expired_status if isinstance(self._paging, Tokens) else EXPIRED

    def _first(self) -> int:
        return self._paging.first if isinstance(self._paging, PageNumbers) else 0

    def _next_place(self, ask: Ask, given: int) -> str | None:
        """Number the page after this one, where pages have a size that nobody can ask for."""
        if not given:
            return None
        place = self._first() if ask.mark is None else int(ask.mark)
        return str(place + (1 if isinstance(self._paging, PageNumbers) else given))

    def _next(self, answer: Answer) -> str | None:
        paging = self._paging
        match paging:
            case HeaderCursors(header=header):
                return answer.headers.get(header) or None
            case LinkHeaders(rel=rel):
                return _address(answer, _linked(answer, rel))
            case Cursors(more=more) if more and not _read(more, answer.body):
                return None
            case Cursors(next=next_):
                return _mark(_read(next_, answer.body))
            case NextUrls(next=next_) | Tokens(next=next_):
                return _address(answer, _mark(_read(next_, answer.body)))
        return None

    def _last(self, answer: Answer) -> str | None:
        assert isinstance(self._paging, Tokens)  # noqa: S101  # for the type checker
        return _address(answer, _mark(_read(self._paging.last, answer.body)))


def _no_list(answer: Answer, items: str) -> str:
    begins = msgspec.json.encode(answer.body).decode("utf-8", "replace")[:200]
    return (
        f"{answer.url} has no list at `{items}` (list.items). If the DAM leaves it out when "
        f"nothing changed, write `{items} || `[]``. The answer begins: {begins}"
    )


def _read(expression: str, body: Any) -> Any:
    return Expression(expression, where="list.pagination").read(body)


def _mark(found: Any) -> str | None:
    return None if found is None or found is False or found == "" else str(found)


def _address(answer: Answer, found: str | None) -> str | None:
    """Complete a relative address by the one that was asked (RFC 3986 §5)."""
    return None if found is None else urljoin(answer.asked, found)


def _linked(answer: Answer, rel: str) -> str | None:
    """Read the `Link` header (RFC 8288) for the address with this `rel`."""
    for url, parameters in _LINK.findall(answer.headers.get("Link", "")):
        rels = _REL.search(parameters)
        if rels and rel in (rels.group(1) or rels.group(2)).split():
            return str(url)
    return None
