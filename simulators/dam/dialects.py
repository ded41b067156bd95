"""One DAM in the API styles that DAMs have: the same assets, asked for in nine ways."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

from simulators.dam.library import Asset, Version
from simulators.dam.listing import Found, Listing, Row, printed, read
from simulators.dam.requests import Answered, Asked, BadRequestError

Dialect = Callable[[Listing, Asked], Answered]


def item(listing: Listing, asset: Asset, version: Version, origin: str) -> dict[str, Any]:
    """Print an asset as all dialects do."""
    habits = listing.library.habits
    stable = f"{origin}/files/{asset.id}.png"
    shown = {
        "id": asset.id,
        **version.properties,
        "created_at": printed(asset.created, habits),
        "updated_at": printed(version.stamp, habits),
        "mime_type": "image/png",
        "url": stable,
        "metadata": [
            {"name": "Title", "value": version.properties.get("title")},
            {"name": "Version", "value": version.properties.get("version")},
        ],
    }
    if habits.expiring_urls:
        until = listing.library.now() // 1_000_000 + int(habits.url_lifetime_s)
        shown["url"] = f"{stable}?Expires={until}&Signature={asset.id}{until}"
    if habits.deleted_in_list:
        shown["deleted"] = version.deleted
    return shown


def page_numbers(listing: Listing, asked: Asked) -> Answered:
    """`?page=1&per_page=100&updated_after=…&sort=updated_at`; `{"data": […], "meta": {…}}`."""
    page, size = _number(asked, "page", 1), _number(asked, "per_page", 100)
    found = _find(listing, asked.params, offset=(page - 1) * size, limit=size)
    body: dict[str, Any] = {"data": _items(listing, found, asked)}
    if listing.library.habits.total != "absent":
        body["meta"] = {"total": found.total, "page": page}
    return Answered(body=body)


def offsets(listing: Listing, asked: Asked) -> Answered:
    """`?offset=0&limit=100&filter[updated_at][_gte]=…&sort=-updated_at`; as Directus writes."""
    params = asked.params
    params["updated_after"] = params.get("filter[updated_at][_gte]", "")
    found = _find(
        listing, params, offset=_number(asked, "offset", 0), limit=_number(asked, "limit", 100)
    )
    return Answered(
        body={"data": _items(listing, found, asked), "meta": {"filter_count": found.total}}
    )


def cursors(listing: Listing, asked: Asked) -> Answered:
    """`?cursor=…&limit=100`; `{"items": […], "next_cursor": …}`, none on the last page."""
    found = _after(listing, asked)
    return Answered(body={"items": _items(listing, found, asked), "next_cursor": _cursor_of(found)})


def next_urls(listing: Listing, asked: Asked) -> Answered:
    """`{"results": […], "paging": {"next": "https://…"}}`, null on the last page."""
    found = _after(listing, asked)
    return Answered(
        body={"results": _items(listing, found, asked), "paging": {"next": _url(asked, found)}}
    )


def link_headers(listing: Listing, asked: Asked) -> Answered:
    """A bare list, and `Link: <…>; rel="next"`."""
    found = _after(listing, asked)
    url = _url(asked, found)
    headers = {"Link": f'<{asked.url}>; rel="self", <{url}>; rel="next"'} if url else {}
    return Answered(body=_items(listing, found, asked), headers=headers)


def header_cursors(listing: Listing, asked: Asked) -> Answered:
    """A bare list, and the next page's cursor in `X-Next-Cursor`."""
    found = _after(listing, asked)
    cursor = _cursor_of(found)
    return Answered(
        body=_items(listing, found, asked), headers={"X-Next-Cursor": cursor} if cursor else {}
    )


def graphql(listing: Listing, asked: Asked) -> Answered:
    """POST `{"query", "variables": {"since", "limit", "after", "descending"}}`."""
    body = asked.json()
    variables = body.get("variables") if isinstance(body, dict) else None
    if not isinstance(variables, dict) or "assets" not in str(body.get("query")):
        return Answered(body={"errors": [{"message": "Cannot query this"}], "data": None})
    if not isinstance(variables.get("limit"), int):
        message = 'Variable "$limit" of type Int! got a value that is no Int'
        return Answered(body={"errors": [{"message": message}], "data": None})
    params = {
        "updated_after": variables.get("since") or "",
        "sort": "-updated_at" if variables.get("descending") else "updated_at",
    }
    found = _find(
        listing, params, limit=variables["limit"], after=_key(variables.get("after")), keyed=True
    )
    nodes = _items(listing, found, asked)
    info = {"hasNextPage": found.more, "endCursor": _cursor(found.last_key)}
    return Answered(body={"data": {"assets": {"nodes": nodes, "pageInfo": info}}})


