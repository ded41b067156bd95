"""What a user's own export says, compared with what the PIM has.

Nobody worked out beforehand what has to come of it, so the mapping says it: this proves that what
was mapped arrived, and not that the mapping is right. `preview` shows what it makes of each record.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.demo.arrival import plain

if TYPE_CHECKING:
    from pim_connector.akeneo.client import AkeneoClient
    from pim_connector.mapping.results import Mapped, Slot

COMPARED = ("family", "parent", "enabled", "categories", "values")
SENT = ("on_change", "always")


def differences(
    file: Path, mapping: Path, client: AkeneoClient, rejected: Collection[str]
) -> Iterator[str]:
    """Say every value of the file that the PIM does not have; `rejected` identifiers are left out.

    Files, associations and values that only a new product gets are not compared.
    """
    for mapped in _last_by_identifier(file, mapping, client).values():
        if mapped.identifier in rejected:
            continue
        found = _read(client, mapped)
        if found is None:
            if mapped.mode != "update_only":
                yield f"{mapped.identifier} is not in the PIM"
            continue
        for slot in mapped.slots:
            if slot.key[0] in COMPARED and slot.owner in SENT:
                has = _data(found, slot)
                if not _same(slot.data, has):
                    name = " ".join(part for part in slot.key[-3:] if part)
                    yield f"{mapped.identifier}, {name}: sent {slot.data!r}, the PIM has {has!r}"


def _last_by_identifier(file: Path, mapping: Path, client: AkeneoClient) -> dict[str, Mapped]:
    from pim_connector.akeneo.structure_cache import fetch_structure
    from pim_connector.erp.reader import read_records
    from pim_connector.mapping.compiling import compile_mapping
    from pim_connector.mapping.loading import load_mapping
    from pim_connector.mapping.results import Mapped

    compiled = compile_mapping(load_mapping(mapping.read_bytes(), name=str(mapping)))
    structure = fetch_structure(client)
    results = (
        compiled.map(record, structure)
        for record in read_records(lambda: file.open("rb"), compiled)
    )
    return {result.identifier: result for result in results if isinstance(result, Mapped)}


def _read(client: AkeneoClient, mapped: Mapped) -> dict[str, Any] | None:
    if mapped.resource == "product_model":
        return client.get_product_model(mapped.identifier)
    if mapped.uuid:
        return client.get_product_uuid(mapped.uuid)
    return client.get_product(mapped.identifier)


def _data(found: dict[str, Any], slot: Slot) -> Any:
    if slot.key[0] != "values":
        return found.get(slot.key[0])
    _, attribute, locale, scope = slot.key
    for value in found["values"].get(attribute, []):
        if (value["locale"] or "", value["scope"] or "") == (locale, scope):
            return value["data"]
    return None


def _same(sent: Any, has: Any) -> bool:
    sent, has = plain(sent), plain(has)
    if sent in (None, "", []):
        return has in (None, "", [])
    if isinstance(sent, dict) or isinstance(has, dict):
        return str(sent) == str(has)
    return bool(sent == has) or _number(sent) == _number(has) is not None


def _number(data: Any) -> Decimal | None:
    try:
        return Decimal(str(data))
    except InvalidOperation:
        return None
