"""Finds the root product model of products, because that decides their lane."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pim_connector.akeneo import AkeneoClient
    from pim_connector.akeneo.reading import JsonObject

MOST_REMEMBERED = 50_000
PER_SEARCH = 100
"""Values of one IN filter (https://api.akeneo.com/documentation/filter.html)."""

Product = tuple[str, str]
"""Resource and identifier."""


class FamilyKeys:
    """Root model codes by product, asked of the PIM once in the life of a worker.

    A product's parent may change, but not its root model: Akeneo moves variants within one family
    of models only (https://api.akeneo.com/concepts/products.html#focus-on-product-models).
    Upper and lower case make no difference to the PIM, so they make none here.
    """

    def __init__(self) -> None:
        self._known: dict[Product, str] = {}

    def of(self, pim: AkeneoClient, products: Iterable[Product]) -> dict[Product, str]:
        """Give the lane's key of each product that the PIM has; the others are left out.

        At most three requests per 100 products: products, their models, the models of those. What
        the PIM's search index does not show yet counts as not there. Raises what the client raises.
        """
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        wanted = list(dict.fromkeys(products))
        parents = self._search(pim, wanted)
        grandparents = self._search(pim, _models(parents))
        self._search(pim, _models(grandparents))
        for product, parent in (*grandparents.items(), *parents.items()):
            root = self._known.get(_folded(("product_model", parent))) if parent else None
            if root is not None:
                self._known[product] = root
        known = {product: self._known.get(_folded(product)) for product in wanted}
        return {product: root for product, root in known.items() if root is not None}

    def _search(self, pim: AkeneoClient, wanted: list[Product]) -> dict[Product, str | None]:
        """Give the parents of those that are there; what has none is its own root."""
        found: dict[Product, str | None] = {}
        for resource in ("product", "product_model"):
            unknown = [p[1] for p in wanted if p[0] == resource and _folded(p) not in self._known]
            for product in search(pim, resource, unknown):
                identifier = str(product[_key(resource)])
                key = _folded((resource, identifier))
                found[key] = product.get("parent")
                if found[key] is None:
                    self._known[key] = identifier
        return found


def search(
    pim: AkeneoClient, resource: str, identifiers: list[str], **params: str
) -> Iterator[JsonObject]:
    """Give those products or product models that the PIM has: one request per 100."""
    listing = pim.list_products if resource == "product" else pim.list_product_models
    for start in range(0, len(identifiers), PER_SEARCH):
        condition = {"operator": "IN", "value": identifiers[start : start + PER_SEARCH]}
        yield from listing({"identifier": [condition]}, **params)


def _models(parents: dict[Product, str | None]) -> list[Product]:
    return list(dict.fromkeys(("product_model", parent) for parent in parents.values() if parent))


def _folded(product: Product) -> Product:
    return product[0], product[1].casefold()


def _key(resource: str) -> str:
    return "identifier" if resource == "product" else "code"
