"""Whether a page is what was asked for: in the order the source file says, and since then.

A DAM that passes over a parameter it does not know answers as if all was well; then assets would
be lost for good, or all be read each time. So contradictions stop the source.
"""

from __future__ import annotations

from itertools import pairwise

from pim_connector.dam.pages import Page, Plan
from pim_connector.errors import ConfigurationError

MOST_REPEATS = 20
ENOUGH_REPEATS = 10


class Progress:
    """Notices a DAM that gives the same page for every offset, before it is asked for ever."""

    def __init__(self, known: tuple[str, ...] = ()) -> None:
        self.known = frozenset(known)
        self.repeats = 0

    def check(self, page: Page) -> None:
        """Count pages that bring nothing new; ConfigurationError after too many in a row."""
        keys = frozenset(row.key for row in page.rows)
        self.repeats = 0 if keys - self.known else self.repeats + 1
        if self.repeats > MOST_REPEATS:
            raise ConfigurationError(
                f"the DAM gave the same {len(keys)} items again and again for other pages: the "
                "request must use {{offset}}, {{page}} or {{cursor}}, under the name the DAM knows"
            )

    def is_over(self, page: Page) -> bool:
        """Say whether short pages with nothing new came so often that there is nothing more."""
        return self.repeats >= ENOUGH_REPEATS and len(page.rows) < page.limit

    def learn(self, page: Page) -> None:
        """Remember the page that was read last."""
        self.known = frozenset(row.key for row in page.rows)


def steps_of(plan: Plan, page: Page) -> list[int]:
    """Give each row's step of the clock; a row without a stamp takes that of its neighbour."""
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
