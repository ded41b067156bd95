"""What of a record wants to become a value: each leaf once, with how it would be read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from drafting.rows import (
    LANGUAGE,
    MOST_KEYS,
    POSITIONS,
    UNIT,
    KeyRows,
    is_parameter,
    key_rows,
    literal,
    says_currency,
    says_language,
)
from drafting.statistics import Place, rows_of
from drafting.values import NOT_MONEY, Kind, is_money, kind_of
from drafting.words import CURRENCY_SIGNS, locale_of, named, squashed, tokens, unit_of, words_of

GENERIC = named("generic")
VERSIONS = words_of("language lang locale translation storeview store")
_WEIGHTS = frozenset(("KILOGRAM", "GRAM", "POUND", "OUNCE", "TON", "MILLIGRAM"))
MOST_TYPED = 12
MOST_PICTURES = 4
_ENDING = re.compile(
    r"(.*[a-z])([A-Z][a-z]{1,2})"
    r"|(.+?)[_.\-]([A-Za-z]{2,3}|[a-z]{2}[_-][A-Z]{2})"
    r"|(.*[a-z])([A-Z]{2})"
)
_NOT_LANGUAGES = frozenset(("id", "no", "is", "in", "it", "nb", "et", "el", "he", "ma", "to"))


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
    unit: Any = None
    currency: Any = None
    languages: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    key: str | None = None
    again: bool = False

    @property
    def sample(self) -> str:
        return self.values[0] if self.values else ""


@dataclass(slots=True)
class Wishes:
    """All of a record: single values, key/value rows with theirs."""

    plain: list[Wish] = field(default_factory=list)
    rows: list[tuple[KeyRows, list[Wish]]] = field(default_factory=list)

    def every(self) -> Iterator[Wish]:
        yield from self.plain
        for _, wishes in self.rows:
            yield from wishes


def wishes_of(top: Place, used: set[str], skip: Place | None = None) -> Wishes:
    """The wishes of records. `used` are paths that something else reads; `skip` holds variants."""
    found = Wishes()
    _inside(top, found, used, skip)
    said = {w.currency["from"] for w in found.plain if isinstance(w.currency, dict)}
    found.plain = [w for w in found.plain if w.kind.name != "empty" and w.path not in said]
    return found


def names_of(place: Place) -> tuple[str, ...]:
    """The names to find an attribute by; where its own says nothing, that of what is around it."""
    above, own = place.above, place.name
    prefix = place.step.lstrip("@").rpartition(":")[0]
    said = (prefix,) if len(prefix) > 3 and not place.is_attribute else ()
    if above is None or above.above is None:
        return (own, *said)
    if squashed(own) in VERSIONS or (squashed(own) in LANGUAGE and place.is_attribute):
        return names_of(above)
    if squashed(own) in GENERIC:
        around = names_of(above)
        return (around[0], f"{above.name}_{own}", *around[1:], own)
    both = f"{above.name}_{own}"
    return (both, own) if place.is_attribute and not above.texts else (own, both, *said)


def _inside(place: Place, found: Wishes, used: set[str], skip: Place | None) -> None:
    consumed: set[int] = set()
    for members, locales in _suffixes(place.elements):
        if not any(member.path in used for member in members):
            found.plain.append(_suffix_wish(members, locales))
            consumed.update(id(member) for member in members)
    for inner in place.below.values():
        if inner is skip or id(inner) in consumed or inner.path in used:
            continue
        if inner.is_attribute:
            if place.above is not None and squashed(inner.name) in LANGUAGE - {"isocode", "iso"}:
                continue
            if id(inner) not in _details(place):
                found.plain.append(_leaf(inner, place))
        elif inner.repeated or is_parameter(inner):
            _several(inner, found, used, skip)
        elif not _in_languages(inner, found):
            if inner.texts:
                found.plain.append(_leaf(inner, place))
            _inside(inner, found, used, skip)


def _details(place: Place) -> set[int]:
    """Attributes that only say something about the element's own text: unit, currency, language."""
    if not place.texts and not place.below:
        return set()
    about = set()
    for attribute in place.attributes:
        word = squashed(attribute.name)
        amount = place.texts and kind_of("price", place.values).name in ("price", "number")
        if (
            (says_currency(word, attribute.values) and (amount or len(place.below) < 3))
            or (amount and word in UNIT and any(unit_of(v) for v in attribute.values))
            or (says_language(word, attribute.values) and (place.texts or place.markup))
        ):
            about.add(id(attribute))
    return about


