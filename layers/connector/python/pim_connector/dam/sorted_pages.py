"""Page by page through a list in the order of its stamps, up or down, that slides meanwhile.

Each page begins a row before the last step of the clock in the page before, so that this step
is read whole, in one answer, and the row before it shows that nothing slid away in between: a page
that does not begin with what is known is not believed, and the walk goes back. What was touched
meanwhile is newer than everything and comes with the next poll.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from pim_connector.dam.numbering import place
from pim_connector.dam.order import Progress, check_order, steps_of
from pim_connector.dam.pages import Ask, Fetch, Page, Plan, Position, Row, Step, ends
from pim_connector.dam.plain_pages import TAIL
from pim_connector.dam.requery import CROWDED


def sorted_pages(plan: Plan, at: Position, fetch: Fetch) -> Iterator[Step]:
    """Walk pages in the order of stamps; going down, stop behind `at.stop`.

    Going up with `{{since}}`, it asks anew from the last stamp where the DAM can be paged no
    deeper (`max_window`), or where a page's mark would have to be kept. ConfigurationError as
    `check_order`.
    """
    limit, over, progress = plan.size, False, Progress(at.tail)
    while not over:
        page = fetch(Ask(since=at.since, limit=limit, offset=at.offset, mark=at.mark, most=at.most))
        check_order(plan, page, at.since if plan.order == "asc" else None)
        progress.check(page)
        if not _stands(plan, at, page):
            at = _back(at, page, limit)
            continue
        progress.learn(page)
        steps = steps_of(plan, page)
        over = ends(plan, page, at.most) or progress.is_over(page)
        over = over or (not plan.marked and len(page.rows) < 2)
        over = over or (at.stop is not None and bool(steps) and steps[-1] < at.stop)
        at = at.passing(page, _newest(plan, page))
        at, limit, note = _onward(plan, at, page, steps, limit)
        kept = _kept(plan, at, steps)
        yield Step(rows=_wanted(at, page), position=kept, note=note, last=over)


def _stands(plan: Plan, at: Position, page: Page) -> bool:
    """Say whether the page begins on known ground."""
    if plan.marked or page.start == 0 or at.reached is None:
        return True
    if at.tail:
        return bool(set(at.tail) & {row.key for row in page.rows})
    steps = steps_of(plan, page)
    return bool(steps) and (steps[0] < at.reached if plan.order == "asc" else steps[0] > at.reached)


def _back(at: Position, page: Page, limit: int) -> Position:
    """Give a place to ask from after the list has slid: anew from a stamp, or pages earlier."""
    if at.since is not None:
        return replace(at, since=at.reached, offset=0, reached=None, tail=())
    return replace(at, offset=max(0, page.start - limit // 2))


def _onward(
    plan: Plan, at: Position, page: Page, steps: list[int], asked: int
) -> tuple[Position, int, str | None]:
    """Say where and how much to ask next, and what an operator should know."""
    if plan.marked or not steps:
        return replace(at, mark=page.next), plan.size, None
    first, end = steps.index(steps[-1]), page.start + len(steps)
    wanted = plan.size + len(steps) - first
    placed = place(plan, page, page.start + first - 1, wanted) if first > 1 else None
    if placed is not None:
        offset, limit = placed
        if plan.window and plan.order == "asc" and offset + limit > plan.window:
            return replace(at, since=steps[-1], offset=0, reached=None, tail=()), plan.size, None
        return replace(at, offset=offset, reached=steps[-1], tail=()), limit, None
    if len(page.rows) >= page.limit and asked < plan.largest:
        return replace(at, offset=page.start), min(2 * asked, plan.largest), None
    tail = tuple(row.key for row in page.rows[-TAIL:])
    offset, limit = place(plan, page, end - 1, plan.size) or (end, plan.size)
    crowded = CROWDED if len(page.rows) >= page.limit and first <= 1 else None
    return replace(at, offset=offset, reached=steps[-1], tail=tail), limit, crowded


def _newest(plan: Plan, page: Page) -> int | None:
    """The stamp this page proves everything older than to be seen, or about to be."""
    if not page.rows:
        return None
    if plan.order == "asc":
        return page.rows[-1].stamp
    return page.rows[0].stamp if page.start == 0 else None


def _wanted(at: Position, page: Page) -> tuple[Row, ...]:
    if at.stop is None:
        return page.rows
    return tuple(r for r in page.rows if r.stamp is None or r.stamp >= at.stop)


def _kept(plan: Plan, at: Position, steps: list[int]) -> Position:
    """The place to go on from at another time: marks do not keep, stamps do."""
    if plan.order == "desc" or at.since is None or not steps:
        return at
    return replace(at, since=max(steps[-1], at.since), offset=0, mark=None, reached=None, tail=())
