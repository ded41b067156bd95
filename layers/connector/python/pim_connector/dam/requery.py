"""Asking again from the last whole step of the clock, instead of asking for page 2.

The answer to "what changed since then" is right at the moment it is given; only its continuation
is not. So each page is asked for as if it were the first, from the step of the clock that the one
before ended in. Where more assets share one step than a page holds, the page grows; where it
cannot grow further, that one step is paged through.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from msgspec.structs import replace

from pim_connector.dam.order import check_order, steps_of
from pim_connector.dam.pages import Ask, Fetch, Page, Plan, Position, Step, ends
from pim_connector.dam.plain_pages import TAIL, plain_pages

CROWDED = (
    "more assets share one time stamp than a page can hold, so they were read page by page; "
    "raise pagination.max_size if the DAM allows it, and reconcile"
)


def requery(plan: Plan, at: Position, fetch: Fetch) -> Iterator[Step]:
    """Walk an ascending list that can be asked since a stamp. `at.since` must be set.

    Assets of one step of the clock that no page can hold are noted: between pages their order is
    not certain, so a reconciliation should follow. ConfigurationError as `check_order`.
    """
    limit, over = plan.size, False
    while not over:
        if at.offset or at.mark:
            at, over = yield from _one_step(plan, at, fetch)
            continue
        page = fetch(Ask(since=at.since, limit=limit, most=at.most))
        check_order(plan, page, at.since)
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
    plan: Plan, at: Position, fetch: Fetch
) -> Generator[Step, None, tuple[Position, bool]]:
    """Page through one step of the clock; say where to go on, and whether the list ended in it."""
    until = (at.since or 0) + plan.granule
    over = True
    for step in plain_pages(plan, at, fetch, plan.largest, until):
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
