"""Texts in languages: what says the language, and one wish for all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from cli.sampling.kinds import kind_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.shapes import Shape, row_of
from cli.sampling.wishes import LANGUAGE, Wish, names_of, squashed
from cli.sampling.words import locale_of, words_of

NOT_SUFFIXES = frozenset(("id", "no", "is", "in", "it", "nb", "et", "el", "he", "ma"))
VERSIONS = words_of("language lang locale translation storeview store")
"""Elements of which there is one per language; the language may be a number that only they know."""
NUMBERS = words_of("id code")


def language_of(shape: Shape) -> Shape | None:
    """The attribute that says the language of an element."""
    return next((a for a in shape.attributes if _says_language(a, shape)), None)


def _says_language(place: Shape, row: Shape) -> bool:
    values = [v for v in place.values if v != "x-default"]
    if not place.values or place.repeated or place.elements:
        return False
    if squashed(place.name) in LANGUAGE and all(locale_of(value) for value in values):
        return True
    numbered = squashed(row.name) in VERSIONS and squashed(place.name) in NUMBERS | LANGUAGE
    return numbered and row.repeated and 1 < len(set(values)) <= 12


def language_row_wishes(shape: Shape, prefixes: Prefixes) -> list[Wish]:
    """One wish for each text of rows that say their language in a place of their own.

    What is the same in all rows is no text. Empty where the element is something else.
    """
    places = [s for s in shape.below.values() if s.values and not s.repeated and not s.elements]
    language = next((place for place in places if _says_language(place, shape)), None)
    if language is None:
        return []
    here = language.relative(shape)
    seen = dict.fromkeys(language.values)
    said = [(record, row_of(node, prefixes).get(here)) for record, node in shape.nodes]
    wishes = []
    for place in places:
        kind = kind_of(place.name, place.values, long=place.long, markup=place.markup)
        constant = len(set(place.values)) == 1 and len(place.values) > 1
        if squashed(place.name) in LANGUAGE or kind.name not in ("text", "html") or constant:
            continue
        wish = Wish(
            path=f"{shape.path}/{place.relative(shape)}",
            names=(place.name, shape.name),
            kind=kind,
            values=place.values,
            rule={"each": shape.path, "from": place.relative(shape), "locale": {"from": here}},
            languages={word: locale_of(word) or "" for word in seen},
        )
        if place.markup:
            wish.rule["take"] = "markup"
        wish.several = len(set(said)) < len(said)
        wishes.append(wish)
    return wishes


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

    The one without suffix has the locale "" here: nobody says what it is. A suffix that is a word
    (`NameIt`) is a language beside others that are sure: `NameDe`, `NameFr`.
    """
    maybe: dict[str, dict[Shape, str]] = {}
    groups: dict[str, dict[Shape, str]] = {}
    for shape in shapes:
        step = shape.path.rpartition("/")[2]
        humped = re.fullmatch(r"(.*[a-z])([A-Z][a-z]{1,2})", step)
        found = humped or re.fullmatch(r"(.+?)[_.\-]?([A-Za-z]{2,3}|[a-z]{2}[_-][A-Z]{2})", step)
        if not found or shape.repeated or shape.elements:
            continue
        suffix = found[2]
        cut = step[len(found[1]) : -len(suffix)] or suffix.isupper() != found[1].isupper()
        if (cut or humped) and locale_of(suffix):
            into = maybe if suffix.lower() in NOT_SUFFIXES else groups
            into.setdefault(found[1], {})[shape] = locale_of(suffix) or ""
    for base, group in groups.items():
        group.update(maybe.get(base, {}) if len(group) > 1 else {})
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
