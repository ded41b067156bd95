"""The whole state of a PIM as JSON, for checks from outside."""

from collections.abc import Callable
from typing import Any

from simulators.akeneo.asset_json import asset_json
from simulators.akeneo.pim import Pim
from simulators.akeneo.standard import model_json, product_json
from simulators.akeneo.structure_rows import as_api


def dump_of(pim: Pim, base: str, only: str | None = None) -> dict[str, Any]:
    """Resources by name, each a list; `only` names one of them.

    Products have their UUID and identifier; `base` is the API's root URL for links.
    """
    makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "products": lambda: [
            product_json(pim, product, base, by_uuid=False) for product in pim.products.values()
        ],
        "product_models": lambda: [model_json(pim, model, base) for model in pim.models.values()],
        "attribute_options": lambda: [
            as_api(row) for options in pim.catalog.options.values() for row in options.values()
        ],
        "assets": lambda: [
            {"asset_family": asset.family, **asset_json(pim, asset, base)}
            for family in pim.assets.by_family
            for asset in pim.assets.all_of(family)
        ],
        "media_files": lambda: [
            {"code": file.key, "filename": file.filename, "size": file.size, "sha256": file.digest}
            for file in pim.media.files.values()
        ],
    }
    return {name: make() for name, make in makers.items() if only in (None, name)}
