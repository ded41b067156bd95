"""Pages of a list whose order says nothing about time, or of one step of the clock.

Every page overlaps the one before by a row. When no row of that one is in it, the list has slid
(things before it were deleted), so the walk goes back until it stands on known ground again.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from pim_connector.dam.numbering import place
from pim_connector.dam.order import Progress
from pim_connector.dam.pages import Ask, Fetch, Page, Plan, Position, Step, ends

TAIL = 5
"""Keys kept of a page's end: they are in the cursor's item, so not many."""
MOST_SLIDES = 5
SLIPPERY = (
    "the list changes faster than it can be read, so assets may have slipped through between two "
    "pages; reconcile"
)


def plain_pages(
    plan: Plan, at: Position, fetch: Fetch, limit: int, until: int | None = None
) -> Iterator[Step]:
    """Walk by offset or by mark to the end of the list, or to the page that passes `until`.

    ConfigurationError when the DAM takes no notice of the offset or the mark.
    """
    progress, slides = Progress(at.tail), 0
    while True:
        page = fetch(Ask(since=at.since, limit=limit, offset=at.offset, mark=at.mark, most=at.most))
        keys = [row.key for row in page.rows]
        progress.check(page)
        slid = not plan.marked and page.start > 0 and not progress.known & set(keys)
        slides = slides + slid if slid or page.start == 0 else 0
        if slid and slides <= MOST_SLIDES:
            at = replace(at, offset=max(0, page.start - limit // 2))
            continue
        progress.learn(page)
        over = ends(plan, page, at.most) or progress.is_over(page)
        over = over or (not plan.marked and len(keys) < 2)
        over = over or _passed(page, until)
        at, limit = _next(plan, at.passing(page, None), page, limit)
        yield Step(rows=page.rows, position=at, note=SLIPPERY if slid else None, last=over)
        if over:
            return


def _next(plan: Plan, at: Position, page: Page, limit: int) -> tuple[Position, int]:
    if plan.marked:
        return replace(at, mark=page.next), limit
    end = page.start + len(page.rows)
    offset, limit = place(plan, page, end - 1, limit) or (end, limit)
    tail = tuple(row.key for row in page.rows[-TAIL:])
    return replace(at, offset=offset, tail=tail), limit


def _passed(page: Page, until: int | None) -> bool:
    if until is None or not page.rows:
        return False
    stamp = page.rows[-1].stamp
    return stamp is not None and stamp >= until
