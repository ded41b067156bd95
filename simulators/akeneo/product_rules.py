"""Rules about whole products: levels of family variants, axes, identifiers, unique values."""

import re
import uuid as uuids
from typing import Any

from simulators.akeneo.associations import check_quantified
from simulators.akeneo.catalog import (
    BOOLEAN,
    IDENTIFIER,
    METRIC,
    REFERENCE_SIMPLE,
    SIMPLE_SELECT,
    Catalog,
    Row,
)
from simulators.akeneo.phpjson import to_text
from simulators.akeneo.pim import UNIQUE_TYPES, Pim, Product, ProductModel, Values
from simulators.akeneo.refusal import Violation, violation
from simulators.akeneo.value_rules import check_values

Levels = list[frozenset[str]]


def family_variant_of(pim: Pim, entity: Product | ProductModel) -> Row | None:
    """The family variant's row: a model's own, a variant's from its parent."""
    if isinstance(entity, ProductModel):
        return pim.catalog.find("family_variants", entity.family_variant)
    parent = pim.model(entity.parent)
    return pim.catalog.find("family_variants", parent.family_variant) if parent else None


def levels_of(catalog: Catalog, family_variant: Row) -> Levels:
    """Attribute codes by level: common ones first, the variants' own last.

    Identifiers and unique attributes that no level names belong to the last one.
    """
    sets = sorted(family_variant["variant_attribute_sets"], key=lambda entry: entry["level"])
    own = [set(entry.get("attributes") or ()) | set(entry["axes"]) for entry in sets]
    family = catalog.family_attributes(family_variant["family"])
    placed = set().union(*own) if own else set()
    if own:
        own[-1] |= {
            code
            for code in family - placed
            if code in catalog.attributes and catalog.attributes[code].unique
        }
        placed |= own[-1]
    return [frozenset(family - placed), *(frozenset(codes) for codes in own)]


def axes_of(family_variant: Row, level: int) -> list[str]:
    """The axes of a level in their order; none for the common level."""
    for entry in family_variant["variant_attribute_sets"]:
        if entry["level"] == level:
            return list(entry["axes"])
    return []


def level_of(pim: Pim, entity: Product | ProductModel) -> int:
    """0 for what has no parent, else one below the parent."""
    return len(pim.ancestors_of(entity))


def own_codes(pim: Pim, entity: Product | ProductModel) -> frozenset[str] | None:
    """Attribute codes that the entity may hold itself; None: no family variant, no limit."""
    family_variant = family_variant_of(pim, entity)
    if family_variant is None:
        return None
    levels = levels_of(pim.catalog, family_variant)
    level = level_of(pim, entity)
    return levels[level] if level < len(levels) else frozenset()


def all_values(pim: Pim, entity: Product | ProductModel) -> Values:
    """The entity's values with those of its ancestors."""
    values: Values = {}
    for model in reversed(pim.ancestors_of(entity)):
        values |= model.values
    return values | entity.values


def check_attributes(pim: Pim, entity: Product | ProductModel) -> list[Violation]:
    """Values that the family or the level has no place for."""
    family_variant = family_variant_of(pim, entity)
    codes = own_codes(pim, entity)
    if family_variant is None or codes is None:
        return []
    family = family_variant["family"]
    belonging = pim.catalog.family_attributes(family)
    found = []
    for code in dict.fromkeys(key[0] for key in entity.values):
        if code not in belonging:
            text = f'Attribute "{code}" does not belong to the family "{family}"'
            found.append(violation("attribute", text, "not of the family"))
        elif code not in codes:
            text = (
                f'Cannot set the property "{code}" to this entity as it is not in the attribute set'
            )
            found.append(violation("attribute", text, "not of the level"))
    return found


def check_axes_filled(pim: Pim, entity: Product | ProductModel) -> list[Violation]:
    """Axes of the entity's level without a value."""
    family_variant = family_variant_of(pim, entity)
    if family_variant is None:
        return []
    return [
        violation(
            "attribute",
            f'Attribute "{code}" cannot be empty, as it is defined as an axis for this entity',
            "empty axis",
        )
        for code in axes_of(family_variant, level_of(pim, entity))
        if (code, None, None) not in entity.values
    ]


def check_axes_unique(pim: Pim, entity: Product | ProductModel) -> list[Violation]:
    """Another child of the same parent with the same axis values; empty ones do not clash."""
    family_variant = family_variant_of(pim, entity)
    parent = pim.model(entity.parent)
    if family_variant is None or parent is None:
        return []
    axes = axes_of(family_variant, level_of(pim, entity))
    mine = _combination(pim, entity, axes)
    if not mine.strip(","):
        return []
    for sibling in pim.children_of(parent):
        if type(sibling) is not type(entity) or _key(sibling) == _key(entity):
            continue
        if _combination(pim, sibling, axes).lower() == mine.lower():
            kind = "variant product" if isinstance(entity, Product) else "product model"
            text = (
                f'Cannot set value "{mine}" for the attribute axis "{",".join(axes)}" '
                f'on {kind} "{_name(pim, entity)}", '
                f'as the {kind} "{_name(pim, sibling)}" already has this value'
            )
            return [violation("attribute", text)]
    return []


