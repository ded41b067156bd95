"""Values that point at another product or product model (SaaS).

Source: https://api.akeneo.com/concepts/products.html (product link attributes): one of
`{"type": "product", "id": UUID}`, `{"type": "product", "identifier": …}` and
`{"type": "product_model", "id": CODE}`. The texts are our own.
"""

from typing import Any

from simulators.akeneo.pim import Pim

FORMS = ({"type", "id"}, {"type", "identifier"})


def is_link(data: Any) -> bool:
    """Whether the data has the look of a link, whatever it points at."""
    if not isinstance(data, dict) or set(data) not in FORMS:
        return False
    if not all(isinstance(part, str) and part for part in data.values()):
        return False
    return data["type"] == "product" or (data["type"] == "product_model" and "id" in data)


def link_problem(pim: Pim, data: Any) -> str | None:
    """What is wrong with a link: its look, or that nothing is at its other end."""
    if not is_link(data):
        return f"a link to a product or a product model is expected, {data!r} was given."
    if data["type"] == "product_model":
        found: object = pim.model(data["id"])
    elif "id" in data:
        found = pim.products.get(data["id"].lower())
    else:
        found = pim.product_by_identifier(data["identifier"])
    if found is not None:
        return None
    kind = "product model" if data["type"] == "product_model" else "product"
    return f'the "{data.get("id", data.get("identifier"))}" {kind} does not exist.'
