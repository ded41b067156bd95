"""Pages of a list whose order says nothing about time, or of one step of the clock.

Every page overlaps the one before by a row. When no row of that one is in it, the list has slid
(things before it were deleted), so the walk goes back until it stands on known ground again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from msgspec.structs import replace

from pim_connector.dam.pages import (
    UNSTABLE,
    Ask,
    Count,
    Fetch,
    MarkExpiredError,
    Page,
    Plan,
    Position,
    Progress,
    Row,
    Seen,
    Step,
    check_order,
    ends,
    place,
    steps_of,
)
from pim_connector.errors import ConfigurationError

TAIL = 5
"""Keys kept of a page's end: they are in the cursor's item, so not many."""
MOST_SLIDES = 5
MOST_BACKS = 20
"""Times that a walk finds no known ground at one time stamp: more is no list that moves."""
SLIPPERY = (
    "the list changes faster than it can be read, so assets may have slipped through between two "
    "pages; reconcile"
)


def plain_pages(
    plan: Plan,
    at: Position,
    fetch: Fetch,
    limit: int,
    until: int | None = None,
    seen: Seen | None = None,
) -> Iterator[Step]:
    """Walk by offset or by mark to the end of the list, or to the page that passes `until`.

    ConfigurationError when the DAM takes no notice of the offset or the mark, or when `seen` and
    the pages prove that the list has no stable order.
    """
    progress, slides, seen = Progress(at.tail), 0, seen or Seen()
    while True:
        page = fetch(
            Ask(
                since=at.since,
                limit=limit,
                offset=at.offset,
                mark=at.mark,
                most=at.most,
                continued=at.continued,
            )
        )
        keys = [row.key for row in page.rows]
        progress.check(page)
        slid = not plan.marked and page.start > 0 and not progress.known & set(keys)
        slides = slides + slid if slid or page.start == 0 else 0
        if slid and slides <= MOST_SLIDES:
            at = replace(at, offset=max(0, page.start - limit // 2))
            continue
        progress.learn(page)
        seen.learn(plan, page)
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


# Asking again from the last whole step of the clock, instead of asking for page 2.
#
# The answer to "what changed since then" is right at the moment it is given; only its continuation
# is not. So each page is asked for as if it were the first, from the step of the clock that the one
# before ended in. Where more assets share one step than a page holds, the page grows; where it
# cannot grow further, that one step is paged through.


CROWDED = (
    "more assets share one time stamp than a page can hold, so they were read page by page; "
    "raise pagination.max_size if the DAM allows it, and reconcile"
)


def requery(plan: Plan, at: Position, fetch: Fetch) -> Iterator[Step]:
    """Walk an ascending list that can be asked since a stamp. `at.since` must be set.

    Assets of one step of the clock that no page can hold are noted: between pages their order is
    not certain, so a reconciliation should follow. ConfigurationError as `check_order`.
    """
    limit, over, seen, step = plan.size, False, Seen(), at.since
    while not over:
        if at.offset or at.mark:
            at, over = yield from _one_step(plan, at, fetch, seen)
            continue
        page = fetch(Ask(since=at.since, limit=limit, most=at.most, continued=at.continued))
        check_order(plan, page, at.since)
        seen, step = (seen if step == at.since else Seen()), at.since
        seen.learn(plan, page)
        over = ends(plan, page, at.most) or (not plan.marked and len(page.rows) < 2)
        at, limit = _onward(plan, at, page)
        yield Step(rows=page.rows, position=at, last=over)


def _onward(plan: Plan, at: Position, page: Page) -> tuple[Position, int]:
    """Say where and how much to ask next, after a first page from `at.since`."""
    steps = steps_of(plan, page)
    at = at.passing(page, page.rows[-1].stamp if page.rows else None)
    if steps and steps[-1] > (at.since or 0):
        return replace(at, since=steps[-1]), min(plan.largest, plan.size + steps.count(steps[-1]))
    if len(page.rows) >= page.limit and page.limit < plan.largest:
        return at, min(2 * page.limit, plan.largest)
    if plan.marked:
        return replace(at, mark=page.next), plan.size
    tail = tuple(row.key for row in page.rows[-TAIL:])
    return replace(at, offset=max(0, len(page.rows) - 1), tail=tail), plan.size


def _one_step(
    plan: Plan, at: Position, fetch: Fetch, seen: Seen
) -> Generator[Step, None, tuple[Position, bool]]:
    """Page through one step of the clock; say where to go on, and whether the list ended in it."""
    until = (at.since or 0) + plan.granule
    over = True
    for step in plain_pages(plan, at, fetch, plan.largest, until, seen):
        last = step.rows[-1].stamp if step.rows else None
        at = step.position
        if last is not None:
            at = replace(at, newest=max(last, at.newest or last))
            over = last < until
            if not over:
                at = replace(at, since=plan.floor(last), offset=0, mark=None, tail=())
        note = CROWDED if _needs_more_pages(plan, step) else step.note
        yield Step(rows=step.rows, position=at, note=note, last=step.last and over)
    return at, over


def _needs_more_pages(plan: Plan, step: Step) -> bool:
    """Say whether this page is one of several: full, or with more than a row behind another one."""
    given = len(step.rows)
    is_first = not plan.marked and step.position.offset < given
    return given >= plan.largest if is_first else given > 1


# Page by page through a list in the order of its stamps, up or down, that slides meanwhile.
#
# Each page begins a row before the last step of the clock in the page before, so that this step
# is read whole, in one answer, and the row before it shows that nothing slid away in between: a
# page
# that does not begin with what is known is not believed, and the walk goes back. What was touched
# meanwhile is newer than everything and comes with the next poll.


def sorted_pages(plan: Plan, at: Position, fetch: Fetch) -> Iterator[Step]:
    """Walk pages in the order of stamps; going down, stop behind `at.stop`.

    Going up with `{{since}}`, it asks anew from the last stamp where the DAM can be paged no
    deeper (`max_window`), or where a page's mark would have to be kept. ConfigurationError as
    `check_order`.
    """
    limit, over, progress, seen = plan.size, False, Progress(at.tail), Seen()
    backs, lost_at = 0, at.reached
    while not over:
        page = fetch(
            Ask(
                since=at.since,
                limit=limit,
                offset=at.offset,
                mark=at.mark,
                most=at.most,
                continued=at.continued,
            )
        )
        check_order(plan, page, at.since if plan.order == "asc" else None)
        progress.check(page)
        if not _stands(plan, at, page):
            backs, lost_at = (backs + 1 if lost_at == at.reached else 1), at.reached
            if backs > MOST_BACKS:
                raise ConfigurationError(UNSTABLE.format(count="some"))
            at = _back(at, page, limit)
            continue
        progress.learn(page)
        seen.learn(plan, page)
        steps = steps_of(plan, page)
        over = ends(plan, page, at.most) or progress.is_over(page)
        over = over or (not plan.marked and len(page.rows) < 2)
        over = over or (at.stop is not None and bool(steps) and steps[-1] < at.stop)
        at = at.passing(page, _newest(plan, page))
        at, limit, note = _sorted_pages_onward(plan, at, page, steps, limit)
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
    """Return a place to ask from after the list has slid: anew from a stamp, or pages earlier."""
    if at.since is not None:
        return replace(at, since=at.reached, offset=0, reached=None, tail=())
    return replace(at, offset=max(0, page.start - limit // 2))


def _sorted_pages_onward(
    plan: Plan, at: Position, page: Page, steps: list[int], asked: int
) -> tuple[Position, int, str | None]:
    """Say where and how much to ask next, and what an operator should know."""
    if plan.marked:
        return replace(at, mark=page.next), plan.size, None
    if not steps:  # nothing but items without an id and a stamp
        tail = tuple(row.key for row in page.rows[-TAIL:])
        end = page.start + len(page.rows)
        offset, limit = place(plan, page, end - 1, plan.size) or (end, plan.size)
        return replace(at, offset=offset, tail=tail), limit, None
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


# Walking through what changed in a DAM, without ever losing an asset to the walk.
#
# A list that changes while it is read must not be paged by offset: what is updated moves, and what
# stood behind it slides over the page break unseen. How that is avoided depends on what the DAM
# can do, and is the business of requery.py, sorted_pages.py and plain_pages.py. Here is what they
# share: where a walk begins, and where the next one will.
#
# All are pure generators over a `fetch` function: no clock, no network, no memory of more than a
# page. Each step carries the position from which to go on once its rows are safe elsewhere.


Clock = Callable[[], float]


def walk(plan: Plan, position: Position, fetch: Fetch, clock: Clock) -> Iterator[Step]:
    """Give everything that changed since `position`, page by page, oldest first where possible.

    The last step's position is where the next walk begins. A walk that is left before that goes
    on from the position of any of its steps. `fetch` may raise what it likes.
    ConfigurationError when the answers contradict the description (wrong order, filter ignored,
    no stable order, fewer items than the DAM says there are).
    """
    at, count = begin(plan, position, clock()), Count()
    whole = position.started is None

    def counted(ask: Ask) -> Page:
        page = fetch(ask)
        count.learn(ask, page)
        return page

    try:
        for step in _steps(plan, at, counted):
            if step.last and whole and at.stop is None:
                count.check(fetch)
            at = step.position
            yield _closed(plan, step, clock)
    except MarkExpiredError:
        again = Position(began=at.began, newest=at.newest, most=at.most, continued=at.continued)
        for step in _steps(plan, begin(plan, again, clock()), fetch):
            yield _closed(plan, step, clock)


def begin(plan: Plan, position: Position, now: float) -> Position:
    """Start a walk where the last one said, or go on with one that was cut short."""
    if position.started is not None:
        return position
    return replace(
        position,
        since=None if plan.mode == "full" or plan.order == "desc" else position.began or 0,
        stop=position.began if plan.order == "desc" else None,
        started=now,
    )


def finish(plan: Plan, at: Position, now: float) -> Position:
    """Close a walk that came to its end: from the DAM's newest stamp, never from our clock."""
    if plan.kind == "token":
        return Position(mark=at.mark, most=at.most, continued=at.continued)
    if plan.mode == "full" or at.newest is None:
        return Position(began=at.began, most=at.most, continued=at.continued)
    began = plan.restart(at.newest, now - (at.started or now))
    began = max(at.began or 0, began)
    return Position(began=began, newest=at.newest, most=at.most, continued=at.continued)


def _closed(plan: Plan, step: Step, clock: Clock) -> Step:
    return replace(step, position=finish(plan, step.position, clock())) if step.last else step


def _steps(plan: Plan, at: Position, fetch: Fetch) -> Iterator[Step]:
    if plan.kind == "token":
        return _feed(plan, at, fetch)
    if plan.mode == "full":
        return plain_pages(plan, at, fetch, plan.size)
    if plan.mode == "requery" and plan.order == "asc":
        return requery(plan, at, fetch)
    return sorted_pages(plan, at, fetch)


def _feed(plan: Plan, at: Position, fetch: Fetch) -> Iterator[Step]:
    """Follow a feed's own marks; the last page says where the feed goes on another time."""
    while True:
        page = fetch(Ask(limit=plan.size, mark=at.mark))
        at = replace(at, mark=page.next or page.last or at.mark, most=max(at.most, len(page.rows)))
        yield Step(rows=page.rows, position=at, last=page.next is None)
        if page.next is None:
            return
