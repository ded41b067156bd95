"""Rows: elements that repeat inside a record, and what each kind of them can become."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cli.sampling.kinds import Kind, kind_of
from cli.sampling.languages import language_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.shapes import REPEATED, Shape, local, row_of
from cli.sampling.wishes import UNIT, Wish, squashed
from cli.sampling.words import locale_of, unit_of

KEYS = (
    "name", "paramname", "fname", "key", "attributeid", "propertyname", "attribute", "ftid",
    "code", "id", "internalid", "label", "caption", "field", "domain", "characteristic",
    "featurename", "descriptioncode", "expicode", "scriptid", "attributename", "metakey", "nom",
    "optionname", "configgroupname", "propertyoptionname", "наименование", "название", "ид",
)  # fmt: skip
STRONG = ("paramname", "fname", "attributeid", "propertyname", "attributename", "featurename")
VALUES = (
    ".", "value", "val", "fvalue", "text", "attributevalue", "data", "content", "searchvalue",
    "metavalue", "valeur", "wert", "configoptionname", "propertyvaluename", "значение",
)  # fmt: skip
LABELS = ("name", "label", "title")
MOST_KEYS = 120


@dataclass(slots=True)
class Pairs:
    """Key/value rows: which leaf is the key, which the value, which the unit."""

    shape: Shape
    key: str
    value: str
    unit: str | None
    rows: list[tuple[int, dict[str, str]]]

    @property
    def keys(self) -> list[str]:
        """The keys, the most frequent first."""
        found = Counter(row.get(self.key, "") for _, row in self.rows)
        found.pop("", None)
        return [key for key, _ in found.most_common()]

    def twice(self, key: str) -> bool:
        """Whether one record has the key more than once."""
        rows = [(record, row) for record, row in self.rows if row.get(self.key) == key]
        records = Counter(record for record, _ in rows)
        several = any(f"{REPEATED}{self.value}" in row for _, row in rows)
        return several or (bool(records) and max(records.values()) > 1)

    def path_of(self, key: str) -> str | None:
        """The XPath of the value under a key; None where XPath cannot write the key."""
        quoted = literal(key)
        if quoted is None:
            return None
        row = f"{self.shape.path}[{self.key} = {quoted}]"
        return row if self.value == "." else f"{row}/{self.value}"

    def values(self, key: str, leaf: str) -> list[str]:
        return [row[leaf] for _, row in self.rows if row.get(self.key) == key and row.get(leaf)]


def pairs_of(shape: Shape, prefixes: Prefixes, records: int) -> Pairs | None:
    """The key/value rows that a repeated element is; None where it is something else."""
    rows = [(record, row_of(node, prefixes)) for record, node in shape.nodes]
    single = {s.relative(shape) for s in single_in(shape)}
    leaves = Counter(
        leaf for _, row in rows for leaf, text in row.items() if text and leaf in single
    )
    key = _key(rows, leaves, records)
    if key is None:
        return None
    value = _value(leaves, key)
    if value is None:
        return None
    units = (leaf for leaf in leaves if squashed(local(leaf)) in UNIT)
    return Pairs(shape, key, value, next(units, None), rows)


def single_in(shape: Shape) -> Iterator[Shape]:
    """The row itself and the places inside it that do not repeat (or are repeated values)."""
    yield shape
    for inner in shape.below.values():
        if not inner.repeated:
            yield from single_in(inner)
        elif not inner.elements:
            yield inner
            yield from inner.attributes


def _key(rows: list[tuple[int, dict[str, str]]], leaves: Counter[str], records: int) -> str | None:
    best: tuple[float, str] | None = None
    for leaf, count in leaves.items():
        word = _key_word(leaf)
        texts = [row[leaf] for _, row in rows if row.get(leaf)]
        distinct = set(texts)
        if any(f"{REPEATED}{leaf}" in row for _, row in rows):
            continue
        if word not in KEYS or leaf == "." or count < 0.9 * len(rows) or len(distinct) < 2:
            continue
        if all(locale_of(text) for text in distinct) or any(len(text) > 120 for text in distinct):
            continue
        alone = len({(record, row.get(leaf)) for record, row in rows}) / len(rows)
        recurring = records < 3 or len(distinct) < 0.7 * len(rows)
        if alone < (0.35 if word in STRONG else 0.6) or not recurring:
            continue
        rank = alone - KEYS.index(word) / 100 - 0.05 * leaf.count("/")
        if all(text.isdigit() for text in distinct):
            rank -= 0.15  # a number says less than a name beside it
        if best is None or rank > best[0]:
            best = (rank, leaf)
    return best[1] if best else None


def _key_word(leaf: str) -> str:
    """What a place is called as a key; `Feature/Name/@Value` is a name."""
    word = squashed(local(leaf))
    above = leaf.rpartition("/")[0]
    return squashed(local(above)) if word in ("value", "text") and above else word


def _value(leaves: Counter[str], key: str) -> str | None:
    around = key.rpartition("/")[0]
    plainest = sorted(leaves, key=lambda leaf: leaf.count("/"))
    for word in VALUES:
        for leaf in plainest:
            last = local(leaf)
            if leaf != key and (leaf == word or squashed(last) == word):
                return leaf
    for leaf in plainest:
        if leaf != key and squashed(local(leaf)) in LABELS and _in_value(leaf):
            return leaf
    if around:
        return around if around in leaves else None
    others = [leaf for leaf in leaves if leaf != key and squashed(local(leaf)) not in UNIT]
    return others[0] if len(others) == 1 else None


def _in_value(leaf: str) -> bool:
    """Whether a place stands in the value: the name in `<value id="43" name="Wool"/>`."""
    return squashed(local(leaf.rpartition("/")[0])) in VALUES


def pair_wishes(pairs: Pairs) -> Iterator[Wish]:
    """One wish per key; a key that comes twice in a record is read by a predicate instead."""
    for key in pairs.keys[:MOST_KEYS]:
        values = pairs.values(key, pairs.value)
        wish = Wish(
            path=pairs.shape.path,
            names=(key,),
            kind=kind_of(key, values),
            values=values,
            rule={"from": pairs.value},
            key=key,
        )
        _measure(wish, pairs, key)
        if pairs.twice(key):
            quoted = literal(key)
            if quoted is None:
                wish.kind = Kind("empty")
            else:
                wish.key = None
                found = f"{pairs.shape.path}[{pairs.key} = {quoted}]"
                wish.rule = {"from": found if pairs.value == "." else f"{found}/{pairs.value}"}
                wish.several, wish.unit = True, None
                wish.path = found if _in_languages(wish, pairs, key, found) else wish.rule["from"]
        yield wish


def _in_languages(wish: Wish, pairs: Pairs, key: str, found: str) -> bool:
    """Whether the repeats of a key are its languages; the wish is then one rule for all of them."""
    language = language_of(pairs.shape)
    if language is None:
        return False
    here = language.relative(pairs.shape)
    rows = [(record, row) for record, row in pairs.rows if row.get(pairs.key) == key]
    words = dict.fromkeys(row.get(here, "") for _, row in rows)
    if len(words) < 2 or "" in words:
        return False
    wish.rule = {"each": found, "from": pairs.value, "locale": {"from": here}}
    wish.languages = {w: "en_US" if w == "x-default" else locale_of(w) or "" for w in words}
    slots = Counter((record, wish.languages[row[here]]) for record, row in rows)
    wish.several = max(slots.values()) > 1
    return True


def literal(text: str) -> str | None:
    """A text inside an XPath; None where it has both kinds of quotes."""
    if "'" not in text:
        return f"'{text}'"
    return f'"{text}"' if '"' not in text else None


def _measure(wish: Wish, pairs: Pairs, key: str) -> None:
    if wish.kind.name != "number":
        return
    units = pairs.values(key, pairs.unit) if pairs.unit else []
    if units and all(unit_of(unit) for unit in units) and len(units) == len(wish.values):
        wish.kind = replace(wish.kind, name="metric", words=tuple(dict.fromkeys(units)))
        wish.unit = {"from": pairs.unit}
        return
    named = re.search(r"[,(\[]\s*([^\d,()\[\]]{1,4}?)\.?\s*[)\]]?$", key)
    if named and unit_of(named[1]):
        wish.kind = replace(wish.kind, name="metric")
        wish.unit = unit_of(named[1])
