"""DAMs that are asked by POST with a JSON body."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.integration.dam_standins.shelf import Media, Shelf, answer, gone, iso, window


def cloudinary(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"].startswith("Basic ")

    def shown(one: Media) -> dict[str, Any]:
        return {
            "asset_id": one.id,
            "public_id": f"folder/{one.name[:-4]}",
            "format": "jpg",
            "filename": one.name[:-4],
            "display_name": one.title,
            "tags": ["red"],
            "last_updated": {"updated_at": iso(one.modified)},
            "secure_url": f"https://res.cloudinary.com/x/image/upload/v1/folder/{one.name}",
        }

    if request.method == "GET":
        one = shelf.find(request.url.path.rsplit("/", 1)[1])
        return answer(shown(one)) if one else gone()
    body = json.loads(request.content)
    assert isinstance(body["max_results"], int)
    text = body["expression"].split('"')[1]
    found = shelf.since(datetime.fromisoformat(text))
    offset = int(body.get("next_cursor", 0))
    rows = window(found, offset, body["max_results"])
    cursor = {"next_cursor": str(offset + len(rows))} if offset + len(rows) < len(found) else {}
    return answer({"total_count": 2, "resources": [shown(one) for one in rows], **cursor})


def frontify(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "title": one.title,
            "modifiedAt": iso(one.modified),
            "filename": one.name,
            "tags": [{"value": "red"}],
            "previewUrl": f"https://media.ffycdn.net/eu/x/{one.id}.jpg",
            "customMetadata": [{"property": {"name": "SKU"}, "value": one.name}],
        }

    variables = json.loads(request.content)["variables"]
    if "library" not in variables:
        one = shelf.find(variables["id"])
        return answer({"data": {"asset": shown(one) if one else None}})
    assert isinstance(variables["page"], int)
    ordered = sorted(shelf.living(), key=lambda one: one.number)
    start = (variables["page"] - 1) * variables["limit"]
    rows = ordered[start : start + variables["limit"]]
    more = start + len(rows) < len(ordered)
    assets = {"hasNextPage": more, "items": [shown(one) for one in rows]}
    return answer({"data": {"library": {"assets": assets}}})


def pimcore(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.url.query == b"apikey=key-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": str(one.number),
            "filename": one.name,
            "fullpath": f"/shop/{one.name}",
            "modificationDate": int(one.modified.timestamp()),
            "tags": [{"name": "red"}],
            "metadata": [{"name": "title", "data": one.title, "language": None}],
        }

    variables = json.loads(request.content)["variables"]
    if "id" in variables:
        one = shelf.find(str(variables["id"]))
        return answer({"data": {"getAsset": shown(one) if one else None}})
    since = json.loads(variables["filter"])["modificationDate"]["$gte"]
    found = shelf.since(datetime.fromtimestamp(since, UTC))
    rows = window(found, variables["after"], variables["first"])
    edges = [{"node": shown(one)} for one in rows]
    return answer({"data": {"getAssetListing": {"edges": edges, "totalCount": 1}}})


def directus_graphql(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    """As a Directus 11 answered: stamps without a zone, null for a file that is gone."""

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "title": one.title,
            "tags": ["red"],
            "filename_download": one.name,
            "modified_on": f"{one.modified:%Y-%m-%dT%H:%M:%S}",
        }

    body = json.loads(request.content)
    if request.url.path == "/auth/login":
        assert body == {"email": "test", "password": "test"}
        return answer({"data": {"access_token": "from-login", "expires": 900000}})
    assert request.headers["Authorization"] == "Bearer from-login"
    variables = body["variables"]
    if "id" in variables:
        one = shelf.find(variables["id"])
        return answer({"data": {"files_by_id": shown(one) if one else None}})
    assert isinstance(variables["limit"], int)
    found = shelf.since(datetime.fromisoformat(variables["since"]))
    rows = window(found, variables["offset"], variables["limit"])
    return answer({"data": {"files": [shown(one) for one in rows]}})
