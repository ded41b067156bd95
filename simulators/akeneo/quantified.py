"""Quantified associations: links with a quantity.

Source: the PIM's structure validator (before) and its constraint (after the update).
"""

from typing import Any

from simulators.akeneo.entities import Product, ProductModel
from simulators.akeneo.phpjson import is_array, items_of, type_name
from simulators.akeneo.pim import Pim
from simulators.akeneo.refusal import PropertyError, Violation, violation

FIELD = "quantified_associations"
LINK_TYPES = ("products", "product_models")
MAX_LINKS = 100
MAX_QUANTITY = 2147483647


def check_structure(data: Any) -> None:
    """Raise `PropertyError` unless it is type → kind → list of identifier and quantity."""
    if not is_array(data):
        raise PropertyError(
            f'Property "{FIELD}" expects an array as data, "{type_name(data)}" given.'
        )
    for code, kinds in items_of(data):
        if not isinstance(code, str):
            raise _wrong("association type code should be a string")
        if not is_array(kinds):
            raise _wrong(f'"{code}" should contain an array')
        for kind, links in items_of(kinds):
            if not isinstance(kind, str):
                raise _wrong(f'entity type in "{code}" should be a string')
            if not isinstance(links, list):
                raise _wrong(f'"{code}[{kind}]" should contain an array')
            for link in links:
                _check_link(link)


def _check_link(link: Any) -> None:
    link = link if isinstance(link, dict) else {}
    if link.get("identifier") is None and link.get("uuid") is None:
        raise _wrong('a quantified association should contain the key "identifier"')
    if link.get("quantity") is None:
        raise _wrong('a quantified association should contain the key "quantity"')
    if not isinstance(link.get("uuid") or link.get("identifier"), str):
        raise _wrong("a quantified association should contain a valid identifier")
    if isinstance(link["quantity"], bool) or not isinstance(link["quantity"], int):
        raise _wrong("a quantified association should contain a valid quantity")


def _wrong(what: str) -> PropertyError:
    return PropertyError(f'Property "{FIELD}" expects an array with valid data, {what}.')


def set_quantified(pim: Pim, entity: Product | ProductModel, data: Any) -> None:
    """Replace each kind of each type that is named; what does not exist is kept for the rules."""
    for code, kinds in items_of(data):
        row = pim.catalog.find("association_types", code)
        links = entity.quantified.setdefault(row["code"] if row else code, {})
        for kind, targets in items_of(kinds):
            links[kind] = {_key(pim, kind, link): link["quantity"] for link in targets}


def _key(pim: Pim, kind: str, link: dict[str, Any]) -> str:
    if kind == "products":
        if link.get("uuid") is not None:
            return str(link["uuid"]).lower()
        product = pim.product_by_identifier(link["identifier"])
        return product.uuid if product is not None else str(link["identifier"])
    model = pim.model(link.get("identifier"))
    return model.code if model is not None else str(link.get("identifier"))


def check_quantified(pim: Pim, entity: Product | ProductModel) -> list[Violation]:
    """Unknown types and targets, quantities and counts out of range."""
    found: list[Violation] = []
    for code, kinds in entity.quantified.items():
        path = f"quantifiedAssociations.{code}"
        found += _check_type(pim, code, kinds, path)
        for kind in LINK_TYPES:
            found += _check_targets(pim, kind, kinds.get(kind, {}), f"{path}.{kind}")
        count = sum(len(kinds.get(kind, ())) for kind in LINK_TYPES)
        if count > MAX_LINKS:
            text = (
                f"The maximum number of associations is {MAX_LINKS}, "
                f"{count} associations have been submitted."
            )
            found.append(violation(path, text))
    return found


def _check_type(
    pim: Pim, code: str, kinds: dict[str, dict[str, int]], path: str
) -> list[Violation]:
    row = pim.catalog.find("association_types", code)
    found = []
    if row is None:
        text = (
            "This association type doesn't exist. "
            "Please make sure it hasn't been deleted in the meantime."
        )
        found.append(violation(path, text))
    elif not row["is_quantified"]:
        found.append(violation(path, f'The association type "{code}" is not quantified.'))
    for kind in kinds:
        if kind not in LINK_TYPES:
            text = f'The value "{kind}" is not valid, it should be {",".join(LINK_TYPES)}.'
            found.append(violation(path, text))
    return found


def _check_targets(pim: Pim, kind: str, links: dict[str, int], path: str) -> list[Violation]:
    found = [
        violation(
            f"{path}[{index}].quantity",
            "The quantity should be a positive number up to 2147483647.",
        )
        for index, quantity in enumerate(links.values())
        if not 1 <= quantity <= MAX_QUANTITY
    ]
    known = pim.products if kind == "products" else pim.models
    missing = [target for target in links if target.lower() not in known]
    if missing:
        thing = "products" if kind == "products" else "product models"
        text = (
            f"The following {thing} don't exist: {', '.join(missing)}. "
            "Please make sure they haven't been deleted in the meantime."
        )
        found.append(violation(path, text))
    return found