def sync_feed(listing: Listing, asked: Asked) -> Answered:
    """`?initial=true`, then the addresses it gives: `nextPageUrl`, at the end `nextSyncUrl`.

    Deleted assets are in it, as `{"id": …, "type": "DeletedAsset"}`, like in Contentful's Sync API.
    """
    token = asked.params.get("sync_token")
    if token is None and asked.params.get("initial") != "true":
        raise BadRequestError("either initial=true or sync_token")
    kept = listing.library.habits.deleted_in_list
    listing.library.habits.deleted_in_list = True
    found = listing.find(after=_key(token), limit=_number(asked, "limit", 100), keyed=True)
    listing.library.habits.deleted_in_list = kept
    items = [
        {"id": asset.id, "type": "DeletedAsset"}
        if version.deleted
        else {**item(listing, asset, version, asked.origin), "type": "Asset"}
        for asset, version in found.assets
    ]
    mark = _cursor(found.last_key) or token or _cursor((0, ""))
    url = f"{asked.origin}{asked.path}?sync_token={mark}"
    return Answered(body={"items": items, "nextPageUrl" if found.more else "nextSyncUrl": url})


def deletions(listing: Listing, asked: Asked) -> Answered:
    """`?after=12&limit=100`: what was deleted, by serial number, visible ones only."""
    library = listing.library
    if not library.habits.deletion_feed:
        return Answered(status=404, body={"error": "there is no such thing here"})
    after, limit = _number(asked, "after", 0), _number(asked, "limit", 100)
    now = library.now()
    rows = sorted(
        (serial, asset_id, visible)
        for visible, serial, asset_id in library.deletions
        if visible <= now and serial >= after
    )
    body = [
        {"serial": serial, "item": asset_id, "at": printed(visible, library.habits)}
        for serial, asset_id, visible in rows[: limit if limit > 0 else 0]
    ]
    return Answered(body={"data": body})


DIALECTS: dict[str, Dialect] = {
    "/page/assets": page_numbers,
    "/offset/assets": offsets,
    "/cursor/assets": cursors,
    "/next/assets": next_urls,
    "/link/assets": link_headers,
    "/header/assets": header_cursors,
    "/graphql": graphql,
    "/sync": sync_feed,
    "/deletions": deletions,
}


def _find(listing: Listing, params: Mapping[str, str], **where: Any) -> Found:
    since: int | None = None
    if text := params.get("updated_after"):
        try:
            since = read(text, listing.library.habits)
        except ValueError as error:
            raise BadRequestError(f"updated_after: {text!r} is no date") from error
    sort = params.get("sort") or "updated_at"
    if sort not in ("updated_at", "-updated_at", "id"):
        raise BadRequestError(f"sort: {sort!r}; updated_at, -updated_at or id")
    descending, by_id = sort.startswith("-"), sort == "id"
    return listing.find(since=since, descending=descending, by_id=by_id, **where)


def _after(listing: Listing, asked: Asked) -> Found:
    key = _key(asked.params.get("cursor"))
    return _find(listing, asked.params, limit=_number(asked, "limit", 100), after=key, keyed=True)


def _items(listing: Listing, found: Found, asked: Asked) -> list[dict[str, Any]]:
    return [item(listing, asset, version, asked.origin) for asset, version in found.assets]


def _number(asked: Asked, name: str, default: int) -> int:
    try:
        return int(asked.params.get(name, default))
    except ValueError as error:
        raise BadRequestError(f"{name} must be a whole number") from error


def _url(asked: Asked, found: Found) -> str | None:
    cursor = _cursor_of(found)
    if cursor is None:
        return None
    return f"{asked.origin}{asked.path}?{urlencode({**asked.params, 'cursor': cursor})}"


def _cursor_of(found: Found) -> str | None:
    return _cursor(found.last_key) if found.more else None


def _cursor(key: Row | None) -> str | None:
    return None if key is None else base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _key(cursor: Any) -> Row | None:
    if not cursor:
        return None
    try:
        stamp, asset_id = json.loads(base64.urlsafe_b64decode(str(cursor)))
    except (ValueError, TypeError) as error:
        raise BadRequestError("cursor: not one of ours") from error
    return int(stamp), str(asset_id)
