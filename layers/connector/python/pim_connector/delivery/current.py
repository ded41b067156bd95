"""What the PIM holds now, for those decisions that cannot be made without it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pim_connector.delta import Current

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.delivery.line import Line


def read_current(pim: AkeneoClient, lines: Sequence[Line]) -> dict[int, Current]:
    """Give what the PIM holds of up to 100 products, by record number: one call, mostly.

    The list endpoints read an index that lags behind
    (https://api.akeneo.com/documentation/troubleshooting.html), so a product that the ledger
    knows and the list does not is asked for by itself.
    """
    found = dict(_listed(pim, lines))
    current: dict[int, Current] = {}
    for line in lines:
        product = found.get(line.mapped.identifier.casefold())
        if product is None and line.entry is not None:
            product = _single(pim, line)
        current[line.record.number] = Current(product=product)
    return current


def _listed(pim: AkeneoClient, lines: Sequence[Line]) -> Iterator[tuple[str, dict[str, Any]]]:
    identifiers = sorted({line.mapped.identifier for line in lines})
    if not identifiers:
        return
    condition = [{"operator": "IN", "value": identifiers}]
    if lines[0].mapped.resource == "product_model":
        for model in pim.list_product_models({"identifier": condition}):
            yield model["code"].casefold(), model
    elif lines[0].mapped.uuid is not None:
        for product in pim.list_products_uuid({"uuid": condition}):
            yield product["uuid"].casefold(), product
    else:
        key = lines[0].mapped.identifier_attribute
        for product in pim.list_products({key: condition}):
            yield product["identifier"].casefold(), product


def _single(pim: AkeneoClient, line: Line) -> dict[str, Any] | None:
    if line.mapped.resource == "product_model":
        return pim.get_product_model(line.mapped.identifier)
    if line.mapped.uuid is not None:
        return pim.get_product_uuid(line.mapped.uuid)
    return pim.get_product(line.mapped.identifier)
