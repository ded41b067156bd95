"""What identifies records: a leaf that is unique, always there, and looks like a number of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from drafting.rows import KeyRows, key_rows
from drafting.statistics import Place
from drafting.values import kind_of
from drafting.words import named, squashed, tokens, unprefixed

NUMBERS = named("numbers")
IDS = named("ids")
CODES = named("codes")
WORDS = named("weak_ids")
BARCODES = named("barcodes")
OTHERS = named("other_codes")
"""Words in the names of codes that are those of something else."""
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?")
MOST_LETTERS = 64


@dataclass(frozen=True, slots=True)
class Identifier:
    """Where the identifier is read, its values by record, how good it is (0 to 1), and doubts."""

    path: str
    values: dict[int, str]
    score: float
    doubts: tuple[str, ...] = ()
    place: Place | None = None


def identifier_of(
    top: Place, records: int, languages: dict[int, str] | None = None
) -> Identifier | None:
    """The best identifier of records; None where nothing is unique and complete enough.

    `languages` is what records say theirs to be where there is one per product and language.

    Where records are rows of keys and values it may be one of these: `field[@name = 'id']`.
    """
    found = [_rated(p.path, p.name, _around(p), p.said(), records, p, languages)
             for p in top.single()]  # fmt: skip
    found += [
        _rated(rows.path_of(key), key, "", dict(rows.said(key)), records, None, None)
        for rows in _all_rows(top)
        for key in rows.keys
        if not rows.twice(key)
    ]
    rated = sorted((f for f in found if f.score > 0), key=lambda each: -each.score)
    if not rated:
        return None
    best = rated[0]
    texts = list(best.values.values())
    doubts = []
    repeats = len(texts) - len(set(texts))
    if repeats and not languages:
        doubts.append(f"not unique: {repeats} of {len(texts)} sampled repeat another")
    if len(texts) < records:
        doubts.append(f"missing in {records - len(texts)} of {records} sampled records")
    near = [each.path for each in rated[1:4] if each.score > 0.6 * best.score]
    if near:
        doubts.append(f"or {', '.join(near)}")
    return Identifier(best.path, best.values, best.score, tuple(doubts), best.place)


def _all_rows(top: Place) -> Iterator[KeyRows]:
    for place in top.inside():
        rows = key_rows(place) if place.repeated and not place.is_attribute else None
        if rows is not None:
            yield rows


def _around(place: Place) -> str:
    above = place.above
    return above.name if above is not None and above.above is not None else ""


def _rated(
    path: str, name: str, around: str, said: dict[int, str], records: int, place: Place | None,
    languages: dict[int, str] | None,
) -> Identifier:  # fmt: skip
    texts = list(said.values())
    if not texts or not records:
        return Identifier(path, said, 0.0)
    slots = {(text, (languages or {}).get(record)) for record, text in said.items()}
    unique = len(slots) / len(texts)
    if languages and len(set(texts)) == len(texts):
        unique *= 0.5  # a text of its own in each language
    complete = len(texts) / records
    score = _named(name, around) * unique**3 * complete**2 * _looks(texts, place)
    score *= 0.93 ** min(path.count("/"), 8)
    return Identifier(path, said, score, (), place)


def _named(name: str, around: str) -> float:
    """How much a name, or that of the element around it, says that this is the number."""
    word, outer = squashed(unprefixed(name)), squashed(around)
    for said, most in ((word, 1.0), (outer if word in ("value", "id", "code", "no") else "", 0.95)):
        if said in NUMBERS:
            return most
        if said in BARCODES:
            return 0.5 * most
    if word in CODES and not {*tokens(around)} & OTHERS:
        return 0.9
    if word in IDS:
        foreign = {*tokens(around)} & OTHERS
        return 0.25 if foreign else 0.85
    if word in WORDS:
        return 0.3
    words = tokens(name)
    if OTHERS.intersection(words) or any(word.startswith(other) for other in ("position", "line")):
        return 0.1
    if any(part in word for part in ("group", "category", "currency", "tariff", "class")):
        return 0.1
    if word.endswith(("sku", "productid", "itemid", "itemno", "artnr", "articleno")):
        return 0.8
    if words and words[-1] in ("id", "number", "code", "nr", "no", "guid", "ref", "key"):
        return 0.6
    return 0.5 if word.endswith("id") or word.startswith("id") else 0.2


def _looks(texts: list[str], place: Place | None) -> float:
    """How much values look like numbers of products: short, no sentences, no dates."""
    seen = texts[:200]
    good = 1.0
    if max(len(text) for text in seen) > MOST_LETTERS or any("://" in text for text in seen):
        good *= 0.2
    if any(text.count(" ") > 2 for text in seen) or (place is not None and place.markup):
        good *= 0.2
    if any(c in text for text in texts for c in ",;\n"):
        good *= 0.1  # the PIM refuses these in identifiers
    if texts == [str(n) for n in range(1, len(texts) + 1)] and len(texts) > 1:
        good *= 0.7  # the number of the line, perhaps
    if kind_of("x", seen).name in ("date", "boolean", "metric"):
        good *= 0.2
    if all(re.fullmatch(r"\d+[.,]\d{1,2}", text) for text in seen):
        good *= 0.3  # amounts
    if all(_GUID.fullmatch(text) for text in seen):
        good *= 1.05
    return good
