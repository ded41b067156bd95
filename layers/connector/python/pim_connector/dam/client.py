"""Errors of GraphQL, which come with status 200."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urljoin

import httpx
import msgspec
from msgspec import Struct

from pim_connector.dam.expressions import Expression
from pim_connector.dam.http import Answer, Clocks, DamHttp
from pim_connector.dam.pages import (
    Ask,
    MarkExpiredError,
    Page,
    Plan,
    Position,
    Row,
    Stamps,
    Step,
    numbered,
    plan_of,
)
from pim_connector.dam.source import (
    Cursors,
    DeletedFeed,
    HeaderCursors,
    Item,
    LinkHeaders,
    Listing,
    NextUrls,
    Offsets,
    PageNumbers,
    Source,
    Tokens,
    names_in,
)
from pim_connector.dam.walk import walk
from pim_connector.errors import ConfigurationError, RejectedError, TransientError


def _errors_in(body: Any) -> str | None:
    """Say in words what errors an answer has; None where there are none.

    The data beside them has holes where the errors were, which must not become empty values.
    https://spec.graphql.org/draft/#sec-Errors
    """
    found = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(found, list) or not found:
        return None
    return "; ".join(map(_said, found[:3]))[:500]


def _said(error: Any) -> str:
    if not isinstance(error, dict) or "message" not in error:
        return str(error)
    code = (error.get("extensions") or {}).get("code")
    return f"{error['message']}" + (f" ({code})" if code else "")


# A DAM's JSON items as rows. What cannot be read is said in the row, never dropped.


ReadRow = Callable[[Any], Row]


def _asset_rows(source: Source, stamps: Stamps) -> ReadRow:
    """Read the items of a source's list: id, time stamp, deleted or not, all properties."""
    ids = Expression(source.id, where="id")
    updated = Expression(source.updated, where="updated") if source.updated else None
    flag = Expression(source.deleted.flag, where="deleted.flag") if source.deleted.flag else None

    def read(item: Any) -> Row:
        properties = item if isinstance(item, dict) else {"item": item}
        try:
            printed = updated.read(item) if updated else None
            found = _ids_of(ids.read(item))
            if not found:
                return Row(ids=(), stamp=_lenient(stamps, printed), nameless=True)
            return Row(
                ids=found,
                stamp=stamps.read(printed),
                printed=None if printed is None else str(printed),
                properties=properties,
                deleted=flag.holds(item) if flag else False,
            )
        except RejectedError as error:
            return Row(ids=(), stamp=None, properties=properties, problem=str(error))

    return read


def _lenient(stamps: Stamps, printed: object) -> int | None:
    """Read the stamp of an item that nobody will ask about: it still keeps the walk's place."""
    try:
        return stamps.read(printed)
    except RejectedError:
        return None


def _feed_rows(feed: DeletedFeed, stamps: Stamps) -> ReadRow:
    """Read the rows of a feed of deletions: which ids are gone, and when or as what number."""
    ids = Expression(feed.ids, where="deleted.feed.ids")
    at = Expression(feed.at, where="deleted.feed.at")

    def read(item: Any) -> Row:
        try:
            printed = at.read(item)
            return Row(
                ids=_ids_of(ids.read(item)),
                stamp=stamps.read(printed),
                printed=None if printed is None else str(printed),
                deleted=True,
            )
        except RejectedError as error:
            return Row(ids=(), stamp=None, problem=str(error))

    return read


def _ids_of(found: Any) -> tuple[str, ...]:
    """Give ids as text: of one id or a list; what is no text and no number is none."""
    values = found if isinstance(found, list) else [found]
    return tuple(
        str(value)
        for value in values
        if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    )


# One page of a DAM's list, and one asset by its id: JSON in, rows out.


_LINK = re.compile(r"<([^>]*)>([^<]*)")
_REL = re.compile(r'rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))', re.IGNORECASE)
EXPIRED = (400, 404, 410)


