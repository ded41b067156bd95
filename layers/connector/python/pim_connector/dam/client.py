"""A DAM as the rest of the connector sees it: lists to walk, assets to read by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from msgspec import Struct

from pim_connector.dam.graphql import errors_in
from pim_connector.dam.http import Answer, Clocks, DamHttp
from pim_connector.dam.listing import PageReader
from pim_connector.dam.pages import Plan, Position, Row, Step, plan_of
from pim_connector.dam.rows import asset_rows
from pim_connector.dam.source import Item, Listing, Source
from pim_connector.dam.stamps import Stamps
from pim_connector.dam.walk import walk
from pim_connector.errors import ConfigurationError, RejectedError, TransientError
from pim_connector.expressions import Expression


class Gone(Struct, frozen=True, kw_only=True):
    """The DAM says that it has no such asset (any more). `status` is how it said so."""

    id: str
    status: int


class DamClient:
    """One source. Not for several threads; close it, or use it in a `with` block."""

    def __init__(
        self,
        source: Source,
        secrets: Mapping[str, Any] | None = None,
        *,
        transport: httpx.BaseTransport | None = None,
        clocks: Clocks | None = None,
    ) -> None:
        self.source = source
        self.clocks = clocks or Clocks()
        self.http = DamHttp(source, secrets or {}, transport=transport, clocks=self.clocks)
        self._stamps = Stamps(source.since)

    def __enter__(self) -> DamClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def changes(self, position: Position) -> Iterator[Step]:
        """Walk what changed since `position`; an empty position means everything.

        Raises what `walk` and `PageReader.fetch` raise.
        """
        return self._walk(self.source.list, self._stamps, position)

    def deletions(self, position: Position) -> Iterator[Step]:
        """Walk the feed of deletions; nothing where the source has none."""
        feed = self.source.deleted.feed
        if feed is None:
            return iter(())
        return self._walk(feed, Stamps(feed.since), position)

    def everything(self, position: Position) -> Iterator[Step]:
        """Walk the full list for a reconciliation, slow and in no order that changes.

        It is `deleted.full_list`, else the list of changes from the beginning of time.
        """
        listing = self.source.deleted.full_list or self.source.list
        return self._walk(listing, self._stamps, position)

    def asset(self, asset_id: str) -> Row | Gone:
        """Read one asset as it is now. `Gone` only where the source says what means gone.

        TransientError, ConfigurationError as `DamHttp.ask`; RejectedError when the answer is not
        an asset; ConfigurationError when the source does not say how to ask.
        """
        item = self.source.item
        if item is None:
            raise ConfigurationError(
                f"{self.source.source}: `item` is missing: how to ask for one asset by its id"
            )
        answer = self.http.ask(item.request, {"id": asset_id}, expected=item.gone_status)
        if answer.status in item.gone_status or self._says_gone(item, answer):
            return Gone(id=asset_id, status=answer.status)
        found: Any = Expression(item.item, where="item.item").read(answer.body)
        if not isinstance(found, dict):
            raise RejectedError(f"{answer.url} has no asset at `{item.item}` (item.item)")
        row = asset_rows(self.source, self._stamps)(found)
        if row.problem:
            raise RejectedError(f"{answer.url}: {row.problem}")
        return row

    def _says_gone(self, item: Item, answer: Answer) -> bool:
        """Read `gone_when`. An error proves nothing, unless `gone_when` speaks of errors itself."""
        gone = Expression(item.gone_when, where="item.gone_when") if item.gone_when else None
        errors = errors_in(answer.body)
        if errors and not (gone and "errors" in gone.text and gone.holds(answer.body)):
            raise TransientError(
                f"{answer.url} answers with errors: {errors}. If that is how the DAM says that an "
                "asset is gone, write so in item.gone_when: errors[0].extensions.code == '…'"
            )
        return gone is not None and gone.holds(answer.body)

    @property
    def plan_of_changes(self) -> Plan:
        """Give the numbers of the list of changes."""
        return self.plan(self.source.list, self._stamps)

    def plan(self, listing: Listing, stamps: Stamps) -> Plan:
        """Give the numbers a walk through `listing` needs."""
        return plan_of(listing, stamps, self.source.overlap_s)

    def _walk(self, listing: Listing, stamps: Stamps, position: Position) -> Iterator[Step]:
        reader = PageReader(self.source, listing, stamps, self.http)
        return walk(self.plan(listing, stamps), position, reader.fetch, self.clocks.now)
