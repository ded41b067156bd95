"""What stands around the records: the head, category trees, and rows that name or describe them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from lxml import etree

from drafting.rows import says_currency, says_language
from drafting.sample import Element, Names
from drafting.statistics import Place, places_of, rows_of
from drafting.words import CURRENCY, locale_of, squashed, tokens, words_of

MOST_COLUMNS = 20
LABELS = words_of("name label title bezeichnung наименование название nazev nazwa nom text value")
PARENTS = words_of("parentid parent parentcode parentgroupid groupparent родитель parentref")


@dataclass(slots=True)
class Table:
    """Rows outside of the records, as a look-up table: their key, and columns by XPath."""

    name: str
    path: str
    key: str
    columns: dict[str, str]
    keys: frozenset[str]
    texts: dict[str, list[str]] = field(default_factory=dict)
    sample: str = ""


@dataclass(slots=True)
class Surroundings:
    """The tables and single values found, and what of it nobody asked for."""

    tree: Table | None = None
    about: list[Table] = field(default_factory=list)
    named: list[Table] = field(default_factory=list)
    currency: str | None = None
    currency_word: str | None = None
    language: str | None = None
    locale: str | None = None
    unused: list[str] = field(default_factory=list)


def surroundings_of(
    root: Element, names: Names, records: list[Element], identifiers: frozenset[str]
) -> Surroundings:
    """Looks through everything outside of the records.

    `about` are rows that hold a record's identifier (prices, categories of products); `named` are
    rows that give names to codes (brands, units, properties).
    """
    found = Surroundings()
    outline = _outside(root, names, set(records))
    found_rows: set[str] = set()
    for place in outline.inside():
        if any(place.path.startswith(f"{path}/") for path in found_rows):
            continue
        if len(place.nodes) > 1 and place.below and not place.is_attribute:
            found_rows.add(place.path)
            _rows(found, place, identifiers)
        elif place.texts and len(place.nodes) == 1:
            _single(found, place)
    return found


def _outside(root: Element, names: Names, records: set[Element]) -> Place:
    """The outline without the records; elements that hold them are looked into."""
    outline = places_of([root], names, f"/{names.element(root)}")
    inside = {node for record in records for node in record.iter(etree.Element)}

    def cut(place: Place) -> None:
        for step, inner in list(place.below.items()):
            inner.nodes = [n for n in inner.nodes if n[1] not in inside]
            kept = [t for t in zip(inner.texts, inner.holders, strict=True) if t[1] not in inside]
            inner.texts, inner.holders = [t for t, _ in kept], [h for _, h in kept]
            if inner.nodes:
                cut(inner)
            else:
                del place.below[step]

    cut(outline)
    return outline


def _single(found: Surroundings, place: Place) -> None:
    text, word = place.values[0], squashed(place.name)
    if found.currency is None and says_currency(word, [text]):
        found.currency, found.currency_word = place.path, text
    elif found.language is None and says_language(word, [text]):
        found.language, found.locale = place.path, locale_of(text)
    else:
        found.unused.append(f"{place.path}  = {text}")


def _rows(found: Surroundings, place: Place, identifiers: frozenset[str]) -> None:
    rows = [row for _, row in rows_of(place)]
    leaves = Counter(leaf for row in rows for leaf in row)
    texts = {leaf: [row[leaf] for row in rows if leaf in row] for leaf in leaves}
    tree = _tree(place, texts) if found.tree is None else None
    if tree is not None:
        found.tree = tree
        return
    if found.currency_word is None:
        said = {text for column in texts.values() for text in column if CURRENCY.fullmatch(text)}
        found.currency_word = said.pop() if len(said) == 1 else None
    key = next(
        (x for x in leaves if _share(texts[x], identifiers) >= 0.5 and len(leaves) > 1), None
    )
    if key is not None:
        taken = {table.name for table in found.about}
        found.about.append(_table(place, key, texts, taken))
        return
    label = next((leaf for leaf in leaves if _word(leaf) in LABELS), None)
    for leaf in leaves:
        words = tokens(leaf)
        unique = len(set(texts[leaf])) == len(rows)
        if label and leaf != label and unique and {"id", "code", "key", "ид"} & set(words[-1:]):
            columns = {"name": label}
            name = "_".join(tokens(place.name)) or "rows"
            table = Table(name, place.path, leaf, columns, frozenset(texts[leaf]))
            table.texts = {row[leaf]: [row.get(label, "")] for row in rows}
            found.named.append(table)
            break
    shown = ", ".join(f"{leaf} = {text[:40]}" for leaf, text in rows[0].items())
    found.unused.append(f"{place.path}  ({len(rows)} rows): {shown}")


def _tree(place: Place, texts: dict[str, list[str]]) -> Table | None:
    parent = next((leaf for leaf in texts if _word(leaf) in PARENTS), None)
    if parent is None:
        return None
    for leaf, ids in texts.items():
        words = tokens(leaf)
        named = bool(words) and words[-1] in ("id", "code", "key", "number", "ид")
        unique = len(set(ids)) > 0.95 * len(ids)
        if leaf == parent or not (named and unique and set(texts[parent]) & set(ids)):
            continue
        names = [x for x in texts if x not in (leaf, parent)]
        label = next((x for x in names if x == "." or "name" in tokens(x)), None)
        columns = {"parent": parent, **({"name": label} if label else {})}
        shown = " ".join(column[0] for column in texts.values())
        return Table("categories", place.path, leaf, columns, frozenset(ids), sample=shown)
    return None


def _table(place: Place, key: str, texts: dict[str, list[str]], taken: set[str]) -> Table:
    columns = {_column(leaf): leaf for leaf in texts if leaf != key}
    base = "_".join(tokens(place.name))[:40] or "rows"
    name = base if base not in taken else f"{base}_{len(taken)}"
    shown = " ".join(column[0] for column in texts.values())
    named = {column: texts[leaf] for column, leaf in list(columns.items())[:MOST_COLUMNS]}
    kept = {column: columns[column] for column in named}
    return Table(name, place.path, key, kept, frozenset(texts[key]), named, shown)


def _share(values: list[str], among: frozenset[str]) -> float:
    return sum(value in among for value in values) / len(values) if values else 0.0


def _column(leaf: str) -> str:
    return "_".join(tokens(leaf.replace("/", "_").replace("@", ""))) or "text"


def _word(leaf: str) -> str:
    return squashed(leaf.rpartition("/")[2].lstrip("@").rpartition(":")[2])
