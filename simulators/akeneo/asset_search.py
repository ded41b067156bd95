"""The filters of an asset list.

Source: https://api.akeneo.com/documentation/filter.html#filter-assets.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.akeneo.assets import Asset
from simulators.akeneo.phpjson import InvalidJsonError, decode
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import Refusal


def find_assets(pim: Pim, family: str, query: Mapping[str, str]) -> list[Asset]:
    """Assets of a family by code and by `updated`; raises `Refusal` 400 or 422."""
    found = pim.assets.all_of(family)
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
        return _in_time(pim, datetime.fromisoformat(asset.updated), operator, value)
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
