"""The Asset Manager's routes: families, their attributes and options, assets and their files."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.responses import Response

from simulators.akeneo.asset_structure import (
    attribute_row,
    family_row,
    write_attribute,
    write_family,
    write_option,
)
from simulators.akeneo.asset_writes import write_asset
from simulators.akeneo.media import parts_of
from simulators.akeneo.media_endpoints import file_answer
from simulators.akeneo.paging import page_of, paged
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.pim import Asset, Pim
from simulators.akeneo.refusal import Refusal
from simulators.akeneo.routing import (
    Call,
    Endpoint,
    delete,
    get,
    json_answer,
    patch,
    upload,
    written_answer,
)
from simulators.akeneo.stream import array_answer
from simulators.akeneo.structure_resources import as_api


def asset_json(pim: Pim, asset: Asset, base: str) -> dict[str, Any]:
    """One asset; `base` is the API's root URL for media links."""
    attributes = pim.catalog.asset_attributes.get(asset.family, {})
    values: dict[str, list[dict[str, Any]]] = {}
    for (code, channel, locale), data in asset.values.items():
        attribute = attributes.get(code, {})
        entry = {"locale": locale, "channel": channel, "data": data}
        entry["attribute_type"] = attribute.get("type")
        entry |= _linked(pim, attribute, data, base)
        values.setdefault(code, []).append(entry)
    return {
        "code": asset.code,
        "values": values,
        "created": asset.created,
        "updated": asset.updated,
    }


def _linked(pim: Pim, attribute: dict[str, Any], data: Any, base: str) -> dict[str, Any]:
    kind = attribute.get("type")
    if kind == "media_link":
        prefix, suffix = attribute.get("prefix") or "", attribute.get("suffix") or ""
        linked = {"full_url": f"{prefix}{data}{suffix}", "prefix": prefix, "suffix": suffix}
        return {"linked_data": linked}
    file = pim.assets.media.files.get(data) if kind == "media_file" else None
    if file is None:
        return {}
    return {
        "_links": {"download": {"href": f"{base}/asset-media-files/{file.key}"}},
        "linked_data": {
            "size": file.size,
            "mime_type": file.mime_type,
            "extension": file.extension,
            "original_filename": file.filename,
        },
    }


def find_items(pim: Pim, items: list[Asset], query: Mapping[str, str]) -> list[Asset]:
    """Assets or records by code and by `updated`; raises `Refusal` 400 or 422."""
    found = items
    if "search" not in query:
        return found
    try:
        search = decode(query["search"].encode())
    except InvalidJsonError:
        raise Refusal(400, "The search parameter must be valid JSON.") from None
    for field, entries in search.items() if isinstance(search, dict) else ():
        for entry in entries if isinstance(entries, list) else [entries]:
            found = [asset for asset in found if _passes(pim, asset, field, entry)]
    return found


def _passes(pim: Pim, asset: Asset, field: str, entry: Any) -> bool:
    operator = entry.get("operator") if isinstance(entry, dict) else None
    value = entry.get("value") if isinstance(entry, dict) else None
    if field == "code" and operator == "IN" and isinstance(value, list):
        return asset.code.lower() in {str(code).lower() for code in value}
    if field == "updated":
        moment = asset.updated or "1970-01-01T00:00:00+00:00"
        return _in_time(pim, datetime.fromisoformat(moment), operator, value)
    raise Refusal(422, f'The filter "{field}" with the operator "{operator}" is not supported.')


def _in_time(pim: Pim, updated: datetime, operator: Any, value: Any) -> bool:
    if operator == "SINCE LAST N DAYS":
        return updated > pim.now().astimezone(UTC) - timedelta(days=float(value))
    try:
        texts = value if isinstance(value, list) else [value]
        moments = [datetime.fromisoformat(str(text).replace("Z", "+00:00")) for text in texts]
    except ValueError:
        raise Refusal(422, f'"{value}" is not a date in the ISO 8601 format.') from None
    match operator:
        case ">":
            return updated > moments[0]
        case "<":
            return updated < moments[0]
        case "BETWEEN":
            return moments[0] <= updated <= moments[-1]
        case "NOT BETWEEN":
            return not moments[0] <= updated <= moments[-1]
    raise Refusal(422, f'The operator "{operator}" is not supported on "updated".')


FAMILIES = "/asset-families"


def _list_families(call: Call) -> Response:
    rows = sorted(call.pim.catalog.rows["asset_families"].values(), key=lambda row: row["code"])
    page = page_of(f"{call.base}{FAMILIES}", call.request.query_params, keyset_only=True)

    def show(row: dict[str, Any]) -> dict[str, Any]:
        link = {"self": {"href": f"{call.base}{FAMILIES}/{row['code']}"}}
        return {"_links": link, **as_api(family_row(call.pim, row["code"]))}

    return json_answer(paged(page, rows, lambda row: str(row["code"]), show))


def _get_family(call: Call) -> Response:
    return json_answer(as_api(family_row(call.pim, call.params["family"])))


def _patch_family(call: Call) -> Response:
    code = call.params["family"]
    status = write_family(call.pim, code, call.object())
    return written_answer(call, status, "asset-families", code)


