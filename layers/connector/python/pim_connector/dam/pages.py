"""A DAM's time stamps as whole numbers, so that they can be compared, floored and kept exactly.

A stamp is microseconds since 1970 in UTC, or for `serial` the number itself. Two stamps in one
step of the DAM's index (the granule) say nothing about which was first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pim_connector.dam.source import (
    Cursors,
    DeletedFeed,
    HeaderCursors,
    LinkHeaders,
    Listing,
    NextUrls,
    PageNumbers,
    Paging,
    Since,
    Tokens,
)
from pim_connector.errors import ConfigurationError, RejectedError, TransientError

SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = ("iso", "iso_z", "iso_ms_z")
_COMPACT = re.compile(r"\d{9}")
_NUMBERS = {"epoch": SECOND, "epoch_ms": 1000, "serial": 1}


class Stamps:
    """Reads and writes the stamps of one list. ConfigurationError for a zone nobody knows."""

    def __init__(self, since: Since) -> None:
        self._since = since
        self._parse = since.parse or ("iso" if since.format in _ISO else since.format)
        self._zone = _zone(since.tz) if since.tz else None
        patterns = [p for p in (since.format, self._parse) if p not in _ISO and p not in _NUMBERS]
        for pattern in patterns:
            if "%" not in pattern:
                raise ConfigurationError(
                    f"since: {pattern!r} is neither {', '.join((*_ISO, *_NUMBERS))} nor a "
                    "pattern such as %Y-%m-%d %H:%M:%S"
                )
            if "%z" not in pattern and "%Z" not in pattern and self._zone is None:
                raise ConfigurationError(
                    f"since.tz: the stamps {pattern!r} name no time zone; say which one is meant "
                    "(tz: UTC, tz: Europe/Berlin)"
                )
        _ = self.earliest

    @property
    def is_serial(self) -> bool:
        """Say whether stamps are numbers without a clock."""
        return self._since.format == "serial"

    @property
    def exclusive(self) -> bool:
        """Say whether the DAM gives only what is later than `{{since}}`, not what is equal."""
        return self._since.exclusive

    @cached_property
    def earliest(self) -> int:
        """The first stamp that may be asked for. ConfigurationError when it is none."""
        written = self._since.earliest
        if written is None:
            return 0
        try:
            if self.is_serial:
                return int(written)
            moment = datetime.fromisoformat(written)
        except ValueError as error:
            raise ConfigurationError(
                f"since.earliest: {written!r} is no time such as 1970-01-02T00:00:00Z"
            ) from error
        zone = self._zone or UTC
        return self._microseconds(moment if moment.tzinfo else moment.replace(tzinfo=zone))

    @cached_property
    def granule(self) -> int:
        """The step of the DAM's index, in the unit of stamps."""
        if self.is_serial:
            return 1
        return max(1, round(self._since.granularity_s * SECOND))

    def floor(self, stamp: int) -> int:
        """Return the start of the step of the DAM's index that `stamp` lies in."""
        return stamp - stamp % self.granule

    def read(self, printed: object) -> int | None:
        """Read a stamp as the DAM prints it; None for no stamp.

        RejectedError when it is none; ConfigurationError when it names no zone and none is given.
        """
        if printed is None or printed == "":
            return None
        try:
            if self._parse in _NUMBERS:
                return _whole(printed, _NUMBERS[self._parse])
            return self._microseconds(self._moment(str(printed)))
        except (ValueError, OverflowError, TypeError) as error:
            raise RejectedError(
                f"time stamp {str(printed)[:60]!r} is not {self._parse}: see since.parse"
            ) from error

    def write(self, stamp: int) -> str | int:
        """Write a stamp as `{{since}}` wants it."""
        format_ = self._since.format
        if format_ in _NUMBERS:
            return stamp // _NUMBERS[format_]
        moment = (_EPOCH + timedelta(microseconds=stamp)).astimezone(self._zone or UTC)
        match format_:
            case "iso":
                return moment.isoformat(timespec="milliseconds")
            case "iso_z":
                return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            case "iso_ms_z":
                milliseconds = moment.microsecond // 1000
                return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"
        return moment.strftime(format_)

    def revert(self, stamp: int) -> int:
        """Go back before the hour that comes twice when clocks are set back.

        A stamp without a zone in it may be of the first or of the second such hour: what is
        stamped in the second one can look older than what was already read in the first.
        """
        if self._zone is None or self.is_serial:
            return stamp
        local = (_EPOCH + timedelta(microseconds=stamp)).astimezone(self._zone)
        first, second = local.replace(fold=0).utcoffset(), local.replace(fold=1).utcoffset()
        if first is None or second is None or first <= second:
            return stamp
        return stamp - (first - second) // timedelta(microseconds=1)

    def _moment(self, printed: str) -> datetime:
        if self._parse == "iso":
            if _COMPACT.match(printed.strip()):  # fromisoformat takes the 9th digit for a separator
                raise ValueError(printed)
            moment = datetime.fromisoformat(printed.strip())
        else:
            moment = datetime.strptime(printed.strip(), self._parse)
        if moment.tzinfo is None and self._zone is None:
            raise ConfigurationError(
                f"since.tz: the time stamp {printed[:60]!r} names no time zone; say which one is "
                "meant (tz: UTC, tz: Europe/Berlin)"
            )
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=self._zone)

    @staticmethod
    def _microseconds(moment: datetime) -> int:
        return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # few DAMs need one

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(
            f"since.tz: {name!r} is no time zone; write one as Europe/Berlin or UTC"
        ) from error


