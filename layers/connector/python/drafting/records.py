"""Which elements of a file are its records: by their structure first, by their names second."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from lxml import etree

from drafting.identifiers import identifier_of
from drafting.rows import key_rows, literal
from drafting.sample import Element, Names
from drafting.statistics import Place, places_of
from drafting.words import concept, named, squashed, tokens

RECORD_NAMES = named("records")
OTHER_NAMES = named("not_records")
KINDS = named("kinds")
GOODS = frozenset(
    ("price", "ean", "sku", "weight", "brand", "stock", "description", "image", "mpn", "name",
     "colour", "size", "vat_rate", "unit_of_measure")
)  # fmt: skip
"""Concepts that say: these are goods."""
MOST_SAMPLED = 300
MOST_CANDIDATES = 80


@dataclass(slots=True)
class Candidate:
    """A place whose elements may be the records; `when` picks one kind of them."""

    path: str
    elements: list[Element]
    score: float
    leaves: int
    when: str | None = None
    doubts: list[str] = field(default_factory=list)


def candidates(root: Element, names: Names) -> list[Candidate]:
    """Places that may hold the records, the best first; at most 8.

    A record repeats, has a leaf that is unique and complete, is alike from one to the next (a
    container of different things is not), and says what goods say: a price, a name, a weight.
    """
    outline = places_of([root], names, f"/{names.element(root)}")
    places = [p for p in outline.inside() if not p.is_attribute and p.below]
    places.sort(key=lambda p: -min(len(p.nodes), 50) * min(_leaves(p), 30))
    known: dict[str, bool] = {}
    rated = [_rated(place, names, known) for place in places[:MOST_CANDIDATES]]
    rated = [each for each in rated if each[1].score > 0]
    rated.sort(key=lambda each: -each[1].score)
    chosen: list[tuple[Place, Candidate]] = []
    for place, candidate in rated:
        outer = _hoisted(place)
        around = any(_holds(other, outer) or _holds(outer, other) for other, _ in chosen)
        if not around and all(outer is not other for other, _ in chosen):
            score = candidate.score
            chosen.append((outer, Candidate(outer.path, _nodes(outer), score, _leaves(outer))))
        if len(chosen) == 8:
            break
    if not chosen:
        return []
    best, first = chosen[0]
    together = _with_twins(best, first, outline)
    mine = set(together.elements)
    found = [together, *(c for _, c in chosen[1:] if c.elements[0] not in mine)]
    return [each for each in found if each.score >= 0.1 * first.score]


def elements_at(root: Element, names: Names, path: str) -> list[Element]:
    """The elements at a path of names, `*` and `//`; those inside another one of them left out."""
    steps = re.findall(r"(//?)([^/]+)", path)
    parts = [
        ("(?:/[^/]+)*/" if slashes == "//" else "/") + ("[^/]+" if step == "*" else re.escape(step))
        for slashes, step in steps
    ]
    pattern = re.compile("".join(parts))
    found: list[Element] = []

    def walk(node: Element, above: str) -> None:
        here = f"{above}/{names.element(node)}"
        if pattern.fullmatch(here):
            found.append(node)
            return
        for child in node.iterchildren(etree.Element):
            walk(child, here)

    walk(root, "")
    return found


def _nodes(place: Place) -> list[Element]:
    return [node for _, node in place.nodes]


def _leaves(place: Place) -> int:
    """How many different values elements of a place can hold, repeats counted once."""
    return sum(1 for inner in place.inside() if inner.texts) or 0


def _rated(place: Place, names: Names, known: dict[str, bool]) -> tuple[Place, Candidate]:
    nodes = _nodes(place)
    top = places_of(nodes[:MOST_SAMPLED], names)
    single = list(top.single())
    own, cells = len(single) + _keys(top), _cells(top)
    if max(own, cells) < 2:
        return place, Candidate(place.path, nodes, 0.0, own)
    sampled = len(top.nodes)
    identifier = identifier_of(top, sampled)
    score = math.sqrt(min(max(own, cells), 30))
    score *= 0.25 + (identifier.score if identifier else 0.0)
    score *= _alike(top) ** 2
    score *= _named(place)
    score *= 1 + 0.3 * min(len(_concepts(top)), 5)
    score *= 1.0 + math.log10(len(nodes)) / 10 if len(nodes) > 1 else 0.4
    score *= 0.3 ** _records_above(place, names, known)
    if _is_tree(single):
        score *= 0.2
    if len(nodes) == 1 and _wraps(place):
        score *= 0.2
    return place, Candidate(place.path, nodes, score, _leaves(top))


def _wraps(place: Place) -> bool:
    """Whether a lone element holds little more than an element that has a record's name."""
    named = (p for p in place.elements if squashed(p.name) in RECORD_NAMES and p.below)
    return any(_leaves(inner) >= 0.6 * _leaves(place) - 1 for inner in named)


