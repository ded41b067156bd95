"""Variants: rows inside a record that have identifiers of their own."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from drafting.attributes import proposals
from drafting.identifiers import BARCODES, CODES, IDS, NUMBERS, Identifier, identifier_of
from drafting.records import OTHER_NAMES
from drafting.sample import Names
from drafting.statistics import Place, places_of
from drafting.wishes import Wish, Wishes
from drafting.words import concept, named, squashed, tokens, words_of
from pim_connector.akeneo.structure import Structure

VARIANTS = named("variants")
NOT_VARIANTS = OTHER_NAMES - words_of("option value") | words_of(
    "barcode accessory related component bom part uom packaging supplier stock inventory batch kit"
)
AXES = ("colour", "size")


@dataclass(frozen=True, slots=True)
class Variants:
    """Where the variants are, as records of their own, and what tells them apart."""

    name: str
    place: Place
    top: Place
    identifier: Identifier
    axis: str

    def family_variant(
        self, structure: Structure | None, wishes: Wishes
    ) -> tuple[str, set[str]] | None:
        """A family variant of the PIM whose axes the rows can fill, and its attributes."""
        if structure is None or not structure.family_variants:
            return None
        found = proposals([*wishes.every()], structure, set())
        codes = {proposal.attribute.code for proposal in found.values()}
        fitting = [
            (len(one.axes), variant.code, {*one.attributes, *one.axes})
            for variant in structure.family_variants
            for one in variant.variant_attribute_sets[:1]
            if len(variant.variant_attribute_sets) == 1 and set(one.axes) <= codes
        ]
        best = max(fitting, default=None, key=lambda each: each[0])
        return None if best is None else best[1:]


def variants_of(top: Place, names: Names, identifier: Identifier) -> Variants | None:
    """The variants of records; None where there are none.

    Rows with an identifier that is unique over all records, and something besides: a price, a
    parameter. Rows that name other records of the file are links, pictures have numbers too.
    """
    best: tuple[float, Variants] | None = None
    for place in top.inside():
        if place.is_attribute or not place.below or "[" in place.path:
            continue
        word = squashed(place.name)
        called = bool({word, *tokens(place.name)} & VARIANTS)
        if NOT_VARIANTS.intersection(tokens(place.name)) and not called:
            continue
        if not place.repeated and not (word in ("variant", "variation", "variante") and called):
            continue
        own = places_of([node for _, node in place.nodes], names)
        rows = len(own.nodes)
        found = identifier_of(own, rows)
        if found is None or len(found.values) < rows or "[" in found.path:
            continue
        texts = set(found.values.values())
        step = squashed(found.path.rpartition("/")[2].lstrip("@").rpartition(":")[2])
        coded = step in NUMBERS | BARCODES or step.endswith("sku")
        if len(texts) < rows or texts & set(identifier.values.values()):
            continue
        more = [p for p in own.inside() if p.texts and p.path != found.path]
        if not more or not (coded or (called and step in CODES | IDS)):
            continue
        if found.score < 0.25 or (not called and len(more) < 2):
            continue
        score = found.score + 0.5 * called + min(len(more), 6) / 10
        if best is None or score > best[0]:
            name = "_".join(tokens(place.name)) or "variant"
            best = (score, Variants(name, place, own, found, _axis(own)))
    return None if best is None else best[1]


def _axis(top: Place) -> str:
    """The colour or the size that tells variants apart, by the names and keys of their leaves."""
    said = {p.name for p in top.inside() if p.texts}
    said |= {v for p in top.inside() if squashed(p.name) in ("name", "key") for v in p.values}
    meant = {found[0] for name in said if (found := concept(name))}
    return next((axis for axis in AXES if axis in meant), "size")


def as_products(wishes: Wishes, up: str) -> Wishes:
    """What the records around say, as the variants inside them see it."""
    plain = [_from_above(w, up) for w in wishes.plain]
    for rows, own in wishes.rows:
        for wish in own:
            path = rows.path_of(wish.key or "")
            unit = (
                wish.unit
                if not isinstance(wish.unit, dict)
                else _beside(path, rows.value, wish.unit)
            )
            money = _beside(path, rows.value, wish.currency) if wish.currency else None
            plain.append(_from_above(replace(wish, key=None, path=path, rule={"from": path},
                                             unit=unit, currency=money), up))  # fmt: skip
    return Wishes(plain=plain)


def _beside(path: str, value: str, source: dict[str, Any]) -> dict[str, Any]:
    row = path if value == "." else path[: -len(value) - 1]
    return {**source, "from": f"{row}/{source['from']}"}


def _from_above(wish: Wish, up: str) -> Wish:
    def lifted(value: Any, inner: bool = False) -> Any:
        if isinstance(value, dict):
            return {k: lifted(v) if k in ("from", "each") else v for k, v in value.items()}
        return value if not isinstance(value, str) or inner else _up(value, up)

    rule = dict(wish.rule)
    if "each" in rule:
        rule["each"] = lifted(rule["each"])
    else:
        rule["from"] = lifted(rule["from"])
    lift = "each" not in rule
    return replace(
        wish, path=_up(wish.path, up), rule=rule,
        first=_up(wish.first, up) if wish.first else None,
        unit=lifted(wish.unit) if lift and isinstance(wish.unit, dict) else wish.unit,
        currency=lifted(wish.currency) if lift else wish.currency,
    )  # fmt: skip


def _up(path: str, up: str) -> str:
    return " | ".join(re.sub(r"^(\(*)", rf"\1{up}", part) for part in path.split(" | "))
