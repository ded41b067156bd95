"""Pages of a list whose order says nothing about time, or of one step of the clock.

Every page overlaps the one before by a row. When no row of that one is in it, the list has slid
(things before it were deleted), so the walk goes back until it stands on known ground again.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from pim_connector.dam.order import Progress
from pim_connector.dam.pages import Ask, Fetch, Page, Plan, Position, Step, ends

TAIL = 5
"""Keys kept of a page's end: they are in the cursor's item, so not many."""


def plain_pages(
    plan: Plan, at: Position, fetch: Fetch, limit: int, until: int | None = None
) -> Iterator[Step]:
    """Walk by offset or by mark to the end of the list, or to the page that passes `until`.

    ConfigurationError when the DAM takes no notice of the offset or the mark.
    """
    progress = Progress(at.tail)
    while True:
        page = fetch(Ask(since=at.since, limit=limit, offset=at.offset, mark=at.mark))
        keys = [row.key for row in page.rows]
        progress.check(page)
        if not plan.marked and page.start > 0 and not progress.known & set(keys):
            at = replace(at, offset=max(0, page.start - limit))
            continue
        progress.learn(page)
        over = ends(plan, page, at.most) or (not plan.marked and len(keys) < 2)
        at = _next(plan, at.passing(page, None), page, keys)
        yield Step(rows=page.rows, position=at)
        if over or _passed(page, until):
            return


def _next(plan: Plan, at: Position, page: Page, keys: list[str]) -> Position:
    if plan.marked:
        return replace(at, mark=page.next)
    return replace(at, offset=page.start + max(0, len(keys) - 1), tail=tuple(keys[-TAIL:]))


def _passed(page: Page, until: int | None) -> bool:
    if until is None or not page.rows:
        return False
    stamp = page.rows[-1].stamp
    return stamp is not None and stamp >= until
