"""What the PIM would say of a record as a whole: its fields, and the places of its values.

A value by itself is judged where it is shaped; here stands what needs several of them, or the lists
of the PIM: categories, families, association types, the levels of a family variant. What the
structure does not know is not judged.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pim_connector.mapping.converters import Refusal
from pim_connector.mapping.loading import nearest

if TYPE_CHECKING:
    from pim_connector.akeneo.structure import FamilyVariant, Structure
    from pim_connector.mapping.results import Json, Slot

_RESOURCES = {
    "categories": "categories",
    "add_categories": "categories",
    "family": "families",
    "family_variant": "family_variants",
    "associations": "association_types",
    "quantified_associations": "association_types",
}
_THINGS = {
    "categories": "category",
    "families": "family",
    "family_variants": "family variant",
    "association_types": "association type",
}


def spelled_field(key: tuple[str, ...], data: Json, structure: Structure) -> Json:
    """Return a field's data as the PIM spells its codes. Raises Refusal for what it has not."""
    known = structure.spellings.get(_RESOURCES.get(key[0], ""))
    if known is None or data is None:
        return data
    what = _THINGS[_RESOURCES[key[0]]]
    if len(key) == 3:
        _spelled(what, key[1], known)
        return data
    if isinstance(data, list):
        return [_spelled(what, str(code), known) for code in data]
    return _spelled(what, str(data), known)


def _spelled(what: str, code: str, known: Mapping[str, str]) -> str:
    found = known.get(code.casefold())
    if found is None:
        raise Refusal(
            f"the PIM has no {what} {code}{nearest(code, known.values())}",
            code,
            advice=f"add the {what} in the PIM, or correct it in the ERP or in the mapping",
        )
    return found


def family_contradiction(
    family: str | None, family_variant: str | None, structure: Structure
) -> str | None:
    """Say that a model's family is not that of its family variant; None where nothing is wrong."""
    variant = structure.family_variant(family_variant) if family_variant else None
    if variant is None or variant.family is None or family is None:
        return None
    if family.casefold() == variant.family.casefold():
        return None
    return f"the family variant {variant.code} belongs to the family {variant.family}, not {family}"


def misplaced(
    codes: Collection[str], variants: Collection[FamilyVariant], level: int, structure: Structure
) -> Iterator[tuple[str, str]]:
    """Tell attributes that none of the family variants has at a level, each with words on it.

    Level 0 is the root model's, -1 the variants' own.
    """
    if not variants:
        return
    for code in codes:
        places = [_place(code, variant, level, structure) for variant in variants]
        if all(places):
            yield code, str(places[0])


def _place(code: str, variant: FamilyVariant, level: int, structure: Structure) -> str | None:
    levels = structure.levels.get(variant.code)
    if levels is None:
        return None
    if level >= len(levels):
        return f"{variant.code} has no such level: its models have no parent"
    own = level % len(levels)
    if code in levels[own]:
        return None
    family = variant.family
    owner = next((n for n, held in enumerate(levels) if code in held), None)
    if owner is None:
        return f"the family {family} has no attribute {code}: the PIM refuses it here"
    here = _level_name(own, len(levels))
    return (
        f"belongs to the {_level_name(owner, len(levels))} of {variant.code}: "
        f"the PIM drops it on the {here} without a word"
    )


def _level_name(level: int, levels: int) -> str:
    if level == levels - 1:
        return "variants"
    return "product model" if level == 0 else "sub-model"


def variants_of(
    family: str | None, named: Collection[str], structure: Structure
) -> list[FamilyVariant]:
    """Return the family variants that a variant may belong to.

    Those that the mapping's models name, as far as they are of the family, else all of the family.
    """
    known = structure.family_variants or ()
    chosen = [v for v in known if v.code in named and (family is None or v.family == family)]
    return chosen or [v for v in known if family is not None and v.family == family]


def field_of(slots: Iterable[Slot], name: str) -> str | None:
    """Return what a record says of one of its codes, such as its family."""
    data = next((slot.data for slot in slots if slot.key == (name,)), None)
    return data if isinstance(data, str) else None