def _whole(printed: object, unit: int) -> int:
    """Read a number of `unit`s without the error of binary fractions."""
    text = str(printed).strip()
    whole, _, fraction = text.partition(".")
    if not fraction:
        return int(whole) * unit
    if not fraction.isdigit():
        raise ValueError(text)
    sign = -1 if whole.startswith("-") else 1
    return int(whole or 0) * unit + sign * int(fraction[:6].ljust(6, "0")) * unit // SECOND


# What a walk asks for and what it is given: the seam between which page next and how to get it.


MARKED = (Cursors, HeaderCursors, LinkHeaders, NextUrls, Tokens)


class MarkExpiredError(TransientError):
    """The DAM no longer knows the page mark it gave: read from where a stamp still says where."""


class Row(Struct, frozen=True, kw_only=True):
    """One item of a page. `ids` has one id, or the several that a row of a feed names, or none.

    `nameless` is an item without an id: a folder, or what this account has no right to see.
    """

    ids: tuple[str, ...]
    stamp: int | None
    printed: str | None = None
    properties: dict[str, Any] = {}
    deleted: bool = False
    problem: str | None = None
    nameless: bool = False

    @property
    def key(self) -> str:
        """What this row is known by from one page to the next."""
        return "\n".join(self.ids)


class Ask(Struct, frozen=True, kw_only=True):
    """One page asked for: `limit` items from `offset`, or what `mark` stands for.

    `most` is the most items one page of this list ever held, `continued` whether one of its
    pages ever named the next one.
    """

    limit: int
    since: int | None = None
    offset: int = 0
    mark: str | None = None
    most: int = 0
    continued: bool = False


class Page(Struct, frozen=True, kw_only=True):
    """One page as it came. `start` and `limit` are what was really asked: pages have numbers.

    `next` is the mark of the next page, `last` the one to begin with next time (token feeds);
    `total` is how many items the DAM says the whole list has.
    """

    rows: tuple[Row, ...]
    start: int = 0
    limit: int
    next: str | None = None
    last: str | None = None
    total: int | None = None


Fetch = Callable[[Ask], Page]


