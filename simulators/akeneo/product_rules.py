"""Is a product valid as a whole? The violations, in the PIM's order."""

import re
import uuid as uuids

from simulators.akeneo.attribute import IDENTIFIER
from simulators.akeneo.entities import Product
from simulators.akeneo.phpjson import to_text
from simulators.akeneo.pim import UNIQUE_TYPES, Pim
from simulators.akeneo.quantified import check_quantified
from simulators.akeneo.refusal import Violation, violation
from simulators.akeneo.value_rules import check_values
from simulators.akeneo.variants import (
    check_attributes,
    check_axes_filled,
    check_axes_unique,
    family_variant_of,
)

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