def _leaf(place: Place, around: Place) -> Wish:
    """One place that stands once, with the unit or the currency beside it."""
    names = names_of(place)
    wish = _wish(place, place.path, names)
    beside = [*place.attributes, *(p for p in around.below.values() if p is not place)]
    for other in beside:
        if not other.texts or other.repeated or other.path == wish.path:
            continue
        own, word = other.above is place, squashed(other.name)
        if wish.kind.name in ("number", "price") and says_currency(word, other.values):
            if wish.currency is None and (wish.kind.name == "price" or own or _is_price_of(names)):
                wish.kind = replace(wish.kind, name="price")
                wish.currency = {"from": other.path}
        elif (
            wish.kind.name == "number"
            and (word in UNIT if own or len(beside) == 1 else _is_unit_of(other, place))
            and any(unit_of(value) for value in other.values)
        ):
            wish.kind = replace(wish.kind, name="metric", words=_distinct(other.values))
            wish.unit = {"from": other.path}
    if wish.kind.name == "number" and wish.unit is None:
        wish.unit = _unit_in(names[0])
        if wish.unit:
            wish.kind = replace(wish.kind, name="metric")
    return wish


def _wish(place: Place, path: str, names: tuple[str, ...]) -> Wish:
    said = " ".join(names[:2]) if squashed(names[0]) in GENERIC or place.is_attribute else names[0]
    kind = kind_of(said, place.values, long=place.long, markup=place.markup)
    if kind.name == "number" and _is_price_of(names):
        kind = replace(kind, name="price")
    wish = Wish(path=path, names=names, kind=kind, values=place.values, rule={"from": path})
    if place.markup:
        wish.rule["take"] = "markup"
    return wish


def _is_price_of(names: Iterable[str]) -> bool:
    words = frozenset(word for name in list(names)[:2] for word in tokens(name))
    return is_money(words) and not words & NOT_MONEY


def _is_unit_of(unit: Place, place: Place) -> bool:
    """Whether a place beside is the unit: WeightUnit, POIDSU, Unit beside Value, UNIT_OF_WT."""
    own, word = squashed(place.name), squashed(unit.name)
    if "unit" in tokens(unit.name) and unit_of(unit.values[0]) in _WEIGHTS:
        return bool(
            {"weight", "wt", "gewicht", "mass", "wgt", "peso", "poids"} & {*tokens(place.name)}
        )
    rest = word[len(own) :] if word.startswith(own) else None
    return (own in ("value", "amount", "measurement") and word in UNIT) or (
        rest is not None and rest in UNIT | {"u", "unit"}
    )


def _unit_in(name: str) -> str | None:
    """The unit that a name ends in: `Weight (kg)`, `gewicht_kg`, `Width, cm`."""
    found = re.search(r"[,(\[_ ]\s*([^\d,()\[\]_ ]{1,4}?)\.?\s*[)\]]?$", name)
    if found is None or len(name) - len(found[0]) < 3:
        return None
    unit = unit_of(found[1])
    loose = found[0][0] in "_ " and len(found[1]) < 2
    return None if loose else unit