def _alike(top: Place) -> float:
    """The share of elements that have what most of them have: 1 unless they are of many kinds."""
    core = max((p.parents for p in top.below.values()), default=0)
    return min(1.0, core / len(top.nodes))


def _keys(top: Place) -> int:
    """How many values stand in rows: one per key, or per element that repeats."""
    repeats = [p for p in top.inside() if p.repeated and not p.is_attribute][:20]
    found = [key_rows(place) for place in repeats]
    return sum(min(len(rows.keys), 12) if rows else 1 for rows in found)


def _cells(top: Place) -> int:
    """How many cells a row of a table has: as many values, though they are all of one name."""
    cells = [place for place in top.elements if place.most > 2]
    return cells[0].most if len(top.elements) == 1 and cells and _leaves(cells[0]) <= 4 else 0


def _concepts(top: Place) -> set[str]:
    said = (concept(place.name) for place in top.inside() if place.texts)
    return {each[0] for each in said if each} & GOODS


def _named(place: Place) -> float:
    words = tokens(place.name)
    if squashed(place.name) in RECORD_NAMES or (words and words[-1] in RECORD_NAMES):
        return 2.0
    if RECORD_NAMES.intersection(words):
        return 1.3
    return 0.3 if OTHER_NAMES.intersection(words) else 1.0


def _records_above(place: Place, names: Names, known: dict[str, bool]) -> int:
    """How many repeated elements around are records themselves: they have a number of their own."""
    found, above = 0, place.above
    while above is not None and above.above is not None:
        named = squashed(above.name) in RECORD_NAMES
        if (len(above.nodes) > 1 and above.parents < len(above.nodes)) or named:
            if above.path not in known:
                known[above.path] = _is_numbered(above, names)
            found += known[above.path]
        above = above.above
    return found


def _is_numbered(place: Place, names: Names) -> bool:
    top = places_of(_nodes(place)[:MOST_SAMPLED], names)
    repeats = [p for p in top.elements if p.repeated]
    identifier = identifier_of(top, len(top.nodes))
    own = sum(1 for _ in top.single())
    good = 0.4 if len(top.nodes) > 1 else 0.3
    return bool(repeats) and identifier is not None and (identifier.score > good or own >= 3)


def _is_tree(single: list[Place]) -> bool:
    """Whether rows name a parent among themselves: a tree of categories."""
    values = {p.step: set(p.values) for p in single if len(p.texts) > 1}
    for place in single:
        if "parent" in tokens(place.name) and place.step in values:
            others = (v for step, v in values.items() if step != place.step)
            if any(len(values[place.step] & v) > 0.5 * len(values[place.step]) for v in others):
                return True
    return False


def _hoisted(place: Place) -> Place:
    """The element around that has more of the record, where each holds just one of these."""
    best = here = place
    while here.above is not None and here.above.above is not None and here.most == 1:
        here = here.above
        if not len(here.nodes) == len(place.nodes) > 1:
            break
        if any(p is not best and not _holds(best, p) for p in here.single()):
            best = here
    return best


def _holds(outer: Place, inner: Place) -> bool:
    return inner.path.startswith(f"{outer.path}/")


