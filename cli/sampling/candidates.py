"""Which of the repeated elements of a file are its records."""

from __future__ import annotations

from dataclasses import dataclass

from cli.sampling.outline import Outline, Place
from cli.sampling.words import tokens, words_of

RECORD_NAMES = words_of(
    "product products article item offer sku entry good goods shopitem artikel produkt "
    "produit producto prodotto tovar товар record row line part position material o"
)
OTHER_NAMES = words_of(
    "category categories structure group param feature attribute property image picture mime "
    "header map mapping node price prices option settings assignment recommendation currency "
    "supplier buyer party address media content document catalog classification variation "
    "reference association value resource page worksheet sheet table database schema"
)
LISTS = words_of("list collection array set rows items body data")
"""Last words in the names of elements around the records."""
CODES = words_of("sku code ean gtin barcode barkod articlenumber artnr itemnumber productcode upc")
VARIANTS = words_of("variation variant")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A place whose elements may be the records."""

    path: str
    count: int
    leaves: int
    score: float


def candidates(outline: Outline) -> list[Candidate]:
    """The places that may hold the records, the most likely first; at most 8.

    Rich in different values, repeated, and with a name that products have. A place inside another
    one, once in each, is part of that record; so are repeats inside.
    """
    places = [place for place in outline.places() if place.above and not _is_wrapper(place)]
    rated = sorted(
        ((_score(place), n, place) for n, place in enumerate(places)),
        key=lambda each: (-each[0], each[1]),
    )
    chosen: list[Place] = []
    for score, _, place in rated:
        outer = _outermost(place)
        around = any(_inside(outer, other) or _inside(other, outer) for other in chosen)
        if score > 0 and outer not in chosen and not around:
            chosen.append(outer)
        if len(chosen) == 8:
            break
    found = [Candidate(p.path, p.count, p.leaves, _score(p)) for p in chosen]
    if chosen:
        found = _with_twins(found, chosen[0], [*outline.places()])
    return [each for each in found if each.score >= 0.1 * found[0].score]


def inside_of(outline: Outline, record: str) -> list[Candidate]:
    """Repeated places inside the records that may be variants: they have codes of their own."""
    return [
        Candidate(place.path, place.count, place.leaves, 0.0)
        for place in outline.places()
        if place.path.startswith(f"{record}/") and place.most > 1 and _has_code(place)
    ][:4]


def _has_code(place: Place) -> bool:
    names = {*place.attributes, *(below.name for below in place.below.values())}
    codes = {"".join(tokens(name)) for name in names} & CODES
    other = OTHER_NAMES.intersection(tokens(place.name)) - VARIANTS
    return bool(codes) and not other and place.leaves >= (6 if codes == {"code"} else 3)


def _is_wrapper(place: Place) -> bool:
    """Whether a place holds little more than the records, or the only one.

    One that is repeated, a section of a list, holds nothing else but one value. What has a
    product's name itself is a wrapper only around what has one, too.
    """
    if place.above is None or place.above.above is None:
        return False
    if place.most > 1:
        inside = (s for s in place.below.values() if s.most > 1 and s.leaves >= place.leaves - 1)
        return any(tokens(s.name)[-1:] and tokens(s.name)[-1] in RECORD_NAMES for s in inside)
    named = place.name.lower() in RECORD_NAMES
    return any(
        _is_entry(inner)
        and inner.leaves >= 0.6 * place.leaves
        and (not named or inner.name.lower() in RECORD_NAMES)
        for inner in place.inside()
    )


def _is_entry(place: Place) -> bool:
    """Whether a place could be a record by how it stands: repeated, well named, or in a list."""
    if place.leaves < 2 or OTHER_NAMES.intersection(tokens(place.name)):
        return False
    around = tokens(place.above.name)[-1:] if place.above else ()
    in_list = bool(LISTS.intersection(around)) and not LISTS.intersection(tokens(place.name)[-1:])
    return place.most > 1 or place.name.lower() in RECORD_NAMES or in_list


def _with_twins(found: list[Candidate], best: Place, places: list[Place]) -> list[Candidate]:
    """The best and those like it under other parents as one: `/shop/*/article`."""
    twins = [place for place in places if place is best or _is_twin(place, best)]
    if len(twins) < 2 or best.above is None or best.above.above is None:
        return found
    path = f"{best.above.above.path}/*/{best.path.rpartition('/')[2]}"
    count = sum(place.count for place in twins)
    together = Candidate(path, count, max(p.leaves for p in twins), found[0].score)
    paths = {place.path for place in twins}
    return [together, *(each for each in found if each.path not in paths)]


def _is_twin(place: Place, best: Place) -> bool:
    """Whether a place is what the records are, under another parent beside theirs."""
    if place.above is None or best.above is None or place.name != best.name:
        return False
    if place.above is best.above or place.above.above is not best.above.above:
        return False
    mine, theirs = set(place.below), set(best.below)
    return bool(theirs) and len(mine & theirs) >= 0.6 * len(mine | theirs)


def _score(place: Place) -> float:
    above, leaves = place.above, max(place.leaves, _cells(place))
    if above is None or above.above is None or leaves < 2:
        return 0.0
    words = tokens(place.name)
    factor = 1.0 if place.most > 1 else 0.35
    if place.name.lower() in RECORD_NAMES or (words and words[-1] in RECORD_NAMES):
        factor *= 3.0
    elif RECORD_NAMES.intersection(words):
        factor *= 1.5
    if OTHER_NAMES.intersection(words):
        factor *= 0.2
    repeated_above = _repeats_above(place)
    return min(leaves, 40) * factor * (0.3**repeated_above)


def _cells(place: Place) -> int:
    """How many cells a row of a table has: as many values, though they are all of one name."""
    (cell,) = place.below.values() if len(place.below) == 1 else (None,)
    plain = cell is not None and (
        cell.leaves <= 1 or (not cell.below and len(cell.attributes) <= 4)
    )
    return cell.most if cell is not None and plain and place.most > 1 else 0


def _repeats_above(place: Place) -> int:
    """How many repeated elements around hold more than these and a name of their own."""
    found, above = 0, place.above
    while above is not None:
        found += above.most > 1 and above.leaves > place.leaves + 2
        above = above.above
    return found


def _outermost(place: Place) -> Place:
    """The element around it, as long as each holds just one and is itself repeated."""
    while (
        place.above is not None
        and place.above.above is not None
        and place.most == 1
        and place.above.count == place.count > 1
    ):
        place = place.above
    return place


def _inside(inner: Place, outer: Place) -> bool:
    return inner.path.startswith(f"{outer.path}/")
