"""A DAM described: the types of a source file. `docs/dam-sources.md` explains them by example."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, field

from pim_connector.assets.mapping import AssetMapping
from pim_connector.dam.auth_kinds import Auth, NoAuth
from pim_connector.dam.event_kinds import Events
from pim_connector.dam.paging_kinds import Offsets, PageNumbers, Paging
from pim_connector.dam.request_kinds import Part, Request
from pim_connector.dam.template import names_in

Name = Annotated[str, Meta(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
Seconds = Annotated[float, Meta(ge=0)]


class Since(Part, frozen=True, kw_only=True):
    """The DAM's time stamps: how `{{since}}` is written, how `updated` is read.

    `format`: `iso` (2026-01-31T10:20:30+00:00), `iso_z` (…30Z), `iso_ms_z` (…30.123Z), `epoch`,
    `epoch_ms`, `serial` (a number that only grows) or a pattern of Python's strftime.
    `parse` is the same for reading; without it, what `format` says (any ISO 8601 for the iso ones).
    `tz` is the zone of stamps that name none. `granularity_s` is the step of the DAM's index, not
    of what it prints. `exclusive`: the DAM gives only what is later than `{{since}}`.
    """

    format: str = "iso_z"
    parse: str | None = None
    tz: str | None = None
    granularity_s: Annotated[float, Meta(ge=0.001, le=86_400)] = 1
    exclusive: bool = False


class Listing(Request, frozen=True, kw_only=True):
    """How to ask what changed, and how to walk through the answer.

    `mode`: `requery` never asks for page 2 of a moving list, `pages` walks pages, `full` has no
    `{{since}}` and reads everything each time. `order` is that of `updated` in the answer.
    """

    pagination: Paging
    items: str = "@"
    order: Literal["asc", "desc"] = "asc"
    mode: Literal["requery", "pages", "full"] = "requery"

    @property
    def has_fixed_pages(self) -> bool:
        """Say whether the DAM alone says how long a page is: nothing in the request does."""
        texts = [self.path, self.params, self.headers, self.body, self.form]
        numbered = isinstance(self.pagination, PageNumbers | Offsets)
        return numbered and "limit" not in names_in(texts)


class Item(Part, frozen=True, kw_only=True):
    """How to ask for one asset by its id, and which statuses mean that it is gone.

    `get` is a path or a whole request with `{{id}}` in it. `item` selects the asset from the
    answer; it must have the shape of the list's items. `gone_when` is JMESPath on the answer, for
    DAMs that say 200 and mean no.
    """

    get: str | Request
    item: str = "@"
    gone_status: tuple[int, ...] = (404, 410)
    gone_when: str | None = None

    @property
    def request(self) -> Request:
        """The request, also where the file gives its path only."""
        return Request(path=self.get) if isinstance(self.get, str) else self.get


class DeletedFeed(Listing, frozen=True, kw_only=True):
    """The DAM's own record of what was deleted, walked like a list with a cursor of its own.

    `ids` gives one id or several of each row; `at` is the row's time stamp or serial number.
    `overlap`, in seconds (or in numbers where `since.format` is `serial`), is read again each time.
    """

    ids: str
    at: str
    since: Since = Since()
    overlap: Seconds = 60


class Deleted(Part, frozen=True, kw_only=True):
    """How a deletion becomes visible: a flag on the asset, a feed, or only by its absence.

    `flag` is JMESPath on the asset (any value but null, false, "" and [] is yes). With
    `absent: reconcile` a full list is compared with what is in the PIM, on a schedule of its own;
    `full_list` is how to ask for it where the list of changes cannot simply be asked without
    `{{since}}`.
    """

    flag: str | None = None
    feed: DeletedFeed | None = None
    absent: Literal["ignore", "reconcile"] = "ignore"
    full_list: Listing | None = None


class Rate(Part, frozen=True, kw_only=True):
    """How fast the DAM may be asked, and how it says that it was too fast."""

    per_s: Annotated[float, Meta(gt=0)] | None = None
    retry_status: tuple[int, ...] = (420, 429, 500, 502, 503, 504)
    reset_header: str | tuple[str, ...] = ("Retry-After", "X-RateLimit-Reset")
    longest_wait_s: Seconds = 120
    timeout_s: Annotated[float, Meta(gt=0, le=300)] = 30


class Source(Part, frozen=True, kw_only=True):
    """One DAM, or one part of it: where it is, what changed in it, what becomes of it in the PIM.

    `secret` is the name or ARN in AWS Secrets Manager. `id` and `updated` are JMESPath on an item
    of the list. `overlap_s` is how late a change may become visible after its own time stamp.
    """

    source: Name
    base_url: str
    secret: str | None = None
    auth: Auth = NoAuth()
    headers: dict[str, str] = field(default_factory=dict)
    list: Listing
    id: str = "id"
    updated: str | None = None
    since: Since = Since()
    overlap_s: Seconds = 60
    item: Item | None = None
    deleted: Deleted = Deleted()
    events: Events | None = None
    rate: Rate = Rate()
    assets: AssetMapping | None = None
