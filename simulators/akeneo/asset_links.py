"""Product link rules: a new asset puts itself into products' asset collections.

Source: https://api.akeneo.com/concepts/asset-manager.html#focus-on-the-product-link-rule. The
PIM runs them in a job after the asset was created; here they run at once.
"""

import re
from typing import Any

from simulators.akeneo.assets import Asset
from simulators.akeneo.attribute import ASSETS
from simulators.akeneo.entities import Product
from simulators.akeneo.pim import Pim
from simulators.akeneo.standard import all_categories
from simulators.akeneo.variants import all_values, own_codes

_PLACEHOLDER = re.compile(r"\{\{\s*([a-zA-Z0-9_]+)\s*\}\}")


def link_products(pim: Pim, asset: Asset) -> None:
    """Apply every rule of the asset's family to the products that it selects."""
    family = pim.catalog.rows["asset_families"].get(asset.family.lower(), {})
    for rule in family.get("product_link_rules") or []:
        selections = [_filled(selection, asset) for selection in rule["product_selections"]]
        for product in list(pim.products.values()):
            if all(_selected(pim, product, selection) for selection in selections):
                for target in rule["assign_assets_to"]:
                    _assign(pim, product, _filled(target, asset), asset)


def _filled(setting: Any, asset: Asset) -> Any:
    if isinstance(setting, dict):
        return {key: _filled(value, asset) for key, value in setting.items()}
    if isinstance(setting, list):
        return [_filled(value, asset) for value in setting]
    if not isinstance(setting, str):
        return setting
    whole = _PLACEHOLDER.fullmatch(setting.strip())
    if whole is not None:
        return _value(asset, whole.group(1))
    return _PLACEHOLDER.sub(lambda match: str(_value(asset, match.group(1)) or ""), setting)


def _value(asset: Asset, code: str) -> Any:
    return asset.code if code == "code" else asset.values.get((code, None, None))


def _selected(pim: Pim, product: Product, selection: dict[str, Any]) -> bool:
    have = _field(pim, product, selection)
    operator, value = selection["operator"], selection["value"]
    if value is None:
        return False
    wanted = value if isinstance(value, list) else [value]
    texts = {str(item).lower() for item in (have if isinstance(have, list) else [have])}
    match operator:
        case "=" | "EQUALS":
            return have == value or texts == {str(value).lower()}
        case "!=" | "NOT EQUAL":
            return texts != {str(value).lower()}
        case "IN":
            return bool(texts & {str(item).lower() for item in wanted})
        case "NOT IN":
            return not texts & {str(item).lower() for item in wanted}
        case "CONTAINS":
            return isinstance(have, str) and str(value).lower() in have.lower()
        case "STARTS WITH":
            return isinstance(have, str) and have.lower().startswith(str(value).lower())
    return False


def _field(pim: Pim, product: Product, selection: dict[str, Any]) -> Any:
    match selection["field"]:
        case "identifier":
            return pim.identifier_of(product)
        case "family":
            return product.family
        case "enabled":
            return product.enabled
        case "parent":
            return product.parent
        case "categories":
            return all_categories(pim, product)
        case code:
            key = (code, selection.get("channel"), selection.get("locale"))
            return all_values(pim, product).get(key)


def _assign(pim: Pim, product: Product, target: dict[str, Any], asset: Asset) -> None:
    attribute = pim.catalog.attributes.get(target["attribute"])
    own = own_codes(pim, product)
    if attribute is None or attribute.type != ASSETS or attribute.reference_data_name is None:
        return
    if attribute.reference_data_name != asset.family or (own and attribute.code not in own):
        return
    key = (attribute.code, target.get("channel"), target.get("locale"))
    old = product.values.get(key, [])
    new = [asset.code] if target.get("mode") == "replace" else [*old, asset.code]
    product.values[key] = list(dict.fromkeys(new))
    product.updated = pim.stamp()
