"""Writes codes into URL paths."""

from __future__ import annotations

import io
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import quote, unquote

import httpx

from pim_connector.akeneo.answers import (
    Deadline,
    LineOutcome,
    NoPace,
    RateLimiter,
    RetryPolicy,
    unlimited,
)
from pim_connector.akeneo.auth import Credentials, MemoryTokenStore, TokenStore, auth_for
from pim_connector.akeneo.bulk import ARRAY, NDJSON, Passed, upsert
from pim_connector.akeneo.http import API, Connection, decoded, http_client
from pim_connector.errors import ConfigurationError

if TYPE_CHECKING:
    from pim_connector.akeneo.answers import RateLimiter
    from pim_connector.akeneo.http import Connection


def segment(code: str) -> str:
    """Write a code into a URL path: nothing in it may act as a path or a query."""
    return quote(code, safe="")


# Reads lists page by page, as the PIM links them.
#
# https://api.akeneo.com/documentation/pagination.html: the next page's URL is taken from the
# answer,
# never built; the end is a page without a next link.


PAGE_SIZE = 100
"""The API's maximum."""
URL_BYTES = 4096
"""A search goes into the URL, of which servers take about 8 KB (nginx and Apache by default); the
links to next pages repeat it and add to it."""


def read_list(
    connection: Connection,
    path: str,
    search: dict[str, Any] | None,
    params: dict[str, str],
    *,
    by_key: bool,
) -> Iterator[dict[str, Any]]:
    """Return the items of all pages. `by_key`: the list is long, so page by key, not by number.

    Lists that are not paged answer with a plain array and are given as they are. A search for more
    codes than a URL may hold is made in parts; what several parts find comes once.
    """
    targets = _targets(path, search, params, by_key=by_key)
    if len(targets) == 1:
        yield from _pages(connection, path, targets[0])
        return
    given: set[str] = set()
    for target in targets:
        for item in _pages(connection, path, target):
            key = str(item.get("uuid") or item.get("identifier") or item.get("code"))
            if key not in given:
                given.add(key)
                yield item


def _targets(
    path: str, search: dict[str, Any] | None, params: dict[str, str], *, by_key: bool
) -> list[str]:
    """Return the URLs of first pages: one, or as many as it takes to keep each short."""
    query = {"limit": str(PAGE_SIZE), **params}
    if by_key:
        query["pagination_type"] = "search_after"
    if search is not None:
        query["search"] = json.dumps(search, ensure_ascii=False, separators=(",", ":"))
    target = f"{path}?{httpx.QueryParams(query)}"
    halves = _halves(search or {}) if len(target) > URL_BYTES else None
    if halves is None:
        return [target]
    return [each for half in halves for each in _targets(path, half, params, by_key=by_key)]


