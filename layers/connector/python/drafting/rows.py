"""Rows inside records whose meaning a child or an attribute says: key, value, unit, language."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from drafting.statistics import Place, rows_of
from drafting.values import is_money, kind_of
from drafting.words import (
    CURRENCY,
    CURRENCY_SIGNS,
    locale_of,
    named,
    squashed,
    tokens,
    unit_of,
)

KEYS = named("row_keys")
NAMES = named("row_names")
VALUES = named("row_values")
UNIT = named("units_called")
LANGUAGE = named("languages_called")
"""Names of places that say a language; what they say has to be one as well."""
CURRENCIES = named("currencies_called")
POSITIONS = named("positions")
MOST_KEYS = 120
MOST_LETTERS = 80


def literal(text: str) -> str | None:
    """A text inside an XPath; None where it has both kinds of quotes."""
    if "'" not in text:
        return f"'{text}'"
    return f'"{text}"' if '"' not in text else None


@dataclass(slots=True)
class KeyRows:
    """Key/value rows: paths from the row to key, value, unit, currency, language, and the rest."""

    place: Place
    key: str
    value: str
    unit: str | None
    currency: str | None
    language: str | None
    others: list[str]
    rows: list[tuple[int, dict[str, str]]]
    by_key: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the rows under their keys."""
        for record, row in self.rows:
            if row.get(self.key):
                self.by_key.setdefault(row[self.key], []).append((record, row))

    @property
    def keys(self) -> list[str]:
        """The keys, the most frequent first."""
        return sorted(self.by_key, key=lambda key: -len(self.by_key[key]))

    def of(self, key: str) -> list[tuple[int, dict[str, str]]]:
        return self.by_key.get(key, [])

    def said(self, key: str) -> list[tuple[int, str]]:
        """The values under a key, by record."""
        return [(record, row[self.value]) for record, row in self.of(key) if self.value in row]

    def twice(self, key: str) -> bool:
        """Whether one record has the key more than once (in one language)."""
        slots = Counter((record, row.get(self.language or "")) for record, row in self.of(key))
        return bool(slots) and max(slots.values()) > 1

    @property
    def several(self) -> bool:
        """Whether one row has several values."""
        return any(p.repeated and p.step == self.value for p in self.place.elements)

    def path_of(self, key: str) -> str:
        """The XPath of the value under a key."""
        row = f"{self.place.path}[{self.key} = {literal(key) or chr(39) * 2}]"
        return row if self.value == "." else f"{row}/{self.value}"


PARAMETERS = named("parameters")


def is_parameter(place: Place) -> bool:
    """Whether a lone element is a key and its value: `<PARAM><NAME/><VALUE/></PARAM>`."""
    leaves = {squashed(p.name) for p in place.below.values()} | ({"."} if place.texts else set())
    words = {*tokens(place.name)}
    called = {squashed(place.name), *tokens(place.name)[-1:]} & PARAMETERS
    return bool(called or {"name", "value"} <= words) and bool(
        leaves & (NAMES | {"key", "id", "code"}) and leaves & (VALUES | {"."})
    )


def key_rows(place: Place) -> KeyRows | None:
    """The key/value rows that a repeated element is; None where it is something else.

    A key is short, there in every row, once in a record, and comes again from record to record; a
    name that keys have helps, and is needed where there is one record only.
    """
    if "rows" not in place.kept:
        place.kept["rows"] = _key_rows(place)
    found: KeyRows | None = place.kept["rows"]
    return found


def _key_rows(place: Place) -> KeyRows | None:
    rows = rows_of(place)
    leaves = Counter(leaf for _, row in rows for leaf in row)
    texts = {leaf: [row[leaf] for _, row in rows if leaf in row] for leaf in leaves}
    lone = is_parameter(place)
    language = next(
        (x for x in leaves if says_language(_word(x), texts[x]) and len(set(texts[x])) > 1), None
    )
    rated = sorted(
        (
            (_as_key(leaf, rows, texts[leaf], language, lone), leaf)
            for leaf in leaves
            if leaf != language
        ),
        reverse=True,
    )
    if not rated or rated[0][0] <= 0:
        return None
    key = rated[0][1]
    unit = next((x for x in leaves if x not in (key, language) and _is_unit(x, texts[x])), None)
    currency = next((x for x in leaves if says_currency(_word(x), texts[x])), None)
    others = [x for x in leaves if x not in (key, unit, currency, language)]
    value = _value(others, texts, key)
    if value is None:
        return None
    rest = [x for x in others if x != value and _word(x) not in POSITIONS]
    return KeyRows(place, key, value, unit, currency, language, rest, rows)