def _with_twins(best: Place, first: Candidate, outline: Place) -> Candidate:
    """The best and those like it elsewhere as one path: `/shop/*/article`, or `//article`."""
    twins = [p for p in outline.inside() if p is best or _is_twin(p, best)]
    beside = best.above.elements if best.above is not None else []
    if len(twins) < 2 and 1 < len(beside) < 6 and all(_alike_in(p, best) for p in beside):
        nodes = [node for p in beside for node in _nodes(p)]
        path = f"{best.path.rpartition('/')[0]}/*"
        return Candidate(path, nodes, first.score, max(_leaves(p) for p in beside))
    if len(twins) < 2:
        return first
    paths = [p.path.split("/") for p in twins]
    nodes = [node for p in twins for node in _nodes(p)]
    path = f"//{best.step}"
    if len({len(p) for p in paths}) == 1:
        columns = list(zip(*paths, strict=True))
        if sum(len(set(column)) > 1 for column in columns) == 1:
            path = "/".join(c[0] if len(set(c)) == 1 else "*" for c in columns)
    leaves = max(_leaves(p) for p in twins)
    return Candidate(path, nodes, first.score, leaves, first.when, first.doubts)


def _is_twin(place: Place, best: Place) -> bool:
    if place.step != best.step or place.is_attribute or _holds(best, place) or _holds(place, best):
        return False
    if any(p.step == place.step for p in _above(place)):
        return False
    return _alike_in(place, best)


def _alike_in(place: Place, best: Place) -> bool:
    """Whether two places hold the same things."""
    mine, theirs = set(place.below), set(best.below)
    return bool(theirs) and len(mine & theirs) >= 0.5 * len(mine | theirs)


def _above(place: Place) -> Iterable[Place]:
    above = place.above
    while above is not None:
        yield above
        above = above.above


def of_one_kind(candidate: Candidate, names: Names) -> Candidate:
    """The goods among elements of one name that stand for different things.

    Dumps write products, categories and pictures under one name and say which in a leaf:
    `<record model="product.template">`. Elements as they came where nothing tells them apart.
    """
    top = places_of(candidate.elements[:3_000], names)
    sampled = len(top.nodes)
    best: tuple[float, Place, str] | None = None
    for place in top.single():
        said = place.said()
        sizes = Counter(said.values())
        if len(said) < sampled or not 2 <= len(sizes) <= 15 or any(" " in text for text in sizes):
            continue
        if squashed(place.name) not in KINDS and not KINDS.intersection(tokens(place.name)[-1:]):
            continue
        groups = {text: _signature(top, said, text) for text in sizes}
        core = max(groups, key=lambda text: _goodness(text, groups[text]))
        goods = {text for text in sizes if {squashed(text), *tokens(text)} & RECORD_NAMES}
        apart = [
            text
            for text in sizes
            if _overlap(groups[text], groups[core]) < 0.5 or (core in goods and text not in goods)
        ]
        if not apart or (_goodness(core, groups[core]) < 1 and len(apart) < len(sizes) - 1):
            continue
        if best is None or _goodness(core, groups[core]) > best[0]:
            best = (_goodness(core, groups[core]), place, core)
    if best is None:
        return candidate
    _, place, core = best
    said = place.said()
    quoted = literal(core)
    kept = [node for n, node in enumerate(candidate.elements[:3_000]) if said.get(n) == core]
    if quoted is None or len(kept) == sampled:
        return candidate
    others = ", ".join(sorted({text for text in said.values() if text != core})[:8])
    doubt = f"the file has others of this name: {others}"
    when = f"{place.path} = {quoted}"
    return Candidate(candidate.path, kept, candidate.score, candidate.leaves, when, [doubt])


def _signature(top: Place, said: dict[int, str], kind: str) -> set[str]:
    """What most elements of one kind have: their steps, and the keys of their rows."""
    seen: Counter[str] = Counter()
    mine = {number for number, text in said.items() if text == kind}
    for place in top.inside():
        if place.path.count("/") > 2:
            continue
        holders = {number for number, _ in place.nodes} & mine
        rows = key_rows(place) if place.repeated and not place.is_attribute else None
        for key in rows.keys if rows else ():
            seen[key] += len({number for number, _ in rows.of(key)} & mine) if rows else 0
        seen[place.path] += len(holders)
    return {step for step, count in seen.items() if count >= 0.5 * len(mine)}


def _goodness(kind: str, signature: set[str]) -> float:
    words = {squashed(kind), *tokens(kind)}
    meant = {found[0] for step in signature if (found := concept(step.rpartition("/")[2]))}
    return (
        2.0 * bool(words & RECORD_NAMES)
        + 0.5 * len(meant & GOODS)
        - 2.0 * bool(words & OTHER_NAMES)
    )


def _overlap(mine: set[str], theirs: set[str]) -> float:
    return len(mine & theirs) / max(1, len(mine | theirs))