def _halves(search: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Split the longest list of an IN filter; None where there is none to split."""
    lists = [
        (len(condition["value"]), name, place)
        for name, conditions in search.items()
        for place, condition in enumerate(conditions if isinstance(conditions, list) else ())
        if condition.get("operator") == "IN" and len(condition["value"]) > 1
    ]
    if not lists:
        return None
    count, name, place = max(lists)

    def part(some: slice) -> dict[str, Any]:
        conditions = list(search[name])
        conditions[place] = {**conditions[place], "value": conditions[place]["value"][some]}
        return {**search, name: conditions}

    return part(slice(count // 2)), part(slice(count // 2, None))


def _pages(connection: Connection, path: str, first: str) -> Iterator[dict[str, Any]]:
    """Follow the PIM's links from one page to the next."""
    seen: set[str] = set()
    target: str | None = first
    while target is not None and target not in seen:
        seen.add(target)
        page = decoded(connection.send("GET", target), object)
        yield from _items(page, path)
        target = _next(page, connection)


def _items(page: object, path: str) -> list[dict[str, Any]]:
    items: Any = page
    if isinstance(page, dict):
        items = page.get("_embedded", {}).get("items")
    if not isinstance(items, list):
        raise ConfigurationError(f"GET {path}: the answer is not a list. Is this an Akeneo PIM?")
    return items


def _next(page: object, connection: Connection) -> str | None:
    """Take what the link says below `/api/rest/v1/`: the token goes nowhere but to our own PIM.

    A PIM behind a proxy may write `http` for `https` in its links; another host is an error.
    """
    link = page.get("_links", {}).get("next") if isinstance(page, dict) else None
    if not link:
        return None
    url = httpx.URL(link["href"])
    if url.host and url.host != connection.base_url.host:
        raise ConfigurationError(
            f"the PIM's next page is on {url.host}, not on {connection.base_url.host}: use the URL"
            " by which the PIM calls itself (AKENEO_PIM_URL in its settings)."
        )
    return url.raw_path.decode().partition(API)[2]


# What can be read from the PIM: single objects, lists, system information.


JsonObject = dict[str, Any]
Search = dict[str, list[JsonObject]]
"""Filters as the API has them: `{"code": [{"operator": "IN", "value": ["a", "b"]}]}`."""


class Reading:
    """The reading half of `AkeneoClient`."""

    _connection: Connection

    # One object: None if the PIM does not have it (or does not show it to this user).

    def get_product(self, identifier: str) -> JsonObject | None:
        return self._connection.get(f"products/{quote(identifier)}")

    def get_product_uuid(self, uuid: str) -> JsonObject | None:
        return self._connection.get(f"products-uuid/{segment(uuid)}")

    def get_product_model(self, code: str) -> JsonObject | None:
        return self._connection.get(f"product-models/{segment(code)}")

    def get_attribute(self, code: str) -> JsonObject | None:
        return self._connection.get(f"attributes/{segment(code)}")

    def get_family(self, code: str) -> JsonObject | None:
        return self._connection.get(f"families/{segment(code)}")

    def get_asset_family(self, code: str) -> JsonObject | None:
        return self._connection.get(f"asset-families/{segment(code)}")

    def get_asset(self, family: str, code: str) -> JsonObject | None:
        return self._connection.get(f"asset-families/{segment(family)}/assets/{segment(code)}")

    def system_information(self) -> JsonObject:
        """Tell the PIM's `version` and `edition`: `Serenity`, `GE`, `EE` or `CE`."""
        found = self._connection.get("system-information")
        if found is None:
            raise ConfigurationError(
                f"{self._connection.origin} has no system-information: check the PIM's URL."
            )
        return found

    # Lists: iterators that ask for the next page when they get there.

    def list_products(self, search: Search | None = None, **params: str) -> Iterator[JsonObject]:
        """Products with an identifier; `params` such as `attributes="sku,name"` go along."""
        return self._list("products", search, params, by_key=True)

    def list_products_uuid(
        self, search: Search | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list("products-uuid", search, params, by_key=True)

    def list_product_models(
        self, search: Search | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list("product-models", search, params, by_key=True)

    def list_attributes(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("attributes", search)

    def list_attribute_options(self, attribute: str) -> Iterator[JsonObject]:
        return self._list(f"attributes/{segment(attribute)}/options")

    def list_families(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("families", search)

    def list_family_variants(self, family: str) -> Iterator[JsonObject]:
        return self._list(f"families/{segment(family)}/variants")

    def list_categories(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("categories", search)

    def list_channels(self) -> Iterator[JsonObject]:
        return self._list("channels")

    def list_locales(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("locales", search)

    def list_currencies(self, search: Search | None = None) -> Iterator[JsonObject]:
        return self._list("currencies", search)

    def list_measurement_families(self) -> Iterator[JsonObject]:
        return self._list("measurement-families")

    def list_association_types(self) -> Iterator[JsonObject]:
        return self._list("association-types")

    def list_asset_families(self) -> Iterator[JsonObject]:
        return self._list("asset-families")

    def list_asset_attributes(self, family: str) -> Iterator[JsonObject]:
        return self._list(f"asset-families/{segment(family)}/attributes")

    def list_asset_attribute_options(self, family: str, attribute: str) -> Iterator[JsonObject]:
        path = f"asset-families/{segment(family)}/attributes/{segment(attribute)}/options"
        return self._list(path)

    def list_assets(
        self, family: str, search: JsonObject | None = None, **params: str
    ) -> Iterator[JsonObject]:
        return self._list(f"asset-families/{segment(family)}/assets", search, params)

    def list_ui_extensions(self) -> list[JsonObject] | None:
        """Return the UI extensions of these credentials; None where the PIM has none to manage.

        SaaS only: https://api.akeneo.com/extensions/api.html. The answer is a plain array.
        """
        return self._connection.unless_hidden(
            lambda: decoded(self._connection.send("GET", "ui-extensions"), list)
        )

    def list_known(self, path: str, *, search: JsonObject | None = None) -> list[JsonObject] | None:
        """Read a whole list; None where the PIM has no such list or does not show it to this user.

        This is what `pim_connector.structure.fetch_structure` asks for.
        """
        return self._connection.unless_hidden(lambda: list(self._list(path, search)))

    def _list(
        self,
        path: str,
        search: JsonObject | None = None,
        params: dict[str, str] | None = None,
        *,
        by_key: bool = False,
    ) -> Iterator[JsonObject]:
        return read_list(self._connection, path, search, params or {}, by_key=by_key)


# Uploads media files without ever holding one in memory.
#
# https://api.akeneo.com/api-reference.html#post_media_files and `#post_asset_media_files`: the
# answer has no body; the file's code is in a header.


Content = bytes | Callable[[], BinaryIO]


class Reopened:
    """A file for the multipart encoder, opened anew whenever it is wound back.

    Every try, and the replay after a renewed token, sends the file from its beginning; a download
    that is passed through cannot be wound back, but it can be asked for again.
    """

    def __init__(self, opener: Callable[[], BinaryIO]) -> None:
        self._opener = opener
        self._file: BinaryIO | None = None

    def read(self, size: int = -1) -> bytes:
        if self._file is None:
            self._file = self._opener()
        return self._file.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation("only the way back to the beginning")
        self.close()
        return 0

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def upload(
    connection: Connection,
    path: str,
    filename: str,
    content: Content,
    *,
    content_type: str | None = None,
    target: dict[str, Any] | None = None,
) -> str:
    """Send one file as multipart and give the code the PIM has filed it under."""
    opener = content if callable(content) else lambda: io.BytesIO(content)
    file = Reopened(opener)
    part = (filename, file, content_type) if content_type else (filename, file)
    fields = {name: json.dumps(value) for name, value in (target or {}).items()}
    try:
        response = connection.send("POST", path, files={"file": part}, data=fields)
    finally:
        file.close()
    code = response.headers.get("Asset-media-file-code")
    code = code or unquote(response.headers.get("Location", "").partition(f"/{path}/")[2])
    if not code:
        raise ConfigurationError(
            f"POST {path}: the PIM took the file, but its answer does not name it: a proxy between"
            " drops the headers Location and Asset-media-file-code."
        )
    return code


# What can be written to the PIM: bulk upserts, single upserts, deletions, media files.


class Writing:
    """The writing half of `AkeneoClient`."""

    _connection: Connection
    _pace: RateLimiter

    # Bulk upserts: at most 100 lines; ValueError otherwise. `passed` hears of lines as they pass.

    def upsert_products(
        self,
        lines: Sequence[JsonObject],
        *,
        create_missing_options: bool = False,
        passed: Passed | None = None,
    ) -> list[LineOutcome]:
        """Create and update products by `identifier`.

        `create_missing_options` lets a SaaS PIM add unknown select options itself; 7.0 ignores it.
        """
        return self._products("products", lines, create_missing_options, passed)

    def upsert_products_uuid(
        self,
        lines: Sequence[JsonObject],
        *,
        create_missing_options: bool = False,
        passed: Passed | None = None,
    ) -> list[LineOutcome]:
        """Create and update products by `uuid`; the identifier is then one of the values."""
        return self._products("products-uuid", lines, create_missing_options, passed)

    def upsert_product_models(
        self,
        lines: Sequence[JsonObject],
        *,
        create_missing_options: bool = False,
        passed: Passed | None = None,
    ) -> list[LineOutcome]:
        """Create and update product models by `code`. A model goes before its variants."""
        return self._products("product-models", lines, create_missing_options, passed)

    def upsert_attributes(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("attributes", lines)

    def upsert_attribute_groups(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("attribute-groups", lines)

    def upsert_attribute_options(
        self, attribute: str, lines: Sequence[JsonObject]
    ) -> list[LineOutcome]:
        """Create and update options of one attribute, waiting for the pace before every call."""
        path = f"attributes/{segment(attribute)}/options"
        return upsert(self._connection, path, lines, NDJSON, before_call=self._pace.wait)

    def upsert_families(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("families", lines)

    def upsert_family_variants(self, family: str, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines(f"families/{segment(family)}/variants", lines)

    def upsert_categories(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("categories", lines)

    def upsert_channels(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("channels", lines)

    def upsert_association_types(self, lines: Sequence[JsonObject]) -> list[LineOutcome]:
        return self._lines("association-types", lines)

    def upsert_assets(self, family: str, items: Sequence[JsonObject]) -> list[LineOutcome]:
        """Create and update assets of one family. The family's code is case-sensitive here."""
        path = f"asset-families/{segment(family)}/assets"
        return upsert(self._connection, path, items, ARRAY)

    # Single upserts: True = created, False = updated; RefusedError with the PIM's words.

    def upsert_asset_family(self, item: JsonObject) -> bool:
        return self._connection.patch(f"asset-families/{segment(item['code'])}", item)

    def upsert_asset_attribute(self, family: str, item: JsonObject) -> bool:
        path = f"asset-families/{segment(family)}/attributes/{segment(item['code'])}"
        return self._connection.patch(path, item)

    def upsert_asset_attribute_option(self, family: str, attribute: str, item: JsonObject) -> bool:
        path = (
            f"asset-families/{segment(family)}/attributes/{segment(attribute)}"
            f"/options/{segment(item['code'])}"
        )
        return self._connection.patch(path, item, before_call=self._pace.wait)

    def delete_asset(self, family: str, code: str) -> bool:
        """Delete one asset; False if it was not there."""
        path = f"asset-families/{segment(family)}/assets/{segment(code)}"
        return self._connection.delete(path)

    # Media files: streamed, never whole in memory.

    def create_ui_extension(self, item: JsonObject) -> None:
        """Create a UI extension; RefusedError where the PIM does not take it."""
        self._connection.send("POST", "ui-extensions", json=item)

    def update_ui_extension(self, uuid: str, item: JsonObject) -> None:
        """Change a UI extension of these credentials."""
        self._connection.send("PATCH", f"ui-extensions/{segment(uuid)}", json=item)

    def delete_ui_extension(self, uuid: str) -> bool:
        """Delete a UI extension; False where there is none any more."""
        return self._connection.delete(f"ui-extensions/{segment(uuid)}")

    def upload_asset_media(
        self, filename: str, content: Content, *, content_type: str | None = None
    ) -> str:
        """Upload one file and give its code, to be used as `data` of a media_file attribute.

        `content` is bytes, or a callable that opens the file anew for every try.
        """
        return upload(
            self._connection, "asset-media-files", filename, content, content_type=content_type
        )

    def upload_product_media(
        self,
        filename: str,
        content: Content,
        *,
        product: JsonObject | None = None,
        product_model: JsonObject | None = None,
        content_type: str | None = None,
    ) -> str:
        """Upload one file, link it to a value, and give its code.

        `product` is `{"identifier", "attribute", "locale", "scope"}`, `product_model` the same
        with `code`: exactly one of them, and it must exist in the PIM (RefusedError otherwise).
        """
        if (product is None) == (product_model is None):
            raise ValueError("exactly one of product and product_model says where the file goes")
        target = {"product": product} if product else {"product_model": product_model}
        return upload(
            self._connection,
            "media-files",
            filename,
            content,
            content_type=content_type,
            target=target,
        )

    def _products(
        self,
        path: str,
        lines: Sequence[JsonObject],
        create_missing_options: bool,
        passed: Passed | None,
    ) -> list[LineOutcome]:
        suffix = "?create_missing_options=true" if create_missing_options else ""
        return self._lines(path + suffix, lines, passed)

    def _lines(
        self, path: str, lines: Sequence[JsonObject], passed: Passed | None = None
    ) -> list[LineOutcome]:
        return upsert(self._connection, path, lines, NDJSON, passed=passed)


# `AkeneoClient`: one method per thing the connector asks of the PIM's REST API.
#
# The methods are in `reading` and `writing`. https://api.akeneo.com/api-reference.html


class AkeneoClient(Reading, Writing):
    """Speaks to one PIM with one set of credentials.

    Transient failures are waited out here, within the deadline; what still fails then is raised as
    TransientError, ConfigurationError or (single objects) RefusedError. Bulk upserts take at most
    100 lines and answer with one outcome per line, in order.

    `base_url` is the PIM's address without `/api/rest/v1`. `credentials` may be a callable that
    reads them: it is asked at once, and again when they are refused (rotation). `pace` keeps
    option writes within the PIM's three a second. `deadline` tells how many seconds are left.
    `transport`, `now`, `sleep` and `jitter` are for tests.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials | Callable[[], Credentials],
        *,
        pace: RateLimiter | None = None,
        token_store: TokenStore | None = None,
        deadline: Deadline = unlimited,
        tries: int = 6,
        timeout: httpx.Timeout | None = None,
        transport: httpx.BaseTransport | None = None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        auth = auth_for(credentials, token_store or MemoryTokenStore(), now=now)
        http = http_client(base_url, auth, timeout=timeout, transport=transport)
        retry_policy = RetryPolicy(
            tries=tries, deadline=deadline, now=now, sleep=sleep, jitter=jitter
        )
        self._connection = Connection(http, retry_policy)
        self._pace = pace or NoPace()

    def within(self, deadline: Deadline) -> AkeneoClient:
        """Return the same client (connections, token) bound by another deadline, for one
        invocation.

        `pim.within(lambda: context.get_remaining_time_in_millis() / 1000 - 20)`
        """
        bound = copy(self)
        bound._connection = self._connection.within(deadline)
        return bound

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> AkeneoClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
