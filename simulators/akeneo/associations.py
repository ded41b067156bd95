"""Associations between products, one-way, two-way and with quantities."""

import re
from typing import Any

from simulators.akeneo.phpjson import elements_of, is_array, is_scalar, items_of, type_name
from simulators.akeneo.pim import KINDS, Pim, Product, ProductModel
from simulators.akeneo.refusal import PropertyError, Refusal, Violation, violation

_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
TWO_WAY_HELP = (
    "https://help.akeneo.com/pim/serenity/articles/manage-your-association-types.html"
    "#create-a-2-way-association-type"
)


def set_associations(pim: Pim, entity: Product | ProductModel, data: Any, *, by_uuid: bool) -> None:
    """Replace each kind of each type that is named; raises `PropertyError` or `Refusal`."""
    _check_types(data)
    for code, kinds in items_of(data):
        if not isinstance(kinds, dict) or not any(kinds.get(k) is not None for k in KINDS):
            raise _wrong_format(code)
        row = pim.catalog.find("association_types", str(code))
        if row is None or row["is_quantified"]:
            raise PropertyError(
                'Property "associations" expects a valid association type code. '
                f'The association type does not exist or is quantified, "{code}" given.'
            )
        links = entity.associations.setdefault(row["code"], {})
        for kind, targets in kinds.items():
            if not all(isinstance(target, str) for target in elements_of(targets)):
                raise _wrong_format(code)
            if by_uuid and kind == "products" and not all(map(_is_uuid, elements_of(targets))):
                raise _wrong_format(code, ', "product_uuids" expects an array of valid uuids.')
            found = [_target(pim, kind, target, by_uuid) for target in elements_of(targets)]
            if row["is_two_way"] and kind in ("products", "product_models"):
                _refuse_self(entity, kind, found)
            links[kind] = list(dict.fromkeys(found))


def _check_types(data: Any) -> None:
    if not is_array(data):
        raise _array_expected(data)
    for _, kinds in items_of(data):
        if not is_array(kinds):
            raise _array_expected(kinds)
        for _, targets in items_of(kinds):
            if not is_array(targets):
                raise _array_expected(targets)
            if any(t is not None and not is_scalar(t) for t in elements_of(targets)):
                raise PropertyError(
                    'Property "associations" expects an array with valid data, '
                    "one of the associations is not a scalar."
                )


def _array_expected(data: Any) -> PropertyError:
    return PropertyError(
        f'Property "associations" expects an array as data, "{type_name(data)}" given.'
    )


def _wrong_format(code: Any, more: str = "") -> PropertyError:
    return PropertyError(
        'Property "associations" expects an array with valid data, '
        f'association format is not valid for the association type "{code}"{more}.'
    )


def _is_uuid(text: str) -> bool:
    return _UUID.match(text) is not None


def _target(pim: Pim, kind: str, target: str, by_uuid: bool) -> str:
    if kind == "products":
        product = pim.products.get(target.lower()) if by_uuid else pim.product_by_identifier(target)
        if product is not None:
            return product.uuid
        raise _unknown_product(target, by_uuid)
    if kind == "product_models":
        model = pim.model(target)
        if model is not None:
            return model.code
        raise _unknown("product model identifier", "product model", target)
    row = pim.catalog.find("groups", target)
    if row is not None:
        return str(row["code"])
    raise _unknown("group code", "group", target)


def _unknown_product(target: str, by_uuid: bool) -> PropertyError:
    if by_uuid:
        return _unknown("product uuid", "product", target)
    return PropertyError(
        "The “associations” property expects a valid product identifier. "
        f"The {target} product does not exist or your connection does not have permission "
        "to access it."
    )


def _unknown(what: str, thing: str, target: str) -> PropertyError:
    return PropertyError(
        f'Property "associations" expects a valid {what}. '
        f'The {thing} does not exist, "{target}" given.'
    )


def _refuse_self(entity: Product | ProductModel, kind: str, targets: list[str]) -> None:
    own_kind = "products" if isinstance(entity, Product) else "product_models"
    own_key = entity.uuid if isinstance(entity, Product) else entity.code
    if kind == own_kind and own_key in targets:
        raise Refusal(
            422,
            "A 2-way association only allows two different products or product models "
            "to be associated",
            link=TWO_WAY_HELP,
        )


def mirror_two_way(
    pim: Pim, entity: Product | ProductModel, old: Product | ProductModel | None
) -> None:
    """Write the other side of two-way links that came or went with this save."""
    for row in pim.catalog.rows["association_types"].values():
        if not row["is_two_way"] or row["is_quantified"]:
            continue
        code = row["code"]
        before = _links(old, code) if old is not None else set()
        after = _links(entity, code)
        for kind, target in after - before:
            _mirror(pim, entity, code, kind, target, add=True)
        for kind, target in before - after:
            _mirror(pim, entity, code, kind, target, add=False)


def _links(entity: Product | ProductModel, code: str) -> set[tuple[str, str]]:
    kinds = entity.associations.get(code, {})
    return {
        (kind, target) for kind in ("products", "product_models") for target in kinds.get(kind, ())
    }


def _mirror(
    pim: Pim, entity: Product | ProductModel, code: str, kind: str, target: str, *, add: bool
) -> None:
    other = pim.products.get(target) if kind == "products" else pim.model(target)
    if other is None:
        return
    own_kind, own_key = (
        ("products", entity.uuid)
        if isinstance(entity, Product)
        else ("product_models", entity.code)
    )
    links = other.associations.setdefault(code, {}).setdefault(own_kind, [])
    if add and own_key not in links:
        links.append(own_key)
    elif not add and own_key in links:
        links.remove(own_key)
    else:
        return
    other.updated = pim.stamp()


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