def _key(entity: Product | ProductModel) -> str:
    return entity.code.lower() if isinstance(entity, ProductModel) else entity.uuid


def _name(pim: Pim, entity: Product | ProductModel) -> str:
    if isinstance(entity, ProductModel):
        return entity.code
    return pim.identifier_of(entity) or entity.uuid


def _combination(pim: Pim, entity: Product | ProductModel, axes: list[str]) -> str:
    return ",".join(_axis_text(pim.catalog, code, entity.values) for code in axes)


def _axis_text(catalog: Catalog, code: str, values: Values) -> str:
    data: Any = values.get((code, None, None))
    kind = catalog.attributes[code].type if code in catalog.attributes else ""
    if data is None:
        return ""
    if kind in (SIMPLE_SELECT, REFERENCE_SIMPLE):
        return f"[{data}]"
    if kind == METRIC:
        return f"{float(data['amount']):.4f} {data['unit']}"
    return to_text(data) if kind != BOOLEAN else ("1" if data else "")


_SURROUNDED = re.compile(r"^(?!\s)[^,;]+(?<!\s)\Z")
SURROUNDED_MESSAGE = (
    "This field should not contain any comma or semicolon or leading/trailing space"
)


def well_surrounded(code: str) -> bool:
    """Whether an identifier or code has no comma, semicolon or space around it."""
    return _SURROUNDED.match(code) is not None


def check_product(pim: Pim, product: Product, *, is_new: bool) -> list[Violation]:
    """Groups of rules one after another: the first group with a violation ends it."""
    found = _family(pim, product)
    if product.parent is not None:
        found += check_axes_filled(pim, product)
        found += _parent(pim, product)
        found += check_attributes(pim, product)
    if is_new:
        found += _version(product)
    found += check_values(pim, product.values)
    found += _unique_values(pim, product)
    found += check_quantified(pim, product)
    return found or _identifiers(pim, product) or check_axes_unique(pim, product)


def _family(pim: Pim, product: Product) -> list[Violation]:
    if product.parent is None:
        return []
    row = family_variant_of(pim, product)
    if product.family is None:
        name = pim.identifier_of(product) or product.uuid
        return [
            violation(
                "family",
                f'The family cannot be "null" because your product with the {name} identifier '
                "is a variant product.",
            )
        ]
    if row is not None and row["family"] != product.family:
        return [violation("family", "The variant product family must be the same than its parent")]
    return []


def _parent(pim: Pim, product: Product) -> list[Violation]:
    row = family_variant_of(pim, product)
    depth = len(row["variant_attribute_sets"]) if row is not None else 0
    if len(pim.ancestors_of(product)) >= depth:
        return []
    return [
        violation(
            "parent",
            f'The variant product cannot have product model "{product.parent}" as parent, '
            "(this product model can only have other product models as children)",
        )
    ]


def _version(product: Product) -> list[Violation]:
    version = uuids.UUID(product.uuid).version
    if version == 4:
        return []
    text = f'The version of the uuid "{product.uuid}" should be 4, {version} given.'
    return [violation("uuid", text)]


def _unique_values(pim: Pim, product: Product) -> list[Violation]:
    found = []
    for (code, channel, locale), data in product.values.items():
        attribute = pim.catalog.attributes.get(code)
        if attribute is None or not attribute.unique or attribute.type == IDENTIFIER:
            continue
        if attribute.type not in UNIQUE_TYPES:
            continue
        owner = pim.uniques.get((code, to_text(data).lower()))
        if owner not in (None, product.uuid):
            shown_data = data[:10] if attribute.type.endswith("_date") else to_text(data)
            message = (
                f"The {code} attribute can not have the same value more than once. "
                f"The {shown_data} value is already set on another product."
            )
            shown = {"property": "values", "attribute": code, "locale": locale, "scope": channel}
            found.append(
                Violation(path=f"values[{code}]", template="unique", message=message, shown=shown)
            )
    return found


def _identifiers(pim: Pim, product: Product) -> list[Violation]:
    found = []
    for (code, _, _), data in product.values.items():
        attribute = pim.catalog.attributes.get(code)
        if attribute is None or attribute.type != IDENTIFIER:
            continue
        for message in _identifier_messages(pim, product, code, str(data)):
            found.append(
                Violation(
                    path=f"values[{code}]",
                    template=message,
                    message=message,
                    shown={"property": "identifier"},
                )
            )
    return found


def _identifier_messages(pim: Pim, product: Product, code: str, data: str) -> list[str]:
    messages = []
    owner = pim.uniques.get((code, data.lower()))
    if owner not in (None, product.uuid):
        if code == pim.catalog.main_identifier:
            messages.append(f"The {data} identifier is already used for another product.")
        else:
            messages.append(
                f"The {data} value is already set on another product "
                f"for the {code} identifier attribute."
            )
    if not well_surrounded(data):
        messages.append(SURROUNDED_MESSAGE)
    if "\n" in data or "\r" in data:
        messages.append("This field should not contain any line break")
    return messages
