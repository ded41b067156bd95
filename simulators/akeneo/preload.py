"""Products and product models of a catalog file, written as a client would write them."""

from collections.abc import Callable, Iterable
from typing import Any

from simulators.akeneo.model_writes import patch_model
from simulators.akeneo.pim import Pim
from simulators.akeneo.product_writes import patch_product, patch_product_by_uuid
from simulators.akeneo.refusal import Refusal

Write = Callable[[Pim, str, dict[str, Any]], Any]


class LoadError(ValueError):
    """A product or product model that the PIM refuses: the message says which and why."""


def load_entities(
    pim: Pim, models: Iterable[dict[str, Any]], products: Iterable[dict[str, Any]]
) -> None:
    """Create root models, then sub-models, then products; raises `LoadError`."""
    models = sorted(models, key=lambda model: model.get("parent") is not None)
    for model in models:
        _write(pim, "product model", "code", model, patch_model)
    for product in products:
        if "identifier" in product:
            body = {key: data for key, data in product.items() if key != "uuid"}
            _write(pim, "product", "identifier", body, patch_product)
        else:
            _write(pim, "product", "uuid", product, patch_product_by_uuid)


def _write(pim: Pim, what: str, key: str, body: dict[str, Any], write: Write) -> None:
    code = body.get(key)
    if not isinstance(code, str):
        raise LoadError(f"a {what} has no {key}")
    try:
        write(pim, code, body)
    except Refusal as refusal:
        raise LoadError(f"{what} {code!r}: {refusal.message} {refusal.errors or ''}") from refusal