class Position(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a list was read; kept between two polls. All numbers but `started` are stamps.

    `began` is where the walk began, or begins next; `since` where it is now. `newest` is the
    highest stamp it has passed, `reached` the step of the clock up to which sorted pages are
    complete, `tail` keys known to stand before `offset`. `stop` ends a walk that goes back in
    time. `started` is when the walk began by our clock, which is used for durations only; None
    between walks. `most` is the most items one page ever held: a shorter one is the last.
    `continued` is whether this list ever said where its next page is.
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
    continued: bool = False

    def passing(self, page: Page, newest: int | None) -> Position:
        """The same place, knowing what this page taught."""
        known = [stamp for stamp in (self.newest, newest) if stamp is not None]
        return replace(
            self,
            most=max(self.most, len(page.rows)),
            newest=max(known, default=None),
            continued=self.continued or page.next is not None,
        )


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
        """Return the start of the step of the index that `stamp` lies in."""
        return int(self.stamps.floor(stamp))

    def restart(self, newest: int, lasted: float) -> int:
        """Give where the next walk begins: what became visible late must lie behind it.

        A change may be late by `overlap`; and what became visible while this walk went on, behind
        its back, is at most as much older than the newest stamp as the walk lasted.
        """
        back = self.overlap + (0 if self.stamps.is_serial else int(max(0.0, lasted) * SECOND))
        return int(self.stamps.revert(self.floor(max(0, newest - back))))


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


# Overlapping pages from DAMs that know page numbers only.
#
# Page n of size s begins at n·s, so a page slightly smaller than usual can begin where a page of
# the usual size could not.


def numbered(offset: int, limit: int) -> tuple[int, int]:
    """Choose the page (number, counted from 0, and size) that holds `offset` and reaches furthest.

    Its size is more than half of `limit`, and at most `limit`.
    """
    sizes = range(limit, max(1, limit // 2), -1)
    return max(((offset // s, s) for s in sizes), key=lambda page: (page[0] + 1) * page[1])


def place(plan: Plan, page: Page, offset: int, limit: int) -> tuple[int, int] | None:
    """Give offset and limit of a page that holds `offset` and reaches beyond the end of `page`.

    The offset may be lower than asked for, but is above the start of `page`; the limit may be
    higher. None when the largest page does not do it.
    """
    start, end = page.start, page.start + page.limit
    for size in _doubling(limit, plan.largest):
        for lower in range(offset, max(start, offset - size), -1):
            if _reach(plan, lower, size) > end:
                return lower, size
            if plan.kind != "page":
                break
    return None


def _reach(plan: Plan, offset: int, limit: int) -> int:
    if plan.kind != "page":
        return offset + limit
    number, size = numbered(offset, limit)
    return (number + 1) * size


def _doubling(limit: int, largest: int) -> Iterator[int]:
    limit = min(limit, largest)
    while limit < largest:
        yield limit
        limit = min(2 * limit, largest)
    yield limit


# Whether a page is what was asked for: in the order the source file says, and since then.
#
# A DAM that passes over a parameter it does not know answers as if all was well; then assets would
# be lost for good, or all be read each time. So contradictions stop the source.


MOST_REPEATS = 20
ENOUGH_REPEATS = 10
MOST_FOLDERS = 1_000
"""Pages in a row with nothing but items without an id: more is no folder tree."""


class Progress:
    """Notices a DAM that gives the same page for every offset, before it is asked for ever."""

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self.known = frozenset(known)
        self.repeats = 0

    def check(self, page: Page) -> None:
        """Count pages that bring nothing new; ConfigurationError after too many in a row."""
        keys = frozenset(row.key for row in page.rows)
        self.repeats = 0 if keys - self.known else self.repeats + 1
        most = MOST_FOLDERS if keys == {""} else MOST_REPEATS
        if self.repeats > most:
            raise ConfigurationError(
                f"the DAM gave the same {len(keys)} items again and again for other pages: the "
                "request must use {{offset}}, {{page}} or {{cursor}}, under the name the DAM knows"
            )

    def is_over(self, page: Page) -> bool:
        """Say whether short pages with nothing new came so often that there is nothing more."""
        nameless = all(row.nameless for row in page.rows)
        return self.repeats >= ENOUGH_REPEATS and len(page.rows) < page.limit and not nameless

    def learn(self, page: Page) -> None:
        """Remember the page that was read last."""
        self.known = frozenset(row.key for row in page.rows)


def steps_of(plan: Plan, page: Page) -> list[int]:
    """Return each row's step of the clock; a row without a stamp takes that of its neighbour."""
    steps = [None if row.stamp is None else plan.floor(row.stamp) for row in page.rows]
    carried = next((step for step in steps if step is not None), None)
    filled = []
    for step in steps:
        carried = carried if step is None else step
        if carried is not None:
            filled.append(carried)
    return filled


def check_order(plan: Plan, page: Page, since: int | None) -> None:
    """Raise ConfigurationError when the page contradicts `order` or `{{since}}`.

    A few rows may stand out of order: an index that lags prints newer stamps than it sorted by.
    Each of them makes one step the wrong way, and one back the right way if it is not the first.
    """
    steps = steps_of(plan, page)
    pairs = list(pairwise(steps))
    wrong = sum(a > b if plan.order == "asc" else a < b for a, b in pairs)
    right = sum(a != b for a, b in pairs) - wrong
    if wrong > max(1, len(pairs) // 2) or wrong > right + 1:
        raise ConfigurationError(
            f"the list is not in the order of `updated`, {plan.order}: {wrong} of {len(pairs)} "
            "neighbours stand the other way round; check the request's sort parameter and `order`"
        )
    too_old = plan.overlap + plan.granule
    if since is not None and steps and max(steps) < since - too_old:
        raise ConfigurationError(
            "the DAM answered only with assets that changed before {{since}}: "
            f"asked since {plan.stamps.write(since)}, the newest is of "
            f"{plan.stamps.write(max(steps))}; check the request's filter, since.format, since.tz"
        )


# Whether a walk saw everything: what a list in no stable order cannot hide.


MOST_KEPT = 200_000
"""Rows remembered of one walk, eight bytes each: a list that is longer is checked in part."""
MOST_SCATTERED = 1
"""Rows that may come again by a race: one new asset between two of a tie moves one of them."""


class Seen:
    """What a walk by offset has read, to tell a list that moved from one without a stable order.

    A page that begins before a time stamp's first asset reads that stamp anew, and proves nothing.
    When a list moves, what comes again stands at the beginning of the next page. A row that comes
    again behind new ones proves that the DAM sorts each page anew, and then others never come.
    """

    def __init__(self) -> None:
        self._known: set[bytes] = set()
        self._step: int | None = None
        self._begin = 0
        self.scattered = 0

    def learn(self, plan: Plan, page: Page) -> None:
        """Remember a page; ConfigurationError when it proves that the order is not stable."""
        if plan.marked:
            return
        rows = [(_step_of(plan, row), _mark_of(row)) for row in page.rows if row.ids]
        if not rows:
            return
        if page.start <= self._begin or rows[0][0] != self._step:
            self._known = set()
        fresh, before = False, self.scattered
        for _, mark in rows if self._known else ():
            known = mark in self._known
            self.scattered += known and fresh
            fresh = fresh or not known
        if rows[-1][0] is None and self.scattered - before <= max(3, len(rows) // 3):
            self.scattered = before  # whatever this list is sorted by may have changed meanwhile
        if self.scattered > MOST_SCATTERED:
            raise ConfigurationError(UNSTABLE.format(count=self.scattered))
        last = rows[-1][0]
        if last != self._step or not self._known:
            self._known, self._step = set(), last
            self._begin = page.start + [step for step, _ in rows].index(last)
        if len(self._known) < MOST_KEPT:
            self._known.update(mark for step, mark in rows if step == last)


def _step_of(plan: Plan, row: Row) -> int | None:
    """The step of the clock within which this row may come again; None in a list without order."""
    return None if plan.mode == "full" or row.stamp is None else plan.floor(row.stamp)


UNSTABLE = (
    "the order of the list is not stable: {count} assets that were read came again on a later "
    "page, so others were passed over, and nobody can say which. Add a second, unique key to the "
    "request's sort parameter (modified, then id); or raise pagination.max_size so that all "
    "assets of one time stamp fit on a page; or read the whole list in the order of ids: "
    "mode: full, sorted by id"
)


def _mark_of(row: Row) -> bytes:
    """Know a row again: what was changed since is another one."""
    said = row.stamp if row.stamp is not None else row.properties
    return blake2b(msgspec.json.encode((row.ids, said), order="sorted"), digest_size=8).digest()


class Count:
    """Counts the assets of one walk against the total that the DAM gave for its first page."""

    def __init__(self) -> None:
        self.first: tuple[Ask, int] | None = None
        self._ids: set[bytes] = set()
        self._nameless = 0

    def learn(self, ask: Ask, page: Page) -> None:
        """Remember a page that was asked for."""
        if page.total is None:
            return
        if self.first is None:
            self.first = ask, page.total
        if self.first[1] <= MOST_KEPT:
            self._ids.update(
                blake2b(row.key.encode(), digest_size=8).digest() for row in page.rows if row.ids
            )
            self._nameless += sum(not row.ids for row in page.rows)

    def check(self, fetch: Fetch) -> None:
        """Raise ConfigurationError when the list has more than was read; it is asked once more."""
        if self.first is None or self.first[1] > MOST_KEPT or self._read >= self.first[1]:
            return
        now = fetch(self.first[0]).total or 0
        if self._read < now:
            raise ConfigurationError(
                f"the DAM says that there are {now} items (list.total), and the walk came upon "
                f"{self._read}: the rest was passed over. Check the request's sort parameter, "
                "pagination.next and pagination.max_size; where the number is an estimate, leave "
                "list.total out"
            )

    @property
    def _read(self) -> int:
        return len(self._ids) + self._nameless