class _PageReader:
    """Fetches pages of one list. Its `fetch` is what a walk is given."""

    def __init__(self, source: Source, listing: Listing, stamps: Stamps, http: DamHttp) -> None:
        self._listing, self._stamps, self._http = listing, stamps, http
        self._paging = listing.pagination
        self._items = Expression(listing.items, where="list.items")
        self._fixed = listing.has_fixed_pages
        texts = [listing.path, listing.params, listing.headers, listing.body, listing.form]
        self._has_limit = "limit" in names_in(texts)
        self._row = (
            _feed_rows(listing, stamps)
            if isinstance(listing, DeletedFeed)
            else _asset_rows(source, stamps)
        )

    def fetch(self, ask: Ask) -> Page:
        """Ask for one page. MarkExpiredError when the DAM no longer knows `ask.mark`.

        ConfigurationError when the answer has no list where `items` says, or none of its items has
        an id or a time stamp that can be read.
        """
        start, number, limit = self._place(ask)
        page = self._page(ask, start, number, limit)
        given = len(page.rows)
        if given > 1 and page.next is None and ask.mark is None and not ask.continued:
            self._doubt_the_end(ask, given)
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

    def _doubt_the_end(self, ask: Ask, given: int) -> None:
        """Ask for one item less, where this list never named a next page: then it must.

        A `next` that is mistyped selects nothing on every page, and the rest would be lost.
        """
        paging = self._paging
        if self._fixed or isinstance(paging, PageNumbers | Offsets | Tokens) or not self._has_limit:
            return
        shorter = self._page(ask, 0, 0, given - 1)
        if len(shorter.rows) != given - 1 or shorter.next is not None:
            return
        where = "what pagination.next selects"
        if isinstance(paging, HeaderCursors | LinkHeaders):
            where = f"the header of pagination {paging.__struct_config__.tag}"
        raise ConfigurationError(
            f"asked for {given - 1} of {given} items, the DAM still names no next page: {where} is "
            "not there. A walk would end after its first page; check that name by looking at an "
            "answer of the DAM"
        )

    def _page(self, ask: Ask, start: int, number: int, limit: int) -> Page:
        answer = self._answer(ask, start, number, limit)
        if answer.status in self._paging.end_status:
            return Page(rows=(), start=start, limit=limit)
        errors = _errors_in(answer.body)
        if errors:
            said = self._http.redact(errors)[:500]
            raise ConfigurationError(f"{answer.url} answers with errors: {said}")
        items = self._items.read(answer.body)
        if not isinstance(items, list):
            raise ConfigurationError(self._http.redact(_no_list(answer, self._listing.items)))
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
            total=self._total(answer),
        )

    def _total(self, answer: Answer) -> int | None:
        if self._listing.total is None:
            return None
        found = Expression(self._listing.total, where="list.total").read(answer.body)
        try:
            return int(found)
        except (TypeError, ValueError) as error:
            raise ConfigurationError(
                f"list.total: `{self._listing.total}` selects no number: {str(found)[:60]}"
            ) from error

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
            answer = self._first_or_later(ask, start, values, expired)
        if answer.status in expired and answer.status not in self._paging.end_status:
            raise MarkExpiredError(
                f"{answer.url} answers {answer.status}: the page mark is no longer known"
            )
        return answer

    def _first_or_later(
        self, ask: Ask, start: int, values: Mapping[str, Any], expired: tuple[int, ...]
    ) -> Answer:
        beyond = bool(ask.mark) or start > self._first()
        ends = self._paging.end_status if beyond else ()
        try:
            return self._http.ask(self._listing, values, expected=(*expired, *ends))
        except ConfigurationError as error:
            if beyond:
                raise ConfigurationError(
                    f"{error} (this was asked of a page after the first: if that is how the DAM "
                    "says that there are no more pages, write so: pagination.end_status: [400])"
                ) from error
            if ask.since is not None and ask.since <= self._stamps.earliest:
                raise ConfigurationError(
                    f"{error} (asked since {values['since']}: if the DAM takes no time as early as "
                    "this one, say which it does: since.earliest: 1971-01-01T00:00:00Z)"
                ) from error
            raise

    def _since(self, since: int) -> str | int:
        if self._stamps.exclusive:
            since = max(0, since - self._stamps.granule)
        return self._stamps.write(max(since, self._stamps.earliest))

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