def _several(place: Place, found: Wishes, used: set[str], skip: Place | None) -> None:
    """Rows: languages, prices, keys and values, pictures, plain repeats; else the first of them."""
    if _in_languages(place, found) or _prices(place, found):
        return
    rows = key_rows(place)
    if rows is not None:
        found.rows.append((rows, list(_row_wishes(rows, found, used))))
        _nested(place, found, used, skip)
        return
    if not place.elements:
        if place.texts:
            found.plain.append(_repeat(place, f"{place.path}[1]"))
        for attribute in place.attributes:
            dull = squashed(attribute.name) in POSITIONS | LANGUAGE and place.texts
            if attribute.texts and id(attribute) not in _details(place) and not dull:
                found.plain.append(_repeat(attribute, f"{place.path}[1]/{attribute.step}"))
        return
    for leaf in place.single():
        if id(leaf) not in _details(leaf.above or place) and leaf.path not in used:
            first = f"{place.path}[1]/{leaf.relative(place)}"
            found.plain.append(_repeat(leaf, first))
    _nested(place, found, used, skip)


def _nested(place: Place, found: Wishes, used: set[str], skip: Place | None) -> None:
    for inner in place.inside():
        around = inner.above
        while around is not None and around is not place and not around.repeated:
            around = around.above
        if inner.repeated and around is place and inner is not skip:
            _several(inner, found, used, skip)


def _repeat(place: Place, first: str) -> Wish:
    wish = _wish(place, place.path, names_of(place))
    wish.several = max(Counter(record for record, _ in place.texts).values(), default=0) > 1
    wish.first = first if _first_is_of_record(place) else f"({place.path})[1]"
    return wish


def _first_is_of_record(place: Place) -> bool:
    """Whether the repeats are all in one parent, so that `[1]` is the first of the record."""
    around, found = place, 0
    while around is not None:
        found += around.repeated
        around = around.above  # type: ignore[assignment]
    return found == 1


def _in_languages(place: Place, found: Wishes) -> bool:
    """Texts in languages that an attribute or a child says: one wish for each text."""
    leaves = [place, *place.single()]
    language = next(
        (p for p in leaves[1:] if _says_language(p, place) and _is_of(p, place)
         and len(p.texts) >= 0.9 * len(place.nodes)),
        None,
    )  # fmt: skip
    if language is None:
        return False
    here = language.relative(place)
    rows = rows_of(place)
    slots = Counter((record, row.get(here)) for record, row in rows)
    again = max(slots.values(), default=0) > 1
    keyed = key_rows(place) if again else None
    if keyed is not None:
        return False
    words = list(dict.fromkeys(language.values))
    texts = [p for p in leaves if p.texts and p is not language]
    made = 0
    for leaf in texts:
        wish = _wish(leaf, leaf.path, names_of(leaf))
        constant = len(set(leaf.values)) == 1 < len(leaf.values)
        codes = all(re.fullmatch(r"[A-Z]{0,3}\d*", value) for value in leaf.values)
        if wish.kind.name not in ("text", "html") or (constant and len(texts) > 1) or codes:
            continue
        wish.rule = {**wish.rule, "each": _each(place, here, words), "from": leaf.relative(place)}
        wish.rule["locale"] = {"from": here}
        wish.languages = {w: "en_US" if w == "x-default" else locale_of(w) or "" for w in words}
        wish.several = again
        found.plain.append(wish)
        made += 1
    return made > 0


def _is_of(language: Place, row: Place) -> bool:
    """Whether a language is that of a row: its attribute, or a child of a row that repeats."""
    if language.is_attribute or not row.repeated:
        return language.above is row and language.is_attribute
    return language.above in (row, *row.elements)


def _says_language(leaf: Place, row: Place) -> bool:
    """Whether a leaf says the language of its row; it may be a number that only the file knows."""
    word = squashed(leaf.name)
    if says_language(word, leaf.values):
        return True
    numbered = squashed(row.name) in VERSIONS and word in LANGUAGE | {"id", "code"}
    return numbered and row.repeated and 1 < len(set(leaf.values)) <= 12


def _each(place: Place, language: str, words: list[str]) -> str:
    """The rows; a default text gives way to the one of the language that it would be taken for."""
    if "x-default" not in words or not {"en", "en-US"} & set(words):
        return place.path
    own = "en" if "en" in words else "en-US"
    return f"{place.path}[{language} != 'x-default' or not(../{place.step}[{language} = '{own}'])]"


