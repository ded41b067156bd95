"""What became of each line of a bulk upsert.

The PIM answers a collection PATCH with 200 before it has processed anything, and then with one
line per line; the answer may stop in the middle. So a line has three ends, not two:
https://api.akeneo.com/documentation/update.html and
https://api.akeneo.com/api-reference.html#patch_products
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct


class Problem(Struct, frozen=True, kw_only=True):
    """One entry of the PIM's `errors`: which property, and for a product value which one of them.

    `property` is `values` for a product value, then `attribute`, `locale`, `scope` (and `currency`
    of a price) say which; a main identifier comes as `identifier` without attribute.
    """

    property: str
    message: str
    attribute: str | None = None
    locale: str | None = None
    scope: str | None = None
    currency: str | None = None


class Upserted(Struct, frozen=True, kw_only=True):
    """The PIM took the line. `created` is False for an update, even one that changed nothing."""

    line: int
    created: bool


class Refused(Struct, frozen=True, kw_only=True):
    """The PIM (or, for a line that it never takes, this client) says no; trying again is no use.

    `message` is the PIM's own sentence, `errors` its details where there are any.
    """

    line: int
    status: int
    message: str
    errors: tuple[Problem, ...] = ()


class Unanswered(Struct, frozen=True, kw_only=True):
    """Nobody knows whether the PIM took the line: send it again later, a PATCH does no harm twice.

    `status` and `message` say what the last try ended with, where there was an answer at all.
    """

    line: int
    status: int | None = None
    message: str = "The PIM's answer ended before this line."


LineOutcome = Upserted | Refused | Unanswered
"""`line` is 1-based: the position in the list that was handed in."""


def problems(answer: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Read `errors` of an answer; what has another form is passed over, never a crash."""
    entries = answer.get("errors")
    if not isinstance(entries, list):
        return ()
    return tuple(_problem(entry) for entry in entries if isinstance(entry, dict))


def _problem(entry: Mapping[str, Any]) -> Problem:
    def text(key: str) -> str | None:
        value = entry.get(key)
        return None if value is None else str(value)

    return Problem(
        property=text("property") or "",
        message=text("message") or "",
        attribute=text("attribute"),
        locale=text("locale"),
        scope=text("scope"),
        currency=text("currency"),
    )
