"""Creating and updating product models, which differ from products in small ways.

They have no check of the payload's look, no family of their own, and no filter of values that
they already have. Source: the PIM's product model controller, updater and validation.
"""

from typing import Any

from simulators.akeneo.associations import (
    check_quantified,
    check_structure,
    mirror_two_way,
    set_associations,
    set_quantified,
)
from simulators.akeneo.phpjson import to_text, type_name
from simulators.akeneo.pim import Pim, ProductModel
from simulators.akeneo.product_rules import (
    SURROUNDED_MESSAGE,
    check_attributes,
    check_axes_filled,
    check_axes_unique,
    family_variant_of,
    own_codes,
    well_surrounded,
)
from simulators.akeneo.product_writes import (
    Body,
    Documented,
    Written,
    change_categories,
    check_scalar,
    mismatch,
    set_categories,
)
from simulators.akeneo.refusal import PropertyError, Violation, invalid, violation
from simulators.akeneo.value_rules import check_values
from simulators.akeneo.value_updates import (
    check_duplicates,
    same_data,
    set_values,
    unknown_property,
)
from simulators.akeneo.writers import (
    ANYBODY,
    Writer,
    create_options,
    only_proposes,
    propose,
    start_of,
)

IGNORED = frozenset(("identifier", "created", "updated", "parent_associations", "metadata"))


def patch_model(pim: Pim, code: str, body: Body, writer: Writer = ANYBODY) -> Written:
    """PATCH /product-models/{code}; raises `Refusal`."""
    with Documented("patch_product_models__code_"):
        check_duplicates(body)
        stored = pim.model(code)
        if stored is None and "code" in body and body["code"] != code:
            raise mismatch("code", body["code"], code)
        return _write(pim, stored, {"code": code} | body, writer)


def create_model(pim: Pim, body: Body, writer: Writer = ANYBODY) -> Written:
    """POST /product-models; raises `Refusal`."""
    with Documented("post_product_models"):
        check_duplicates(body)
        return _write(pim, None, body, writer)


def _write(pim: Pim, stored: ProductModel | None, body: Body, writer: Writer) -> Written:
    proposes = stored is not None and only_proposes(pim, writer, stored)
    model = start_of(pim, writer, stored) if stored is not None else ProductModel(code="")
    if writer.create_missing_options and pim.edition.saas:
        create_options(pim, body.get("values"))
    _update(pim, model, stored, body)
    violations = _check(pim, model, stored)
    if violations:
        raise invalid(violations)
    if stored is not None and proposes:
        propose(pim, writer, stored, model, body)
    else:
        _save(pim, stored, model)
    return Written(201 if stored is None else 204, model.code)


def _update(pim: Pim, model: ProductModel, stored: ProductModel | None, body: Body) -> None:
    if "parent" in body:
        _set_parent(pim, model, stored, body["parent"])
        parent = pim.model(model.parent)
        if parent is not None and model.family_variant is None and not body.get("family_variant"):
            model.family_variant = parent.family_variant
    for field, data in sorted(body.items(), key=lambda item: item[0] == "family"):
        if field != "parent":
            _set_field(pim, model, field, _own_values(pim, model, field, data))


def _own_values(pim: Pim, model: ProductModel, field: str, data: Any) -> Any:
    """Values of other levels are dropped silently once the level is known."""
    if field != "values" or not isinstance(data, dict) or model.parent is None:
        return data
    for code in data:
        if code not in pim.catalog.attributes:
            raise unknown_property(code)
    own = own_codes(pim, model)
    return data if own is None else {code: data[code] for code in data if code in own}


def _set_field(pim: Pim, model: ProductModel, field: str, data: Any) -> None:
    match field:
        case "values":
            set_values(pim, model, data)
        case "code":
            check_scalar(field, data)
            model.code = to_text(data) if not model.code else _same_code(model.code, data)
        case "family_variant":
            check_scalar(field, data)
            _set_family_variant(pim, model, data)
        case "family":
            _check_family(pim, model, data)
        case "categories":
            set_categories(pim, model, data)
        case "add_categories" | "remove_categories" if pim.edition.saas:
            change_categories(pim, model, field, data)
        case "associations":
            set_associations(pim, model, data, by_uuid=False)
        case "quantified_associations":
            check_structure(data)
            set_quantified(pim, model, data)
        case _ if field not in IGNORED:
            raise unknown_property(field)


def _same_code(code: str, data: Any) -> str:
    if to_text(data).lower() != code.lower():
        raise invalid([violation("code", "This property cannot be changed.")])
    return code


def _check_family(pim: Pim, model: ProductModel, data: Any) -> None:
    row = family_variant_of(pim, model)
    if row is not None and data != row["family"]:
        raise PropertyError(
            f'The family "{to_text(data)}" does not match the family of the variant '
            f'"{row["code"]}".'
        )