def _list_attributes(call: Call) -> Response:
    family = family_row(call.pim, call.params["family"])["code"]
    rows = call.pim.catalog.asset_attributes.get(family, {}).values()
    return json_answer([as_api(row) for row in rows])


def _get_attribute(call: Call) -> Response:
    row = attribute_row(call.pim, call.params["family"], call.params["attribute"])
    return json_answer(as_api(row))


def _patch_attribute(call: Call) -> Response:
    family, code = call.params["family"], call.params["attribute"]
    status = write_attribute(call.pim, family, code, call.object())
    return written_answer(call, status, "asset-families", family, "attributes", code)


def _options(call: Call) -> dict[str, dict[str, Any]]:
    family, attribute = call.params["family"], call.params["attribute"]
    attribute_row(call.pim, family, attribute)
    return call.pim.catalog.asset_options.get((family, attribute), {})


def _list_options(call: Call) -> Response:
    return json_answer([as_api(row) for row in _options(call).values()])


def _get_option(call: Call) -> Response:
    code = call.params["code"]
    row = _options(call).get(code)
    if row is None:
        raise Refusal(404, f'Option "{code}" does not exist for this attribute.')
    return json_answer(as_api(row))


def _patch_option(call: Call) -> Response:
    family, attribute, code = (call.params[key] for key in ("family", "attribute", "code"))
    status = write_option(call.pim, family, attribute, code, call.object())
    path = ("asset-families", family, "attributes", attribute, "options", code)
    return written_answer(call, status, *path)


def _list_assets(call: Call) -> Response:
    family = family_row(call.pim, call.params["family"])["code"]
    query = call.request.query_params
    path = f"{call.base}{FAMILIES}/{family}/assets"
    page = page_of(path, query, keyset_only=True)

    def show(asset: Asset) -> dict[str, Any]:
        link = {"self": {"href": f"{path}/{asset.code}"}}
        return {"_links": link, **asset_json(call.pim, asset, call.base)}

    found = find_items(call.pim, call.pim.assets.all_of(family), query)
    return json_answer(paged(page, found, lambda asset: asset.code, show))


def _get_asset(call: Call) -> Response:
    family, code = call.params["family"], call.params["code"]
    family_row(call.pim, family)
    asset = call.pim.assets.get(family, code)
    if asset is None:
        raise Refusal(404, f'Asset "{code}" does not exist for the asset family "{family}".')
    return json_answer(asset_json(call.pim, asset, call.base))


def _patch_asset(call: Call) -> Response:
    family, code = call.params["family"], call.params["code"]
    family_row(call.pim, family)
    status = write_asset(call.pim, family, code, call.object())
    return written_answer(call, status, "asset-families", family, "assets", code)


def _patch_assets(call: Call) -> Response:
    family = family_row(call.pim, call.params["family"])["code"]
    return array_answer(call, lambda body: write_asset(call.pim, family, None, body))


def _delete_asset(call: Call) -> Response:
    family, code = call.params["family"], call.params["code"]
    family_row(call.pim, family)
    if not call.pim.assets.remove(family, code):
        raise Refusal(404, f'Asset "{code}" does not exist for the asset family "{family}".')
    return Response(status_code=204)


def _upload(call: Call) -> Response:
    part = parts_of(call.request.headers.get("content-type", ""), call.body).get("file")
    if part is None or part.filename is None:
        raise Refusal(422, 'Property "file" is required.')
    key = call.pim.assets.media.store(part.filename, part.content).key
    headers = {"Location": f"{call.base}/asset-media-files/{key}", "Asset-media-file-code": key}
    return Response(status_code=201, headers=headers)


def _download(call: Call) -> Response:
    key = call.params["code"]
    file = call.pim.assets.media.files.get(key)
    if file is None:
        raise Refusal(404, f'Media file "{key}" does not exist.')
    return file_answer(file)


def asset_endpoints() -> Iterator[Endpoint]:
    """Asset families, their structure, their assets, and the assets' files: Enterprise only."""
    return (replace(endpoint, needs="enterprise") for endpoint in _endpoints())


def _endpoints() -> Iterator[Endpoint]:
    family = f"{FAMILIES}/{{family}}"
    attribute = f"{family}/attributes/{{attribute}}"
    yield get(FAMILIES, _list_families, "asset_family")
    yield get(family, _get_family, "asset_family")
    yield patch(family, _patch_family, "asset_family")
    yield get(f"{family}/attributes", _list_attributes, "asset_family")
    yield get(attribute, _get_attribute, "asset_family")
    yield patch(attribute, _patch_attribute, "asset_family")
    yield get(f"{attribute}/options", _list_options, "asset_family")
    yield get(f"{attribute}/options/{{code}}", _get_option, "asset_family")
    yield patch(f"{attribute}/options/{{code}}", _patch_option, "asset_family")
    yield get(f"{family}/assets", _list_assets, "asset")
    yield patch(f"{family}/assets", _patch_assets, "asset")
    yield get(f"{family}/assets/{{code}}", _get_asset, "asset")
    yield patch(f"{family}/assets/{{code}}", _patch_asset, "asset")
    yield delete(f"{family}/assets/{{code}}", _delete_asset, "asset")
    yield upload("/asset-media-files", _upload, "asset")
    yield get("/asset-media-files/{code:path}", _download, "asset")
