"""What a walk asks for and what it is given: the seam between which page next and how to get it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pim_connector.dam.paging_kinds import (
    Cursors,
    HeaderCursors,
    LinkHeaders,
    NextUrls,
    PageNumbers,
    Paging,
    Tokens,
)
from pim_connector.dam.source import DeletedFeed, Listing
from pim_connector.dam.stamps import SECOND, Stamps
from pim_connector.errors import TransientError

MARKED = (Cursors, HeaderCursors, LinkHeaders, NextUrls, Tokens)


class MarkExpiredError(TransientError):
    """The DAM no longer knows the page mark it gave: read from where a stamp still says where."""


class Row(Struct, frozen=True, kw_only=True):
    """One item of a page. `ids` has one id, or the several that a row of a feed names, or none."""

    ids: tuple[str, ...]
    stamp: int | None
    printed: str | None = None
    properties: dict[str, Any] = {}
    deleted: bool = False
    problem: str | None = None

    @property
    def key(self) -> str:
        """What this row is known by from one page to the next."""
        return "\n".join(self.ids)


class Ask(Struct, frozen=True, kw_only=True):
    """One page asked for: `limit` items from `offset`, or what `mark` stands for.

    `most` is the most items one page of this list ever held.
    """

    limit: int
    since: int | None = None
    offset: int = 0
    mark: str | None = None
    most: int = 0


class Page(Struct, frozen=True, kw_only=True):
    """One page as it came. `start` and `limit` are what was really asked: pages have numbers.

    `next` is the mark of the next page, `last` the one to begin with next time (token feeds).
    """

    rows: tuple[Row, ...]
    start: int = 0
    limit: int
    next: str | None = None
    last: str | None = None


Fetch = Callable[[Ask], Page]


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a list was read; kept between two polls. All numbers but `started` are stamps.

    `began` is where the walk began, or begins next; `since` where it is now. `newest` is the
    highest stamp it has passed, `reached` the step of the clock up to which sorted pages are
    complete, `tail` keys known to stand before `offset`. `stop` ends a walk that goes back in
    time. `started` is when the walk began by our clock, which is used for durations only; None
    between walks. `most` is the most items one page ever held: a shorter one is the last.
    """

    began: int | None = None
    since: int | None = None
    newest: int | None = None
    offset: int = 0
    mark: str | None = None
    reached: int | None = None
    tail: tuple[str, ...] = ()
    stop: int | None = None
    started: float | None = None
    most: int = 0

    def passing(self, page: Page, newest: int | None) -> Position:
        """The same place, knowing what this page taught."""
        known = [stamp for stamp in (self.newest, newest) if stamp is not None]
        return replace(self, most=max(self.most, len(page.rows)), newest=max(known, default=None))


class Step(Struct, frozen=True, kw_only=True):
    """Rows of one page, and from where to go on once they are safe. `note` is for an operator.

    After the `last` step of a walk nothing is left to ask for.
    """

    rows: tuple[Row, ...]
    position: Position
    note: str | None = None
    last: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """What a walk needs to know of a list, in numbers."""

    mode: str
    order: str
    kind: str
    size: int
    largest: int
    window: int | None
    overlap: int
    stamps: Any  # a Stamps: msgspec must not look into it

    @property
    def marked(self) -> bool:
        """Say whether the DAM hands out marks of pages rather than being asked for offsets."""
        return self.kind in ("mark", "token")

    @property
    def granule(self) -> int:
        """The step of the index, in the unit of stamps."""
        return int(self.stamps.granule)

    def floor(self, stamp: int) -> int:
        """Give the start of the step of the index that `stamp` lies in."""
        return int(self.stamps.floor(stamp))

    def restart(self, newest: int, lasted: float) -> int:
        """Give where the next walk begins: what became visible late must lie behind it.

        A change may be late by `overlap`; and what became visible while this walk went on, behind
        its back, is at most as much older than the newest stamp as the walk lasted.
        """
        back = self.overlap + (0 if self.stamps.is_serial else int(max(0.0, lasted) * SECOND))
        return int(self.stamps.rewind(self.floor(max(0, newest - back))))


def plan_of(listing: Listing, stamps: Stamps, overlap_s: float) -> Plan:
    """Read the plan off a list's description."""
    paging = listing.pagination
    unit = 1 if stamps.is_serial else SECOND
    overlap = listing.overlap if isinstance(listing, DeletedFeed) else overlap_s
    return Plan(
        mode=listing.mode,
        order=listing.order,
        kind="mark" if listing.has_fixed_pages else _kind(paging),
        size=paging.size,
        largest=paging.largest,
        window=paging.max_window,
        overlap=max(int(overlap * unit), stamps.granule),
        stamps=stamps,
    )


def _kind(paging: Paging) -> str:
    if isinstance(paging, Tokens):
        return "token"
    if isinstance(paging, MARKED):
        return "mark"
    return "page" if isinstance(paging, PageNumbers) else "offset"


def ends(plan: Plan, page: Page, most: int) -> bool:
    """Say whether nothing comes after this page. What the DAM says is the total is not asked.

    A page shorter than asked for may be the DAM's own limit; it is the last one only if a page
    of this DAM has had more items before (`most`), or no mark of a next page came with it. Where
    pages have numbers, the reader has made sure of it.
    """
    if not page.rows and not plan.marked:
        return True
    if plan.marked:
        return page.next is None
    return len(page.rows) < page.limit and (plan.kind == "page" or len(page.rows) < most)
