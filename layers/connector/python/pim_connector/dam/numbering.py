"""Overlapping pages from DAMs that know page numbers only.

Page n of size s begins at n·s, so a page slightly smaller than usual can begin where a page of
the usual size could not.
"""

from __future__ import annotations

from collections.abc import Iterator

from pim_connector.dam.pages import Page, Plan


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
