"""Attributes of the PIM by name, label, options and type; without a PIM, codes of the names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from drafting.wishes import Wish
from drafting.words import concept, plain, squashed, tokens, words_of
from pim_connector.akeneo.structure import Attribute, Structure
from pim_connector.mapping.converters import Refusal, to_code
from pim_connector.mapping.language import CodeFormat
from pim_connector.mapping.values import TYPES

ACCEPTED = 0.55
SURE = 0.8
_RESERVED = words_of(
    "id identifier uuid categories category enabled family groups group parent products "
    "values scope label attributes associations associationtypes completeness treeid"
)
"""Codes that Akeneo keeps for itself."""
_TELLING = frozenset(("url", "link", "href", "website"))
"""Words in a code that only addresses can fill."""
FITS: dict[str, dict[str, float]] = {
    "text": {"text": 1, "textarea": 0.95, "simple_select": 1, "multi_select": 0.9,
             "reference_entity": 0.9, "reference_entity_collection": 0.85},
    "html": {"textarea": 1, "text": 0.75},
    "url": {"text": 1, "textarea": 0.7, "image": 0.6},
    "number": {"number": 1, "metric": 0.95, "price": 0.9, "text": 0.9, "simple_select": 0.85},
    "price": {"price": 1, "number": 0.8},
    "metric": {"metric": 1, "number": 0.8, "text": 0.7, "simple_select": 0.7},
    "boolean": {"boolean": 1, "simple_select": 0.7, "text": 0.7, "number": 0.7},
    "date": {"date": 1, "text": 0.7},
    "image": {"image": 1, "asset_collection": 1, "file": 0.8, "text": 0.7},
    "file": {"file": 1, "asset_collection": 1, "text": 0.7},
}  # fmt: skip
"""How well a kind of value suits a type of attribute."""
_PICTURES = frozenset(("pic", "picture", "image", "img", "thumb", "photo", "icon", "logo"))
MOST_OF_A_NAME = 80


@dataclass(frozen=True, slots=True)
class Proposal:
    """An attribute for a wish, how sure that is (0 to 1), and what else came near."""

    attribute: Attribute
    score: float
    others: tuple[str, ...] = ()


def proposals(wishes: list[Wish], structure: Structure, taken: set[str]) -> dict[int, Proposal]:
    """The best attribute for each wish by `id`; each attribute once, to the wish it suits best."""
    main = structure.main_identifier
    attributes = [
        a for a in structure.attributes or ()
        if a.type in TYPES and (main is None or a is not main) and a.code not in taken
    ]  # fmt: skip
    rated = sorted(
        (
            (score, -n, wish, attribute)
            for n, wish in enumerate(wishes)
            for attribute in attributes
            if (score := rate(wish, attribute, structure)) >= ACCEPTED
        ),
        key=lambda each: (-each[0], -each[1], each[3].code),
    )
    found: dict[int, Proposal] = {}
    near: dict[int, list[str]] = {}
    given = set(taken)
    for score, _, wish, attribute in rated:
        if id(wish) not in found and attribute.code not in given:
            given.add(attribute.code)
            found[id(wish)] = Proposal(attribute, score)
        else:
            near.setdefault(id(wish), []).append(f"{attribute.code} ({score:.2f})")
    _left_over(wishes, attributes, given, found)
    return {
        key: Proposal(p.attribute, p.score, tuple(near.get(key, ())[:3]))
        for key, p in found.items()
    }


def _left_over(
    wishes: list[Wish], attributes: list[Attribute], given: set[str], found: dict[int, Proposal]
) -> None:
    """Attributes that no name led to: the only one for prices, pictures in order, the name."""
    free = [w for w in wishes if id(w) not in found]
    prices = [a for a in attributes if TYPES[a.type] == "price"]
    images = [a for a in attributes if TYPES[a.type] == "image" and a.code not in given]
    names = [a for a in attributes if concept(a.code) == ("name", True) and a.code not in given]
    pairs = list(zip((w for w in free if w.kind.name == "image"), images, strict=False))
    if len(prices) == 1 and prices[0].code not in given:
        pairs += [(w, prices[0]) for w in free if w.kind.name == "price"][:1]
    described = (w for w in wishes if id(w) in found and _is_description(found[id(w)].attribute))
    pairs += [(w, a) for a in names[:1] for w in [*described, *free] if _is_name(w)][:1]
    for wish, attribute in pairs:
        found[id(wish)] = Proposal(attribute, ACCEPTED)


def _is_description(attribute: Attribute) -> bool:
    meant = concept(attribute.code)
    return meant is not None and meant[0] == "description"


def _is_name(wish: Wish) -> bool:
    """Whether texts could be names: short, with letters, and most of them different."""
    texts = wish.values
    words = all(re.search(r"[^\W\d_]{3}", text) and len(text) <= MOST_OF_A_NAME for text in texts)
    several = len(texts) > 1 or bool(wish.languages)
    return (
        wish.kind.name == "text" and words and several and not wish.several and wish.key is None
        and len(set(texts)) >= 0.7 * len(texts)
    )  # fmt: skip


def rate(wish: Wish, attribute: Attribute, structure: Structure) -> float:
    """How well an attribute suits a wish, by its names and its kind: 0 not at all, 1 the same."""
    fit = FITS.get(wish.kind.name, {}).get(TYPES[attribute.type], 0.0)
    if _PICTURES & {*tokens(wish.names[0])} and wish.kind.name not in ("image", "url", "file"):
        fit *= 0.5
    told = set(tokens(attribute.code)) & _TELLING
    if not fit or (told and wish.kind.name not in ("url", "image", "file")):
        return 0.0
    known = [attribute.code, *attribute.labels.values()]
    alike = max(
        likeness(name, code) * (1.0 if n == 0 else 0.95)
        for n, name in enumerate(wish.names)
        for code in known
    )
    if alike < SURE and TYPES[attribute.type] in ("simple_select", "multi_select"):
        alike = max(alike, 0.62 * _of_options(wish, attribute, structure))
    if bool(wish.languages) == attribute.localizable:
        alike *= 1.01
    if attribute.scopable:
        alike *= 0.99
    return fit * alike


def _of_options(wish: Wish, attribute: Attribute, structure: Structure) -> float:
    """The share of values that are options of an attribute, where several are known."""
    known = {code.casefold() for code in structure.options(attribute.code) or ()}
    said = {value.casefold() for value in wish.values}
    shared = len(said & known) / len(said) if said else 0.0
    return shared if shared >= 0.8 and len(said & known) > 1 else 0.0


def likeness(name: str, code: str) -> float:
    """How alike two names are: 1 the same words, 0.9 the same concept, less by words in common."""
    mine, theirs = squashed(name), squashed(code)
    if not mine or not theirs:
        return 0.0
    if mine == theirs:
        return 1.0
    words, other = set(tokens(name)), set(tokens(code))
    if {w for w in words if w.isdigit()} != {w for w in other if w.isdigit()} and words & other:
        words.add("#")
    meant, means = concept(name), concept(code)
    if meant and means and meant[0] == means[0] and (meant[1] or means[1]):
        plainest = 0.02 * (theirs == squashed(means[0]))
        return (0.9 if meant[1] and means[1] else 0.7) + plainest
    if meant and means and (meant, means) == (("list_price", True), ("price", True)):
        return 0.75
    shared = len(words & other) / len(words | other)
    ratio = difflib.SequenceMatcher(None, mine, theirs).ratio() if len(mine) > 3 else 0.0
    return max(0.85 * shared if shared >= 0.5 else 0.0, 0.9 * ratio if ratio >= 0.82 else 0.0)


def code_of(names: Iterable[str], taken: set[str]) -> str:
    """A new attribute code of a wish's names; never one that is taken or reserved."""
    codes = [_code(name) for name in names]
    for code in (*codes, "_".join(reversed(codes[:2]))):
        if code and code not in _RESERVED and code not in taken:
            taken.add(code)
            return code
    base = next((code for code in codes if code), "attribute")
    number = next(n for n in range(2, 100_000) if f"{base}_{n}" not in taken)
    taken.add(f"{base}_{number}")
    return f"{base}_{number}"


def _code(name: str) -> str:
    name = plain(name)
    meant = concept(name)
    if meant and meant[1] and not name.isascii():
        return meant[0]
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    try:
        code = to_code(spaced, CodeFormat(max_length=60))
    except Refusal:
        return ""
    return f"a_{code}" if code[:1].isdigit() else code
