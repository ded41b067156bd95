"""What of a record wants to become a value: every place once, with how it would be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cli.sampling.kinds import Kind, kind_of
from cli.sampling.shapes import Shape
from cli.sampling.words import CURRENCY, locale_of, tokens, unit_of, words_of

GENERIC = words_of(
    "value val text string amount content data searchvalue money code . fvalue pcdata main "
    "url path href src"
)
LANGUAGE = frozenset(("lang", "language", "locale", "languageid", "sprache"))
UNIT = frozenset(("unit", "uom", "unitcode", "funit", "einheit", "measure", "units"))
CURRENCY_NAMES = frozenset(
    ("currency", "currencyid", "currencycode", "cur", "pricecurrency", "curr", "isocode")
)
NOT_SUFFIXES = frozenset(("id", "no", "is", "in", "it", "nb", "et", "el", "he", "ma"))


@dataclass(slots=True, kw_only=True, eq=False)
class Wish:
    """One value that a record could give, before it is known which attribute takes it."""

    path: str
    names: tuple[str, ...]
    kind: Kind
    values: list[str]
    rule: dict[str, Any]
    several: bool = False
    first: str | None = None
    again: bool = False
    unit: Any = None
    currency: Any = None
    languages: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    key: str | None = None

    @property
    def sample(self) -> str:
        return self.values[0] if self.values else ""


def squashed(name: str) -> str:
    """A name as one word: PRICE_CURRENCY is pricecurrency."""
    return "".join(tokens(name))


def names_of(shape: Shape) -> tuple[str, ...]:
    """The names to find an attribute by; where its own says nothing, that of what is around it."""
    above = shape.above
    own = shape.name
    if above is None or above.path == ".":
        return (own,)
    if squashed(own) in GENERIC or (shape.is_attribute and above.values == []):
        outer = names_of(above)[0]
        first = outer if squashed(own) in GENERIC else f"{outer}_{own}"
        return (first, own)
    return (own, f"{above.name}_{own}")


def leaf_wishes(shape: Shape) -> Iterator[Wish]:
    """The wishes of an element that stands once in its parent: its text and its attributes."""
    used: set[int] = set()
    if shape.values or not shape.elements:
        kind = kind_of(shape.name, shape.values, long=shape.long, markup=shape.markup)
        wish = Wish(
            path=shape.path,
            names=names_of(shape),
            kind=kind,
            values=shape.values,
            rule={"from": shape.path},
        )
        if shape.markup:
            wish.rule["take"] = "markup"
        beside = [*shape.attributes, *_siblings(shape)]
        used |= _with_unit_and_currency(wish, shape, beside)
        if shape.path != ".":
            yield wish
    for attribute in shape.attributes:
        if id(attribute) not in used:
            yield _attribute_wish(attribute)


def _attribute_wish(shape: Shape) -> Wish:
    return Wish(
        path=shape.path,
        names=names_of(shape),
        kind=kind_of(shape.name, shape.values, long=shape.long),
        values=shape.values,
        rule={"from": shape.path},
    )


def _siblings(shape: Shape) -> list[Shape]:
    above = shape.above
    return [] if above is None else [s for s in above.below.values() if s is not shape]


def _with_unit_and_currency(wish: Wish, shape: Shape, beside: list[Shape]) -> set[int]:
    """Finds the unit or the currency of an amount beside it; says which places that used up."""
    used: set[int] = set()
    if wish.kind.name not in ("number", "price", "text"):
        return used
    for other in beside:
        name = squashed(other.name)
        own = other.above is shape
        if not other.values or other.repeated:
            continue
        if name in CURRENCY_NAMES and all(CURRENCY.fullmatch(v) for v in other.values):
            if wish.kind.name == "price" or (own and wish.kind.name == "number"):
                wish.kind = replace(wish.kind, name="price")
                wish.currency = {"from": other.path}
                used |= {id(other)} if own else set()
        elif (
            own
            and name in UNIT
            and wish.kind.name == "number"
            and any(unit_of(v) for v in other.values)
        ):
            wish.kind = replace(wish.kind, name="metric", words=tuple(dict.fromkeys(other.values)))
            wish.unit = {"from": other.path}
            used.add(id(other))
    return used


def language_of(shape: Shape) -> Shape | None:
    """The attribute that says the language of an element."""
    for attribute in shape.attributes:
        values = [v for v in attribute.values if v != "x-default"]
        named = squashed(attribute.name) in LANGUAGE
        if named and attribute.values and all(locale_of(value) for value in values):
            return attribute
    return None


def language_wish(shape: Shape, language: Shape) -> Wish:
    """One wish for an element in several languages."""
    here = language.relative(shape)
    own = shape
    if not shape.values and len(shape.elements) == 1:
        own = shape.elements[0]
    path, each = own.relative(shape), shape.path
    seen = dict.fromkeys(language.values)
    if "x-default" in seen and "en" in seen:
        step = shape.path.rpartition("/")[2]
        each = f"{shape.path}[{here} != 'x-default' or not(../{step}[{here} = 'en'])]"
    wish = Wish(
        path=shape.path,
        names=names_of(own),
        kind=kind_of(own.name, own.values, long=own.long, markup=own.markup),
        values=own.values,
        rule={"each": each, "from": path},
        languages={v: "en_US" if v == "x-default" else locale_of(v) or "" for v in seen},
    )
    wish.rule["locale"] = {"from": here}
    if _twice(shape, here):
        wish.several = True
    return wish


def _twice(shape: Shape, language: str) -> bool:
    """Whether one parent has several elements in one language."""
    attribute = shape.below[language]
    seen: set[tuple[int, object]] = set()
    name = attribute.name
    for record, node in shape.nodes:
        said = next((v for k, v in node.attrib.items() if str(k).rpartition("}")[2] == name), None)
        key = (record, said)
        if key in seen:
            return True
        seen.add(key)
    return False


def suffixes(shapes: list[Shape]) -> Iterator[tuple[list[Shape], dict[str, str]]]:
    """Elements whose names differ in a language only: name, name_ua → with their locales.

    The one without suffix has the locale "" here: nobody says what it is.
    """
    groups: dict[str, dict[Shape, str]] = {}
    for shape in shapes:
        step = shape.path.rpartition("/")[2]
        found = re.fullmatch(r"(.+?)[_.\-]?([A-Za-z]{2,3}|[a-z]{2}[_-][A-Z]{2})", step)
        if not found or shape.repeated or shape.elements:
            continue
        suffix = found[2]
        cut = step[len(found[1]) : -len(suffix)] or suffix.isupper() != found[1].isupper()
        if cut and suffix.lower() not in NOT_SUFFIXES and locale_of(suffix):
            groups.setdefault(found[1], {})[shape] = locale_of(suffix) or ""
    by_step = {shape.path.rpartition("/")[2]: shape for shape in shapes}
    for base, group in groups.items():
        plain = by_step.get(base)
        if plain is not None and (plain.repeated or plain.elements):
            continue
        if len(set(group.values())) < len(group) or len(group) + (plain is not None) < 2:
            continue
        members = [*([plain] if plain is not None else []), *group]
        yield members, {s.path.rpartition("/")[2]: group.get(s, "") for s in members}


def suffix_wish(members: list[Shape], locales: dict[str, str]) -> Wish:
    """One wish for elements whose names end in their language."""
    values = [value for shape in members for value in shape.values]
    return Wish(
        path=members[0].path,
        names=(re.sub(r"[_.\-]?[A-Za-z]{2}$", "", members[-1].name), *names_of(members[0])),
        kind=kind_of(members[0].name, values, long=any(s.long for s in members)),
        values=values,
        rule={
            "each": " | ".join(shape.path for shape in members),
            "from": ".",
            "locale": {"from": "name()"},
        },
        languages=locales,
    )