def _prices(place: Place, found: Wishes) -> bool:
    """Rows that are one price per currency: one wish for all of them."""
    rows = rows_of(place)
    leaves = [place, *place.single()]
    currency = next((p for p in leaves if says_currency(squashed(p.name), p.values)), None)
    amount = next(
        (p for p in leaves if p is not currency and p.texts
         and kind_of("price", p.values).name == "price"
         and is_money(frozenset(w for n in names_of(p)[:2] for w in tokens(n)))),
        None,
    )  # fmt: skip
    if currency is None or amount is None:
        return False
    here = currency.relative(place)
    slots = Counter((record, row.get(here)) for record, row in rows)
    if max(slots.values()) > 1 or len(set(currency.values)) < 2:
        return False
    wish = _wish(amount, amount.path, (place.name, *names_of(amount)))
    wish.kind = replace(wish.kind, name="price")
    wish.rule = {"each": place.path, "from": amount.relative(place)}
    wish.currency = _signs({"from": here}, currency.values)
    found.plain.append(wish)
    return True


def _signs(source: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    signs = {text: CURRENCY_SIGNS[text] for text in texts if text in CURRENCY_SIGNS}
    return {**source, "steps": [{"map": signs, "unknown": "keep"}]} if signs else source


def _row_wishes(rows: KeyRows, found: Wishes, used: set[str]) -> Iterator[Wish]:
    """One wish per key; keys that come twice in a record are read by a predicate instead."""
    typed = len(rows.keys) <= MOST_TYPED and len(rows.others) <= 6
    for key in rows.keys[:MOST_KEYS]:
        if literal(key) is None or {rows.path_of(key), f"{rows.place.path}#{key}"} & used:
            continue
        wish = _key_wish(rows, key, rows.value)
        wish.several = rows.several
        twice = rows.twice(key)
        if rows.language is not None and wish.kind.name in ("text", "html"):
            _by_language(wish, rows, key)
            found.plain.append(wish)
        elif twice:
            wish.key, wish.several = None, True
            wish.path = rows.path_of(key)
            wish.rule = {"from": wish.path}
            row = f"{rows.place.path}[{rows.key} = {literal(key)}][1]"
            wish.first = row if rows.value == "." else f"{row}/{rows.value}"
            _outside_of_rows(wish, row)
            found.plain.append(wish)
        else:
            yield wish
        for leaf in rows.others if typed else ():
            other = _key_wish(rows, key, leaf)
            if not wish.values:
                other.names = (key, *other.names)
            if (other.values and len(set(other.values)) > 1) or len(rows.keys) == 1:
                row = f"{rows.place.path}[{rows.key} = {literal(key)}]{'[1]' if twice else ''}"
                other.key, other.path = None, f"{row}/{leaf}"
                other.rule = {"from": other.path}
                _outside_of_rows(other, row)
                found.plain.append(other)


def _outside_of_rows(wish: Wish, row: str) -> None:
    for source in (wish.unit, wish.currency):
        if isinstance(source, dict):
            source["from"] = f"{row}/{source['from']}"


def _key_wish(rows: KeyRows, key: str, leaf: str) -> Wish:
    mine = [row for _, row in rows.of(key)]
    values = [row[leaf] for row in mine if leaf in row]
    last = leaf.rpartition("/")[2].lstrip("@").rpartition(":")[2]
    around = rows.place.name
    names: tuple[str, ...] = (key, f"{around}_{key}")
    if leaf != rows.value:
        names = (f"{key}_{last}", f"{last}_{key}", f"{around}_{key}_{last}")
    elif re.fullmatch(r"[\d\W]{0,8}|[A-Z]?\d+", key):
        names = (f"{around}_{key}", f"{around}_{key}_{last}")
    money = is_money(frozenset((*tokens(last), *tokens(around)))) and leaf == rows.value
    kind = kind_of(f"{key} price" if money else key, values)
    wish = Wish(path=rows.place.path, names=names, kind=kind, values=values, rule={"from": leaf})
    wish.key = key
    if leaf != rows.value:
        return wish
    units = [row[rows.unit] for row in mine if rows.unit in row] if rows.unit else []
    measured = bool(units) and all(unit_of(unit) for unit in units) and len(units) == len(values)
    if kind.name in ("number", "price") and rows.currency:
        said = [row[rows.currency] for row in mine if rows.currency in row]
        wish.kind = replace(kind, name="price")
        wish.currency = _signs({"from": rows.currency}, said)
        wish.names = (*wish.names, around, last)
    elif kind.name in ("number", "price") and measured:
        wish.kind = replace(kind, name="metric", words=_distinct(units))
        wish.unit = {"from": rows.unit}
    elif kind.name == "number":
        if (unit := _unit_in(key)) is not None:
            wish.kind = replace(kind, name="metric")
            wish.unit = unit
    elif kind.name == "price":
        wish.names = (*wish.names, around, last)
    return wish


def _by_language(wish: Wish, rows: KeyRows, key: str) -> None:
    here = rows.language or ""
    words = list(dict.fromkeys(row[here] for _, row in rows.of(key) if here in row))
    row = f"{rows.place.path}[{rows.key} = {literal(key)}]"
    wish.key, wish.path = None, row
    wish.rule = {"each": row, "from": rows.value, "locale": {"from": here}}
    wish.languages = {word: locale_of(word) or "" for word in words}
    wish.several = rows.twice(key)


def _suffixes(places: list[Place]) -> Iterator[tuple[list[Place], dict[str, str]]]:
    """Elements whose names differ in a language only: name, name_ua → with their locales.

    The one without suffix has the locale "" here: nobody says what it is. A suffix that is a word
    (`NameIt`) is a language beside others that are sure: `NameDe`, `NameFr`.
    """
    groups: dict[str, dict[str, str]] = {}
    maybe: dict[str, dict[str, str]] = {}
    by_step = {place.step: place for place in places}
    for place in places:
        found = _ENDING.fullmatch(place.step)
        if not found or place.repeated or place.elements or not place.texts:
            continue
        base = found[1] or found[3] or found[5]
        suffix = found[2] or found[4] or found[6]
        locale = locale_of(suffix)
        if locale:
            into = maybe if suffix.lower() in _NOT_LANGUAGES else groups
            into.setdefault(base, {})[place.step] = locale
    for base, group in groups.items():
        group.update(maybe.get(base, {}) if len(group) > 1 else {})
        plain = by_step.get(base)
        if plain is not None and (plain.repeated or plain.elements):
            continue
        steps = [*([base] if plain is not None else []), *group]
        if len(steps) < 2 or len(set(group.values())) < len(group):
            continue
        if all(kind_of("", by_step[s].values).name in ("text", "html", "empty") for s in steps):
            yield [by_step[s] for s in steps], {s: group.get(s, "") for s in steps}


def _suffix_wish(members: list[Place], locales: dict[str, str]) -> Wish:
    values = [value for place in members for value in place.values]
    base = re.sub(r"[_.\-]?[A-Za-z]{2}$", "", members[-1].name)
    kind = kind_of(base, values, long=any(p.long for p in members))
    rule = {"each": " | ".join(p.path for p in members), "from": ".", "locale": {"from": "name()"}}
    wish = Wish(
        path=members[0].path, names=(base, *names_of(members[0])), kind=kind, values=values,
        rule=rule,
    )  # fmt: skip
    wish.languages = locales
    return wish


def pictures(wish: Wish) -> list[Wish]:
    """One wish per picture of several, for a PIM with attributes for the second and the third."""
    if not (wish.several and wish.kind.name == "image" and wish.first):
        return []
    more = []
    for number in range(2, MOST_PICTURES + 1):
        path = wish.first.replace("[1]", f"[{number}]", 1)
        more.append(replace(wish, path=path, rule={"from": path}, several=False, again=True,
                            names=tuple(f"{name}_{number}" for name in wish.names)))  # fmt: skip
    return more


def _distinct(values: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
