"""Creating and updating products: the order in which the PIM checks and does things.

Source: the PIM's product controllers, updaters and product validation.
"""

import uuid as uuids
from dataclasses import dataclass
from typing import Any

from simulators.akeneo.associations import (
    check_structure,
    mirror_two_way,
    set_associations,
    set_quantified,
)
from simulators.akeneo.phpjson import elements_of, is_array, is_scalar, items_of, to_text, type_name
from simulators.akeneo.pim import Pim, Product, ProductModel
from simulators.akeneo.product_reading import all_categories
from simulators.akeneo.product_rules import all_values, check_product, levels_of
from simulators.akeneo.refusal import (
    API_DOCUMENTATION,
    PropertyError,
    Refusal,
    bad_json,
    documented,
    invalid,
)
from simulators.akeneo.value_updates import (
    check_duplicates,
    check_payload,
    drop_same,
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
        case "add_categories" | "remove_categories" if pim.edition.saas:
            change_categories(pim, product, field, data)
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


def change_categories(pim: Pim, entity: Product | ProductModel, field: str, data: Any) -> None:
    """Add or remove the entity's own categories and leave the others (SaaS only)."""
    own = list(entity.categories)
    set_categories(pim, entity, data)
    if field == "add_categories":
        entity.categories = list(dict.fromkeys((*own, *entity.categories)))
    else:
        entity.categories = [code for code in own if code not in entity.categories]


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


Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: status 201 or 204, and the key in the Location header."""

    status: int
    key: str


def patch_product(pim: Pim, code: str, body: Body, writer: Writer = ANYBODY) -> Written:
    """PATCH /products/{code}; raises `Refusal`."""
    _require_identifier(body, "patch_products_uuid__uuid_")
    with Documented("patch_products__code_"):
        check_payload(pim.catalog, body)
        check_duplicates(body)
        stored = pim.product_by_identifier(code)
        if stored is None and "identifier" in body and body["identifier"] != code:
            raise mismatch("identifier", body["identifier"], code)
        body = _with_identifier(pim, {"identifier": code} | body)
        return _write(pim, stored, _new_uuid(), body, writer, by_uuid=False)


def create_product(pim: Pim, body: Body, writer: Writer = ANYBODY) -> Written:
    """POST /products; raises `Refusal`."""
    _require_identifier({"identifier": None} | body, "post_products_uuid")
    with Documented("post_products"):
        check_payload(pim.catalog, body)
        check_duplicates(body)
        body = _with_identifier(pim, body)
        return _write(pim, None, _new_uuid(), body, writer, by_uuid=False)


def patch_product_by_uuid(pim: Pim, uuid: str, body: Body, writer: Writer = ANYBODY) -> Written:
    """PATCH /products-uuid/{uuid}; raises `Refusal`."""
    with Documented("patch_products_uuid__uuid_"):
        known = _valid_uuid(uuid)
        if "uuid" in body and body["uuid"] != uuid:
            raise mismatch("uuid", body["uuid"], uuid)
        check_payload(pim.catalog, body)
        check_duplicates(body)
        stored = pim.products.get(known)
        return _write(pim, stored, known, body, writer, by_uuid=True)


def create_product_by_uuid(pim: Pim, body: Body, writer: Writer = ANYBODY) -> Written:
    """POST /products-uuid; raises `Refusal`."""
    with Documented("post_products_uuid"):
        known = _valid_uuid(body["uuid"]) if "uuid" in body else _new_uuid()
        if known in pim.products:
            text = f"The {known} uuid is already used for another product."
            raise Refusal(422, "Validation failed.", errors=[{"property": "uuid", "message": text}])
        check_payload(pim.catalog, body)
        check_duplicates(body)
        return _write(pim, None, known, body, writer, by_uuid=True)


class Documented:
    """Turns a `PropertyError` inside into the answer with hint and link."""

    def __init__(self, anchor: str) -> None:
        self.anchor = anchor

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, PropertyError):
            raise documented(str(error), self.anchor) from error


def _require_identifier(body: Body, anchor: str) -> None:
    if "identifier" in body and body["identifier"] in (None, ""):
        raise Refusal(
            422,
            "Validation failed. The identifier field is required for this endpoint. "
            "If you want to manipulate products without identifiers, "
            "please use products-uuid endpoints.",
            link=API_DOCUMENTATION + anchor,
        )


def mismatch(name: str, in_body: Any, in_url: str) -> Refusal:
    """The key in the body is another than the one in the URL."""
    return Refusal(
        422,
        f'The {name} "{to_text(in_body)}" provided in the request body '
        f'must match the {name} "{in_url}" provided in the url.',
    )


def _new_uuid() -> str:
    return str(uuids.uuid4())


def _valid_uuid(text: Any) -> str:
    try:
        if not isinstance(text, str) or len(text) != 36:
            raise ValueError
        return str(uuids.UUID(text))
    except ValueError:
        raise PropertyError("This is not a valid UUID.") from None


def _with_identifier(pim: Pim, body: Body) -> Body:
    """The identifier as a value of the main identifier, whatever the body's values say."""
    main = pim.catalog.main_identifier
    values = body.get("values")
    others = dict(items_of(values)) if is_array(values) else {}
    others.pop(main, None)
    entry = {"locale": None, "scope": None, "data": body.get("identifier")}
    return body | {"values": others | {main: [entry]}}


def _write(
    pim: Pim, stored: Product | None, uuid: str, body: Body, writer: Writer, *, by_uuid: bool
) -> Written:
    proposes = stored is not None and only_proposes(pim, writer, stored)
    product = start_of(pim, writer, stored) if stored is not None else Product(uuid=uuid)
    created = stored is None
    if writer.create_missing_options and pim.edition.saas:
        create_options(pim, body.get("values"))
    if stored is not None and "values" in body:
        body = body | {"values": drop_same(pim, body["values"], all_values(pim, product))}
    if stored is not None and stored.parent is None and body.get("parent") not in (None, ""):
        _become_variant(pim, product, to_text(body["parent"]), by_uuid)
        created = not by_uuid
    elif stored is not None and stored.parent is not None and body.get("parent", "") is None:
        _become_simple(pim, product)
    if "variant_group" in body:
        raise Refusal(
            422,
            'Property "variant_group" does not exist anymore. '
            "Check the link below to understand why.",
            link="http://api.akeneo.com/documentation/products-with-variants.html",
        )
    if stored is None:
        _place_identifier(pim, product, body)
    update_product(pim, product, _of_level(pim, product, body), by_uuid=by_uuid)
    violations = check_product(pim, product, is_new=stored is None)
    if violations:
        raise invalid(violations)
    if stored is not None and proposes:
        propose(pim, writer, stored, product, body)
    else:
        _save(pim, stored, product)
    key = product.uuid if by_uuid else pim.identifier_of(product)
    return Written(201 if created else 204, str(key))


def _place_identifier(pim: Pim, product: Product, body: Body) -> None:
    """A new product has its identifier before its parent could leave no place for it."""
    main = pim.catalog.main_identifier
    values = body.get("values")
    entries = values.get(main) if isinstance(values, dict) else None
    data = entries[0].get("data") if isinstance(entries, list) and entries else None
    if isinstance(data, str) and data.strip():
        product.values[(main, None, None)] = data


def _become_variant(pim: Pim, product: Product, parent_code: str, by_uuid: bool) -> None:
    """Keep only the values of the last level; the family stays to be compared."""
    parent = pim.model(parent_code)
    if parent is None:
        if by_uuid:
            return
        raise Refusal(422, f'The given product model "{parent_code}" does not exist')
    family_variant = pim.catalog.find("family_variants", parent.family_variant)
    if family_variant is None:
        return
    own = levels_of(pim.catalog, family_variant)[-1]
    product.values = {key: data for key, data in product.values.items() if key[0] in own}
    product.parent = parent.code


def _become_simple(pim: Pim, product: Product) -> None:
    """Take over values, categories and associations of the ancestors."""
    product.values = all_values(pim, product)
    product.categories = all_categories(pim, product)
    for model in pim.ancestors_of(product):
        for code, kinds in model.associations.items():
            own = product.associations.setdefault(code, {})
            for kind, targets in kinds.items():
                own[kind] = list(dict.fromkeys((*targets, *own.get(kind, ()))))
        for code, links in model.quantified.items():
            mine = product.quantified.setdefault(code, {})
            for kind, quantities in links.items():
                mine[kind] = quantities | mine.get(kind, {})
    product.parent = None


def _of_level(pim: Pim, product: Product, body: Body) -> Body:
    """Without the values that a variant cannot have on its level: they are dropped silently."""
    values = body.get("values")
    parent = pim.model(body.get("parent") or product.parent)
    if not isinstance(values, dict) or (body.get("parent") is None and product.parent is None):
        return body
    for code in values:
        if code not in pim.catalog.attributes:
            raise unknown_property(code)
    row = pim.catalog.find("family_variants", parent.family_variant) if parent else None
    if parent is None or row is None:
        return body
    levels = levels_of(pim.catalog, row)
    level = len(pim.ancestors_of(parent)) + 1
    own = levels[level] if level < len(levels) else frozenset()
    kept = {code: entries for code, entries in values.items() if code in own}
    return body | {"values": kept}


def _save(pim: Pim, stored: Product | None, product: Product) -> None:
    if stored is not None and stored == product:
        return
    now = pim.stamp()
    product.created = stored.created if stored is not None else now
    product.updated = now
    pim.save_product(product)
    mirror_two_way(pim, product, stored)


def link_product_value(
    pim: Pim, stored: Product, code: str, entry: Body, writer: Writer = ANYBODY
) -> None:
    """Set one value of an existing product, all rules checked; for uploads.

    Raises `PropertyError` or `Refusal`.
    """
    proposes = only_proposes(pim, writer, stored)
    product = start_of(pim, writer, stored)
    set_values(pim, product, {code: [entry]})
    violations = check_product(pim, product, is_new=False)
    if violations:
        raise invalid(violations)
    if proposes:
        propose(pim, writer, stored, product, {})
    else:
        _save(pim, stored, product)
