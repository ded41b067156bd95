"""Assets as GET gives them."""

from typing import Any

from simulators.akeneo.assets import Asset
from simulators.akeneo.pim import Pim


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