def _as_key(
    leaf: str, rows: list[tuple[int, dict[str, str]]], texts: list[str], language: str | None,
    lone: bool,
) -> float:  # fmt: skip
    distinct = set(texts)
    word = _word(leaf)
    if leaf == "." or len(texts) < 0.9 * len(rows) or len(distinct) < (1 if lone else 2):
        return 0.0
    if any(len(text) > MOST_LETTERS or "://" in text for text in distinct):
        return 0.0
    if says_currency(word, texts) or word in UNIT:
        return 0.0
    slots = {(record, row.get(leaf), row.get(language or "")) for record, row in rows}
    alone = len(slots) / len(rows)
    records = len({record for record, _ in rows})
    again = len({(record, row.get(leaf)) for record, row in rows}) / len(distinct)
    named = word in KEYS or word.endswith(("type", "name", "code", "key"))
    if alone < 0.5 or (not named and (again < 1.5 or alone < 0.9)):
        return 0.0
    if lone and (word in NAMES or word in KEYS):
        return 1.5 + 0.3 * (word in NAMES) - 0.05 * leaf.count("/")
    if records > 2 and again < 1.3:
        return 0.0
    if not named and kind_of("x", texts).name not in ("text", "number", "boolean"):
        return 0.0
    good = alone + 0.3 * named + 0.2 * (word in KEYS) + 0.3 * (word in NAMES)
    good += 0.5 * min(again / max(records, 1), 1)
    if all(text.isdigit() for text in distinct):
        good -= 0.15  # a number says less than a name beside it
    return good - 0.05 * leaf.count("/") - 0.3 * (word in POSITIONS and word != "id")


def _value(leaves: list[str], texts: dict[str, list[str]], key: str) -> str | None:
    """The leaf that is the value: called so, or an amount, or the one with most to say."""

    def good(leaf: str) -> float:
        word = _word(leaf)
        named = 2.0 if leaf == "." else 1.5 if word in VALUES else 0.0
        if not named and leaf.rpartition("/")[0] and _word(leaf.rpartition("/")[0]) in VALUES:
            named = 1.2
        if is_money(frozenset((word,))) and kind_of("price", texts[leaf]).name == "price":
            named = max(named, 1.4)
        dull = word in POSITIONS or word.endswith("id")
        said = len(set(texts[leaf])) / len(texts[leaf]) + len(texts[leaf]) / 10_000
        return named + 0.5 * said - 0.6 * dull - 0.05 * leaf.count("/")

    around = key.rpartition("/")[0]
    if around in leaves:
        return around
    return max(leaves, key=good) if leaves else None


def _word(leaf: str) -> str:
    last = leaf.rpartition("/")[2].lstrip("@").rpartition(":")[2]
    if squashed(last) in ("value", "text") and "/" in leaf:
        above = leaf.rpartition("/")[0].rpartition("/")[2].rpartition(":")[2]
        return squashed(above)
    return squashed(last)


def _is_unit(leaf: str, texts: list[str]) -> bool:
    named = _word(leaf) in UNIT or _word(leaf).endswith("unit")
    known = sum(unit_of(text) is not None for text in texts)
    return named or (leaf != "." and known > 0.8 * len(texts))


def says_language(word: str, texts: list[str]) -> bool:
    """Whether texts under a name are languages."""
    said = [text for text in texts if text != "x-default"]
    return bool(said) and word in LANGUAGE and all(locale_of(text) for text in said)


def says_currency(word: str, texts: list[str]) -> bool:
    """Whether texts under a name are currencies."""
    if not texts or not (word in CURRENCIES or word.endswith("currency")):
        return False
    return all(CURRENCY.fullmatch(text) or text in CURRENCY_SIGNS for text in texts)
