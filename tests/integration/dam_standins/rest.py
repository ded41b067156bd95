"""DAMs that are asked by GET with parameters."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import httpx

from tests.integration.dam_standins.shelf import (
    Media,
    Shelf,
    answer,
    gone,
    iso,
    page,
    query,
    window,
)


def bynder(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"] == "Bearer token-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "name": one.title,
            "dateModified": iso(one.modified),
            "archive": 0,
            "isPublic": 1,
            "tags": ["red"],
            "original_filename": one.name,
            "thumbnails": {"webimage": f"https://cdn.bynder.com/{one.id}/webimage.jpg"},
        }

    values = query(request)
    match request.url.path:
        case "/api/v4/media/":
            assert values["orderBy"] == "dateModified asc"
            found = shelf.since(datetime.fromisoformat(values["dateModified"]), after=True)
            return answer([shown(one) for one in page(found, values, "page", "limit", 1)])
        case "/api/v4/trash/media/":
            moment = datetime.fromisoformat(values["dateRemoved"])
            rows = [
                {"id": one.id, "dateRemoved": iso(one.modified)}
                for _, one in shelf.removed
                if one.modified > moment
            ]
            return answer(page(rows, values, "page", "limit", 1))
        case path:
            one = shelf.find(path.split("/")[-2])
            return answer(shown(one)) if one else gone()


def canto(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    if request.url.path == "/oauth/api/oauth2/compatible/token":
        form = parse_qs(request.content.decode())
        assert form["grant_type"] == ["client_credentials"]
        return answer({"access_token": "for-an-hour"})
    assert request.headers["Authorization"] == "Bearer for-an-hour"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "name": one.name,
            "time": f"{one.modified:%Y%m%d%H%M%S}000",
            "scheme": "image",
            "tag": ["red"],
            "default": {"Name": one.title},
            "url": {"directUrlPreview": f"https://canto.example/direct/{one.id}"},
        }

    if request.url.path.startswith("/api/v1/image/"):
        one = shelf.find(request.url.path.rsplit("/", 1)[1])
        return answer(shown(one)) if one else gone()
    values = query(request)
    assert (values["sortBy"], values["sortDirection"]) == ("time", "descending")
    found = window(shelf.living()[::-1], values["start"], values["limit"])
    return answer({"found": len(shelf.living()), "results": [shown(one) for one in found]})


def acquia(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"] == "Bearer token-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "filename": one.name,
            "last_update_date": iso(one.modified),
            "deleted_date": iso(one.modified) if one.deleted else None,
            "metadata": {"fields": {"title": [one.title], "keywords": ["red"]}},
            "embeds": {"original": {"url": f"https://embed.widencdn.net/img/site/{one.id}"}},
        }

    if request.url.path != "/v2/assets/search":
        one = shelf.find(request.url.path.rsplit("/", 1)[1])
        return answer(shown(one)) if one else gone()
    values = query(request)
    text = values["query"].removeprefix("lastEditDate:[after ").removesuffix("]")
    deleted = values["include_deleted"] == "true"
    found = shelf.since(datetime.fromisoformat(text), after=True, deleted=deleted)
    rows = [shown(one) for one in window(found, values["offset"], values["limit"])]
    return answer({"items": rows, "total_count": len(found)})


def aem_assets(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    def shown(one: Media) -> dict[str, Any]:
        local = one.modified.astimezone(timezone(timedelta(hours=2)))
        return {
            "jcr:path": f"/content/dam/x/{one.name}",
            "jcr:uuid": one.id,
            "jcr:content": {
                "jcr:lastModified": f"{local:%a %b %d %Y %H:%M:%S GMT%z}",
                "cq:name": one.name,
                "metadata": {"dc:title": one.title, "cq:tags": ["red"]},
            },
        }

    values = query(request)
    assert request.url.path == "/bin/querybuilder.json"
    if values.get("property") == "jcr:uuid":
        one = shelf.find(values["property.value"])
        return answer({"success": True, "hits": [shown(one)] if one else []})
    assert values["orderby"] == "@jcr:content/jcr:lastModified"
    found = shelf.since(datetime.fromisoformat(values["daterange.lowerBound"]))
    hits = [shown(one) for one in window(found, values["p.offset"], values["p.limit"])]
    return answer({"success": True, "results": len(hits), "total": 8, "hits": hits})


def scaleflex(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["X-Filerobot-Key"] == "key-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "uuid": one.id,
            "name": one.name,
            "updated_at": iso(one.modified),
            "meta": {"title": one.title, "tags": ["red"]},
            "url": {"cdn": f"https://cdn.filerobot.com/{one.id}/{one.name}"},
        }

    if not request.url.path.endswith("/files"):
        one = shelf.find(request.url.path.rsplit("/", 1)[1])
        return answer({"status": "success", "file": shown(one)}) if one else gone()
    values = query(request)
    assert values["sort"] == "updated_at:asc"
    found = shelf.since(datetime.fromisoformat(values["updated_after"]), after=True)
    rows = [shown(one) for one in window(found, values["offset"], values["limit"])]
    return answer({"status": "success", "files": rows, "info": {"total_files_count": 3}})


def brandfolder(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"] == "Bearer key-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "type": "generic_files",
            "attributes": {
                "name": one.name,
                "tag_names": ["red"],
                "updated_at": f"{one.modified:%Y-%m-%dT%H:%M:%S}.000Z",
                "cdn_url": f"https://cdn.bfldr.com/{one.id}/{one.name}",
            },
        }

    if "/brandfolders/" not in request.url.path:
        one = shelf.find(request.url.path.rsplit("/", 1)[1])
        return answer({"data": shown(one), "included": []}) if one else gone()
    values = query(request)
    assert (values["sort_by"], values["order"]) == ("updated_at", "DESC")
    rows = [shown(one) for one in page(shelf.living()[::-1], values, "page", "per", 1)]
    return answer({"data": rows, "meta": {"total_count": 1}})


def contentful(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"] == "Bearer token-of-the-test"
    values = query(request)
    token = values.get("sync_token", "0/0")
    assert values.get("initial") == "true" or "sync_token" in values
    stamp, offset = (int(part) for part in token.split("/"))
    since = datetime.fromtimestamp(stamp, UTC)
    found = shelf.since(since, after=True, deleted=stamp > 0)
    rows = [
        {"sys": {"type": "DeletedAsset", "id": one.id}}
        if one.deleted
        else {
            "sys": {"type": "Asset", "id": one.id},
            "metadata": {"tags": [{"sys": {"id": "red"}}]},
            "fields": {
                "title": {"en-US": one.title},
                "file": {
                    "en-US": {"fileName": one.name, "url": f"//images.ctfassets.net/{one.id}"}
                },
            },
        }
        for one in found[offset : offset + 15]
    ]
    address = f"https://cdn.contentful.com{request.url.path}?sync_token="
    if offset + 15 < len(found):
        return answer({"items": rows, "nextPageUrl": f"{address}{stamp}/{offset + 15}"})
    newest = max((one.modified for one in shelf.living(deleted=True)), default=since)
    return answer({"items": rows, "nextSyncUrl": f"{address}{int(newest.timestamp())}/0"})


def directus(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"] == "Bearer token-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.id,
            "title": one.title,
            "filename_download": one.name,
            "tags": ["red"],
            "modified_on": f"{one.modified:%Y-%m-%dT%H:%M:%S}.000Z",
        }

    values = query(request)
    match request.url.path:
        case "/files":
            assert values["sort"] == "modified_on,id"
            found = shelf.since(datetime.fromisoformat(values["filter[modified_on][_gte]"]))
            rows = window(found, values["offset"], values["limit"])
            return answer({"data": [shown(one) for one in rows]})
        case "/activity":
            first = int(values["filter[id][_gte]"])
            rows = [(number, one) for number, one in shelf.removed if number >= first]
            body = [{"id": number, "action": "delete", "item": one.id} for number, one in rows]
            return answer({"data": body[: int(values["limit"])]})
        case path:
            one = shelf.find(path.rsplit("/", 1)[1])
            return answer({"data": shown(one)}) if one else answer({"errors": [{}]}, 403)


def resourcespace(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    signed, _, sign = request.url.query.decode().rpartition("&sign=")
    assert sign == hashlib.sha256(f"key-of-the-test{signed}".encode()).hexdigest()

    def shown(one: Media) -> dict[str, Any]:
        return {
            "ref": one.number,
            "field8": one.title if one.title == "Changed" else one.name,
            "archive": 0,
            "modified": f"{one.modified:%Y-%m-%d %H:%M:%S}",
            "file_extension": "jpg",
        }

    values = query(request)
    if values["function"] == "get_resource_data":
        one = shelf.find(values["resource"])
        return answer(shown(one) if one else False)
    offset, rows = values["fetchrows"].split(",")
    found = window(shelf.living()[::-1], offset, rows)
    return answer({"total": 8, "data": [shown(one) for one in found]})


def nuxeo(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["X-NXproperties"] == "dublincore, file, common"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "entity-type": "document",
            "uid": one.id,
            "title": one.title,
            "isTrashed": one.deleted,
            "properties": {
                "dc:modified": f"{one.modified:%Y-%m-%dT%H:%M:%S}.000Z",
                "file:content": {"name": one.name},
                "nxtag:tags": [{"label": "red"}],
            },
        }

    if "/id/" in request.url.path:
        one = shelf.media.get(request.url.path.rsplit("/", 1)[1])
        return answer(shown(one)) if one else gone()
    values = query(request)
    text = values["query"].split("TIMESTAMP '")[1].split("'")[0]
    found = shelf.since(datetime.fromisoformat(f"{text}+00:00"), deleted=True)
    rows = page(found, values, "currentPageIndex", "pageSize", 0)
    return answer({"entity-type": "documents", "entries": [shown(one) for one in rows]})


def strapi(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Authorization"] == "Bearer token-of-the-test"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.number,
            "name": one.name,
            "alternativeText": one.title,
            "updatedAt": f"{one.modified:%Y-%m-%dT%H:%M:%S}.000Z",
            "url": f"/uploads/{one.name}",
        }

    if not request.url.path.endswith("/page"):
        one = shelf.find(request.url.path.rsplit("/", 1)[1])
        return answer(shown(one)) if one else gone()
    values = query(request)
    assert values["sort"] == "updatedAt:asc"
    found = shelf.since(datetime.fromisoformat(values["filters[updatedAt][$gte]"]))
    rows = page(found, values, "pagination[page]", "pagination[pageSize]", 1)
    return answer({"results": [shown(one) for one in rows], "pagination": {"total": len(found)}})


def plone(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    assert request.headers["Accept"] == "application/json"
    if request.url.path.endswith("/@login"):
        assert json.loads(request.content)["password"] == "test"
        return answer({"token": "from-login"})
    assert request.headers["Authorization"] == "Bearer from-login"

    def shown(one: Media) -> dict[str, Any]:
        return {
            "@id": f"https://plone.example/site/{one.name}",
            "UID": one.id,
            "Title": one.title,
            "getId": one.name,
            "modified": f"{one.modified:%Y-%m-%dT%H:%M:%S}+00:00",
            "Subject": ["red"],
        }

    values = query(request)
    assert request.url.path == "/site/@search"
    assert "metadata_fields=UID&metadata_fields=modified" in request.url.query.decode()
    if "UID" in values:
        one = shelf.find(values["UID"])
        return answer({"items": [shown(one)] if one else [], "items_total": 1})
    minute = datetime.fromisoformat(values["modified.query"]).replace(second=0, microsecond=0)
    found = window(shelf.since(minute), values["b_start"], values["b_size"])
    return answer({"items": [shown(one) for one in found], "items_total": 3})


def wagtail(request: httpx.Request, shelf: Shelf) -> httpx.Response:
    """As a Wagtail 8 answered: no time of change, and never more than 20."""

    def shown(one: Media) -> dict[str, Any]:
        return {
            "id": one.number,
            "meta": {
                "type": "wagtailimages.Image",
                "tags": ["red"],
                "download_url": f"/media/original_images/{one.name}",
            },
            "title": one.title,
        }

    path = request.url.path.rstrip("/")
    if path != "/api/v2/images":
        one = shelf.find(path.rsplit("/", 1)[1])
        return answer(shown(one)) if one else gone()
    values = query(request)
    if int(values["limit"]) > 20:
        return answer({"message": "limit cannot be higher than 20"}, 400)
    found = sorted(shelf.living(), key=lambda one: one.number)
    rows = window(found, values["offset"], values["limit"])
    return answer({"meta": {"total_count": len(found)}, "items": [shown(one) for one in rows]})