def _immutable(field: str, data: Any) -> PropertyError:
    given = to_text(data) if data is not None else type_name(data)
    return PropertyError(f'Property "{field}" cannot be modified, "{given}" given.')


def _invalid_parent(code: str, what: str) -> PropertyError:
    return PropertyError(f'Property "parent" expects a valid parent code. {what}, "{code}" given.')


def _set_parent(pim: Pim, model: ProductModel, stored: ProductModel | None, data: Any) -> None:
    check_scalar("parent", data)
    if not data:
        if stored is not None and stored.parent is not None:
            raise _immutable("parent", None)
        return
    code = to_text(data)
    if stored is not None and stored.parent is None:
        raise _immutable("parent", code)
    parent = pim.model(code)
    if parent is None:
        raise _invalid_parent(code, "The product model does not exist")
    if parent.parent is not None:
        raise _invalid_parent(
            code, "The new parent of the product model must be a root product model"
        )
    if model.family_variant is not None and model.family_variant != parent.family_variant:
        raise _invalid_parent(
            code, "The new parent of the product model must be of the same family variant"
        )
    model.parent = parent.code


def _set_family_variant(pim: Pim, model: ProductModel, data: Any) -> None:
    code = to_text(data)
    if not code:
        raise PropertyError('Property "family_variant" does not expect an empty value.')
    if model.family_variant is not None and model.family_variant.lower() != code.lower():
        raise _immutable("family_variant", code)
    parent = pim.model(model.parent)
    if parent is not None and (parent.family_variant or "").lower() != code.lower():
        raise PropertyError(
            f'The parent is not a product model of the family variant "{code}" '
            f'but belongs to the family "{parent.family_variant}".'
        )
    row = pim.catalog.find("family_variants", code)
    if row is None:
        raise PropertyError(
            'Property "family_variant" expects a valid family variant code. '
            f'The family variant does not exist, "{code}" given.'
        )
    model.family_variant = row["code"]


def _check(pim: Pim, model: ProductModel, stored: ProductModel | None) -> list[Violation]:
    found = _position(pim, model)
    found += check_attributes(pim, model)
    if model.parent is not None and not found:
        found += check_axes_filled(pim, model)
    found += _code(pim, model, stored)
    if model.family_variant is None:
        found.append(
            violation("family_variant", "The product model family variant must not be empty.")
        )
    found += check_values(pim, model.values)
    found += check_quantified(pim, model)
    return found or check_axes_unique(pim, model)


def _position(pim: Pim, model: ProductModel) -> list[Violation]:
    row = family_variant_of(pim, model)
    if model.parent is None or row is None or len(row["variant_attribute_sets"]) > 1:
        return []
    return [violation("parent", f'The product model "{model.code}" cannot have a parent')]


def _code(pim: Pim, model: ProductModel, stored: ProductModel | None) -> list[Violation]:
    if not model.code.strip():
        return [violation("code", "The product model code must not be empty.")]
    found = []
    if stored is None and pim.model(model.code) is not None:
        text = f"The same code is already set on another product model: {model.code}"
        found.append(violation("code", text))
    if not well_surrounded(model.code):
        found.append(violation("code", SURROUNDED_MESSAGE))
    if len(model.code) > 255:
        found.append(
            violation("code", "This value is too long. It should have 255 characters or less.")
        )
    return found


def _save(pim: Pim, stored: ProductModel | None, model: ProductModel) -> None:
    if stored is not None and _alike(pim, stored, model):
        return
    now = pim.stamp()
    model.created = stored.created if stored is not None else now
    model.updated = now
    pim.save_model(model)
    mirror_two_way(pim, model, stored)


def _alike(pim: Pim, stored: ProductModel, model: ProductModel) -> bool:
    """No difference that the history would show: amounts count by their number."""
    if stored.values.keys() != model.values.keys():
        return False
    for key, data in model.values.items():
        if not same_data(pim.catalog.attributes[key[0]].type, stored.values[key], data):
            return False
    other = stored.draft()
    other.values = model.values
    return other == model


def link_model_value(
    pim: Pim, stored: ProductModel, code: str, entry: Body, writer: Writer = ANYBODY
) -> None:
    """Set one value of an existing product model, all rules checked; for uploads.

    Raises `PropertyError` or `Refusal`.
    """
    proposes = only_proposes(pim, writer, stored)
    model = start_of(pim, writer, stored)
    set_values(pim, model, {code: [entry]})
    violations = _check(pim, model, stored)
    if violations:
        raise invalid(violations)
    if proposes:
        propose(pim, writer, stored, model, {})
    else:
        _save(pim, stored, model)
