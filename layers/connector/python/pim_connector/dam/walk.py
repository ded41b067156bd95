"""Walking through what changed in a DAM, without ever losing an asset to the walk.

A list that changes while it is read must not be paged by offset: what is updated moves, and what
stood behind it slides over the page break unseen. How that is avoided depends on what the DAM
can do, and is the business of requery.py, sorted_pages.py and plain_pages.py. Here is what they
share: where a walk begins, and where the next one will.

All are pure generators over a `fetch` function: no clock, no network, no memory of more than a
page. Each step carries the position from which to go on once its rows are safe elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from pim_connector.dam.pages import Ask, Fetch, MarkExpiredError, Plan, Position, Step
from pim_connector.dam.plain_pages import plain_pages
from pim_connector.dam.requery import requery
from pim_connector.dam.sorted_pages import sorted_pages

Clock = Callable[[], float]


def walk(plan: Plan, position: Position, fetch: Fetch, clock: Clock) -> Iterator[Step]:
    """Give everything that changed since `position`, page by page, oldest first where possible.

    The last step's position is where the next walk begins. A walk that is left before that goes
    on from the position of any of its steps. `fetch` may raise what it likes.
    ConfigurationError when the answers contradict the description (wrong order, filter ignored).
    """
    at = begin(plan, position, clock())
    try:
        for step in _steps(plan, at, fetch):
            at = step.position
            yield _closed(plan, step, clock)
    except MarkExpiredError:
        again = Position(began=at.began, newest=at.newest, most=at.most)
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
        return Position(mark=at.mark, most=at.most)
    if plan.mode == "full" or at.newest is None:
        return Position(began=at.began, most=at.most)
    began = plan.restart(at.newest, now - (at.started or now))
    return Position(began=max(at.began or 0, began), newest=at.newest, most=at.most)


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
