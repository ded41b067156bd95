"""How a DAM is asked for the next page: the types of `pagination` in a source file.

`size` is how many items a page is asked to have and `max_size` how many the DAM gives at most:
where many assets share one time stamp, the page grows up to it. `max_window` is how deep the DAM
can be paged at all. JMESPath (`next`, `more`) reads the body of the answer.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Size = Annotated[int, Meta(ge=2, le=10_000)]
Window = Annotated[int, Meta(ge=1)]


class _Paging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all kinds share; without `max_size` a page never grows beyond `size`."""

    size: Size = 100
    max_size: Size | None = None
    max_window: Window | None = None

    @property
    def largest(self) -> int:
        """The most items one page may be asked to have."""
        return max(self.size, self.max_size or 0)


class PageNumbers(_Paging, tag="page", frozen=True, kw_only=True):
    """`{{page}}` counts pages of `{{limit}}` items; the first one is number `first`."""

    first: int = 1


class Offsets(_Paging, tag="offset", frozen=True):
    """`{{offset}}` items are passed over and `{{limit}}` given."""


class Cursors(_Paging, tag="cursor", frozen=True, kw_only=True):
    """The answer holds at `next` what `{{cursor}}` must be for the next page; none on the last.

    `more` is for DAMs that give a cursor on the last page too (GraphQL's `hasNextPage`).
    """

    next: str
    more: str | None = None


class NextUrls(_Paging, tag="next_url", frozen=True, kw_only=True):
    """The answer holds at `next` the address of the next page; none on the last."""

    next: str


class LinkHeaders(_Paging, tag="link", frozen=True, kw_only=True):
    """The next page's address is in the `Link` header (RFC 8288) with this `rel`."""

    rel: str = "next"


class HeaderCursors(_Paging, tag="header_cursor", frozen=True, kw_only=True):
    """A response header holds what `{{cursor}}` must be for the next page; none on the last."""

    header: str


class Tokens(_Paging, tag="token", frozen=True, kw_only=True):
    """A feed of changes that hands out its own mark instead of time stamps.

    `next` (address of the next page) is followed while it is there; then `last` (address for the
    next time) is kept as the source's cursor. Contentful's Sync API is one such. A mark the DAM no
    longer knows is answered with one of `expired_status`: then everything is read anew.
    """

    next: str
    last: str
    expired_status: tuple[int, ...] = (400, 404, 410)


Paging = PageNumbers | Offsets | Cursors | NextUrls | LinkHeaders | HeaderCursors | Tokens
