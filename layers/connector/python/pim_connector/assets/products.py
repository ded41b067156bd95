"""Finds the root product model of products, because that decides their lane."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient

MOST_REMEMBERED = 50_000
PER_SEARCH = 100
"""Values of one IN filter (https://api.akeneo.com/documentation/filter.html)."""

Product = tuple[str, str]
"""Resource and identifier."""


class FamilyKeys:
    """Root model codes by product, asked of the PIM once in the life of a worker.

    A product's parent may change, but not its root model: Akeneo moves variants within one family
    of models only (https://api.akeneo.com/concepts/products.html#focus-on-product-models).
    """

    def __init__(self) -> None:
        self._known: dict[Product, str] = {}

    def of(self, pim: AkeneoClient, products: Iterable[Product]) -> dict[Product, str]:
        """Give the lane's key of each product that the PIM has; the others are left out.

        One request per 100 products, and one for each that the PIM's index does not know yet.
        Raises what the client raises.
        """
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        wanted = list(dict.fromkeys(products))
        unknown = [p[1] for p in wanted if p[0] == "product" and p not in self._known]
        for start in range(0, len(unknown), PER_SEARCH):
            condition = {"operator": "IN", "value": unknown[start : start + PER_SEARCH]}
            for found in pim.list_products({"identifier": [condition]}):
                self._learn(pim, "product", str(found["identifier"]), found)
        for resource, identifier in wanted:
            self._root(pim, resource, identifier)
        return {product: self._known[product] for product in wanted if product in self._known}

    def _root(self, pim: AkeneoClient, resource: str, identifier: str) -> str | None:
        known = self._known.get((resource, identifier))
        if known is not None:
            return known
        if resource == "product":
            found = pim.get_product(identifier)
        else:
            found = pim.get_product_model(identifier)
        return None if found is None else self._learn(pim, resource, identifier, found)

    def _learn(
        self, pim: AkeneoClient, resource: str, identifier: str, found: dict[str, Any]
    ) -> str:
        parent = found.get("parent")
        root = self._root(pim, "product_model", str(parent)) if parent else None
        self._known[resource, identifier] = root or identifier
        return self._known[resource, identifier]
