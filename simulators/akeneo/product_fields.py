"""Setting a product's fields: the rules that speak before validation.

Source: the PIM's product updater and its field setters.
"""

from typing import Any

from simulators.akeneo.associations import set_associations
from simulators.akeneo.entities import Product, ProductModel
from simulators.akeneo.phpjson import elements_of, is_array, is_scalar, to_text, type_name
from simulators.akeneo.pim import Pim
from simulators.akeneo.quantified import check_structure, set_quantified
from simulators.akeneo.refusal import PropertyError, bad_json
from simulators.akeneo.value_updates import set_values, unknown_property

IGNORED = frozenset(
    (
        "uuid",
        "identifier",
        "created",
        "updated",
        "parent_associations",
        "metadata",
        "quality_scores",
        "completenesses",
    )
)


def update_product(pim: Pim, product: Product, body: dict[str, Any], *, by_uuid: bool) -> None:
    """Apply a body, its parent first, then key by key; raises at the first wrong property."""
    if body.get("parent") is not None:
        body = {"parent": body["parent"]} | body
    for field, data in body.items():
        if field.isdigit():
            raise bad_json()
        _set_field(pim, product, field, data, by_uuid)


def _set_field(pim: Pim, product: Product, field: str, data: Any, by_uuid: bool) -> None:
    match field:
        case "values":
            set_values(pim, product, data)
        case "enabled":
            product.enabled = _boolean(field, data)
        case "family":
            product.family = _family(pim, data)
        case "parent":
            _set_parent(pim, product, data)
        case "categories":
            set_categories(pim, product, data)
        case "groups":
            product.groups = _groups(pim, data)
        case "associations":
            set_associations(pim, product, data, by_uuid=by_uuid)
        case "quantified_associations":
            check_structure(data)
            set_quantified(pim, product, data)
        case _ if field not in IGNORED or (by_uuid and field == "identifier"):
            raise unknown_property(field)


def check_scalar(field: str, data: Any) -> None:
    """Raise `PropertyError` for a list or an object where one value belongs."""
    if data is not None and not is_scalar(data):
        raise PropertyError(
            f'Property "{field}" expects a scalar as data, "{type_name(data)}" given.'
        )


def scalars(field: str, data: Any) -> list[str]:
    """The codes of a list of codes; raises `PropertyError` for anything else."""
    if not is_array(data):
        raise PropertyError(
            f'Property "{field}" expects an array as data, "{type_name(data)}" given.'
        )
    for item in elements_of(data):
        if item is not None and not is_scalar(item):
            raise PropertyError(
                f'Property "{field}" expects an array with valid data, '
                f"one of the {field} is not a scalar."
            )
    return [to_text(item) for item in elements_of(data)]


def _boolean(field: str, data: Any) -> bool:
    check_scalar(field, data)
    if isinstance(data, bool) or data in (0, 1, "0", "1"):
        return data in (True, "1")
    raise PropertyError(f'Property "{field}" expects a boolean as data, "{type_name(data)}" given.')


def _family(pim: Pim, data: Any) -> str | None:
    check_scalar("family", data)
    if data is None or data == "":
        return None
    row = pim.catalog.find("families", to_text(data))
    if row is None:
        raise PropertyError(f"The {to_text(data)} family does not exist in your PIM.")
    return str(row["code"])


def _set_parent(pim: Pim, product: Product, data: Any) -> None:
    check_scalar("parent", data)
    if data is None:
        return
    parent = pim.model(to_text(data))
    if parent is None:
        raise PropertyError(
            'Property "parent" expects a valid parent code. '
            f'The parent product model does not exist, "{to_text(data)}" given.'
        )
    old = pim.model(product.parent)
    if old is not None and old.family_variant != parent.family_variant:
        raise PropertyError(
            f'New parent "{parent.code}" of variant product "{pim.identifier_of(product)}" '
            f'must have the same family variant "{old.family_variant}" than the previous parent'
        )
    product.parent = parent.code
    family_variant = pim.catalog.find("family_variants", parent.family_variant)
    if product.family is None and family_variant is not None:
        product.family = family_variant["family"]


def set_categories(pim: Pim, entity: Product | ProductModel, data: Any) -> None:
    """Replace the entity's own categories; those of its ancestors stay theirs."""
    inherited = {code for model in pim.ancestors_of(entity) for code in model.categories}
    codes: dict[str, None] = {}
    for code in scalars("categories", data):
        row = pim.catalog.find("categories", code)
        if row is None:
            raise PropertyError(f"The {code} category does not exist in your PIM.")
        if row["code"] not in inherited:
            codes[row["code"]] = None
    entity.categories = list(codes)


def _groups(pim: Pim, data: Any) -> list[str]:
    codes: dict[str, None] = {}
    for code in scalars("groups", data):
        row = pim.catalog.find("groups", code)
        if row is None:
            raise PropertyError(
                'Property "groups" expects a valid group code. '
                f'The group does not exist, "{code}" given.'
            )
        codes[row["code"]] = None
    return list(codes)
