"""Products and product models as GET gives them."""

from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from simulators.akeneo.attribute import FILE, IMAGE, METRIC, NUMBER, PRICE, Attribute
from simulators.akeneo.entities import KINDS, Product, ProductModel, Values
from simulators.akeneo.phpjson import is_numeric
from simulators.akeneo.pim import Pim
from simulators.akeneo.variants import all_values, family_variant_of

Json = dict[str, Any]


def product_json(pim: Pim, product: Product, base: str, *, by_uuid: bool) -> Json:
    """One product; `base` is the API's root URL for media links. `by_uuid`: no identifier."""
    shown: Json = {"uuid": product.uuid}
    if not by_uuid:
        shown["identifier"] = pim.identifier_of(product)
    return shown | {
        "enabled": product.enabled,
        "family": product.family,
        "categories": all_categories(pim, product),
        "groups": sorted(product.groups),
        "parent": product.parent,
        "values": values_json(pim, all_values(pim, product), base),
        "created": product.created,
        "updated": product.updated,
        "associations": associations_json(pim, product, by_uuid=by_uuid),
        "quantified_associations": quantified_json(pim, product, by_uuid=by_uuid),
    }


def model_json(pim: Pim, model: ProductModel, base: str) -> Json:
    """One product model, with the values of its parent."""
    row = family_variant_of(pim, model)
    return {
        "code": model.code,
        "family": row["family"] if row else None,
        "family_variant": model.family_variant,
        "parent": model.parent,
        "categories": all_categories(pim, model),
        "values": values_json(pim, all_values(pim, model), base),
        "created": model.created,
        "updated": model.updated,
        "associations": associations_json(pim, model, by_uuid=False),
        "quantified_associations": quantified_json(pim, model, by_uuid=False),
    }


def all_categories(pim: Pim, entity: Product | ProductModel) -> list[str]:
    """Codes of the entity's and its ancestors' categories, in alphabetical order."""
    codes = set(entity.categories)
    for model in pim.ancestors_of(entity):
        codes.update(model.categories)
    return sorted(codes)


def values_json(pim: Pim, values: Values, base: str) -> Json:
    """Values by attribute code, each a list over locales and channels."""
    shown: Json = {}
    for (code, channel, locale), data in values.items():
        attribute = pim.catalog.attributes.get(code)
        if attribute is None:
            continue
        entry = {"locale": locale, "scope": channel, "data": data_json(attribute, data)}
        if attribute.type in (FILE, IMAGE):
            href = f"{base}/media-files/{quote(str(data))}/download"
            entry["_links"] = {"download": {"href": href}}
        shown.setdefault(code, []).append(entry)
    return shown


def data_json(attribute: Attribute, data: Any) -> Any:
    """The data of a value: numbers as strings of at least 4 decimals, prices of 2."""
    if attribute.type == NUMBER:
        return _amount(data, attribute.decimals_allowed, 4)
    if attribute.type == METRIC:
        amount = _amount(data["amount"], attribute.decimals_allowed, 4)
        return {"amount": amount, "unit": data["unit"]}
    if attribute.type == PRICE:
        return [
            {
                "amount": _amount(price["amount"], attribute.decimals_allowed, 2),
                "currency": price["currency"],
            }
            for price in data
        ]
    return data


def _amount(amount: Any, decimals: bool, places: int) -> Any:
    if not is_numeric(amount):
        return amount
    try:
        number = Decimal(str(amount).strip())
    except InvalidOperation:
        return amount
    if not decimals:
        return int(number)
    text = f"{number:f}"
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<{places}}"


def associations_json(pim: Pim, entity: Product | ProductModel, *, by_uuid: bool) -> Json:
    """Every association type that is not quantified, with the links of the ancestors."""
    shown: Json = {}
    for row in pim.catalog.rows["association_types"].values():
        if row["is_quantified"]:
            continue
        links: dict[str, list[str]] = {kind: [] for kind in KINDS}
        for holder in (*reversed(pim.ancestors_of(entity)), entity):
            for kind, targets in holder.associations.get(row["code"], {}).items():
                links[kind] += [target for target in targets if target not in links[kind]]
        if not by_uuid:
            links["products"] = _identifiers(pim, links["products"])
        shown[row["code"]] = links
    return shown


def _identifiers(pim: Pim, uuids: list[str]) -> list[str]:
    products = (pim.products[uuid] for uuid in uuids if uuid in pim.products)
    found = (pim.identifier_of(product) for product in products)
    return [identifier for identifier in found if identifier is not None]


def quantified_json(pim: Pim, entity: Product | ProductModel, *, by_uuid: bool) -> Json:
    """The quantified links with those of the ancestors; the entity's own quantity wins."""
    merged: dict[str, dict[str, dict[str, int]]] = {}
    for holder in (*reversed(pim.ancestors_of(entity)), entity):
        for code, kinds in holder.quantified.items():
            links = merged.setdefault(code, {"products": {}, "product_models": {}})
            for kind, targets in kinds.items():
                links.setdefault(kind, {}).update(targets)
    return {
        code: {
            "products": [
                _quantified_product(pim, uuid, quantity, by_uuid)
                for uuid, quantity in kinds["products"].items()
            ],
            "product_models": [
                {"identifier": model, "quantity": quantity}
                for model, quantity in kinds["product_models"].items()
            ],
        }
        for code, kinds in merged.items()
    }


def _quantified_product(pim: Pim, uuid: str, quantity: int, by_uuid: bool) -> Json:
    product = pim.products.get(uuid)
    if by_uuid or product is None:
        return {"uuid": uuid, "quantity": quantity}
    return {"identifier": pim.identifier_of(product), "quantity": quantity}
