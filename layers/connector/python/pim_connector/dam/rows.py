"""A DAM's JSON items as rows. What cannot be read is said in the row, never dropped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pim_connector.dam.pages import Row
from pim_connector.dam.source import DeletedFeed, Source
from pim_connector.dam.stamps import Stamps
from pim_connector.errors import RejectedError
from pim_connector.expressions import Expression

ReadRow = Callable[[Any], Row]


def asset_rows(source: Source, stamps: Stamps) -> ReadRow:
    """Read the items of a source's list: id, time stamp, deleted or not, all properties."""
    ids = Expression(source.id, where="id")
    updated = Expression(source.updated, where="updated") if source.updated else None
    flag = Expression(source.deleted.flag, where="deleted.flag") if source.deleted.flag else None

    def read(item: Any) -> Row:
        properties = item if isinstance(item, dict) else {"item": item}
        try:
            printed = updated.read(item) if updated else None
            found = ids_of(ids.read(item))
            return Row(
                ids=found,
                stamp=stamps.read(printed),
                printed=None if printed is None else str(printed),
                properties=properties,
                deleted=flag.holds(item) if flag else False,
                problem=None if found else f"no id at `{source.id}`",
            )
        except RejectedError as error:
            return Row(ids=(), stamp=None, properties=properties, problem=str(error))

    return read


def feed_rows(feed: DeletedFeed, stamps: Stamps) -> ReadRow:
    """Read the rows of a feed of deletions: which ids are gone, and when or as what number."""
    ids = Expression(feed.ids, where="deleted.feed.ids")
    at = Expression(feed.at, where="deleted.feed.at")

    def read(item: Any) -> Row:
        try:
            printed = at.read(item)
            return Row(
                ids=ids_of(ids.read(item)),
                stamp=stamps.read(printed),
                printed=None if printed is None else str(printed),
                deleted=True,
            )
        except RejectedError as error:
            return Row(ids=(), stamp=None, problem=str(error))

    return read


def ids_of(found: Any) -> tuple[str, ...]:
    """Give ids as text: of one id or a list; what is no text and no number is none."""
    values = found if isinstance(found, list) else [found]
    return tuple(
        str(value)
        for value in values
        if isinstance(value, str | int) and not isinstance(value, bool) and value != ""
    )