# A DAM as the rest of the connector sees it: lists to walk, assets to read by id.


class Gone(Struct, frozen=True, kw_only=True):
    """The DAM says that it has no such asset (any more). `status` is how it said so."""

    id: str
    status: int


class DamClient:
    """One source. Not for several threads; close it, or use it in a `with` block."""

    def __init__(
        self,
        source: Source,
        secrets: Mapping[str, Any] | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self.source = source
        self.clocks = clocks or Clocks()
        self.http = DamHttp(source, secrets or {}, transport=transport, clocks=self.clocks)
        self._stamps = Stamps(source.since)

    def __enter__(self) -> DamClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def changes(self, position: Position) -> Iterator[Step]:
        """Walk what changed since `position`; an empty position means everything.

        Raises what `walk` and `_PageReader.fetch` raise.
        """
        return self._walk(self.source.list, self._stamps, position)

    def deletions(self, position: Position) -> Iterator[Step]:
        """Walk the feed of deletions; nothing where the source has none."""
        feed = self.source.deleted.feed
        if feed is None:
            return iter(())
        return self._walk(feed, Stamps(feed.since), position)

    def everything(self, position: Position) -> Iterator[Step]:
        """Walk the full list for a reconciliation, slow and in no order that changes.

        It is `deleted.full_list`, else the list of changes from the beginning of time.
        """
        listing = self.source.deleted.full_list or self.source.list
        return self._walk(listing, self._stamps, position)

    def asset(self, asset_id: str) -> Row | Gone:
        """Read one asset as it is now. `Gone` only where the source says what means gone.

        TransientError, ConfigurationError as `DamHttp.ask`; RejectedError when the answer is not
        an asset; ConfigurationError when the source does not say how to ask.
        """
        item = self.source.item
        if item is None:
            raise ConfigurationError(
                f"{self.source.source}: `item` is missing: how to ask for one asset by its id"
            )
        answer = self.http.ask(item.request, {"id": asset_id}, expected=item.gone_status)
        if answer.status in item.gone_status or self._says_gone(item, answer):
            return Gone(id=asset_id, status=answer.status)
        found: Any = Expression(item.item, where="item.item").read(answer.body)
        if not isinstance(found, dict):
            raise RejectedError(f"{answer.url} has no asset at `{item.item}` (item.item)")
        row = _asset_rows(self.source, self._stamps)(found)
        if row.nameless:
            raise RejectedError(f"{answer.url}: no id at `{self.source.id}` (id)")
        if row.problem:
            raise RejectedError(f"{answer.url}: {row.problem}")
        return row

    def _says_gone(self, item: Item, answer: Answer) -> bool:
        """Read `gone_when`. An error proves nothing, unless `gone_when` speaks of errors itself."""
        gone = Expression(item.gone_when, where="item.gone_when") if item.gone_when else None
        errors = _errors_in(answer.body)
        if errors and not (gone and "errors" in gone.text and gone.holds(answer.body)):
            raise TransientError(
                f"{answer.url} answers with errors: {errors}. If that is how the DAM says that an "
                "asset is gone, write so in item.gone_when: errors[0].extensions.code == '…'"
            )
        return gone is not None and gone.holds(answer.body)

    @property
    def plan_of_changes(self) -> Plan:
        """Return the numbers of the list of changes."""
        return self.plan(self.source.list, self._stamps)

    def plan(self, listing: Listing, stamps: Stamps) -> Plan:
        """Return the numbers a walk through `listing` needs."""
        return plan_of(listing, stamps, self.source.overlap_s)

    def _walk(self, listing: Listing, stamps: Stamps, position: Position) -> Iterator[Step]:
        reader = _PageReader(self.source, listing, stamps, self.http)
        return walk(self.plan(listing, stamps), position, reader.fetch, self.clocks.now)
