"""What the PIM holds, as the oracle writes it: texts by attribute or field."""

from __future__ import annotations

from simulators.akeneo.pim import Pim, Product, ProductModel


def texts(pim: Pim, entity: Product | ProductModel) -> dict[str, str]:
    """Read a product or model: values, categories, parent, and of products state and links."""
    values = {code: str(data) for (code, _, _), data in entity.values.items()}
    more = {"categories": ",".join(entity.categories), "parent": entity.parent or ""}
    if isinstance(entity, Product):
        more |= {"enabled": str(entity.enabled)} | _links(pim, entity)
    return values | more


def _links(pim: Pim, product: Product) -> dict[str, str]:
    """Read the links: identifiers, with how many of each in a set."""
    also = product.associations.get("ALSO", {}).get("products", [])
    parts = product.quantified.get("SET", {}).get("products", {})
    return {
        "ALSO": ",".join(sorted(_named(pim, uuid) for uuid in also)),
        "SET": ",".join(sorted(f"{_named(pim, uuid)}*{count}" for uuid, count in parts.items())),
    }


def _named(pim: Pim, uuid: str) -> str:
    product = pim.products.get(uuid)
    return (pim.identifier_of(product) if product else None) or f"nothing ({uuid})"
