"""What stands around the records: the head, category trees, and tables that name the records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cli.sampling.kinds import is_money
from cli.sampling.sample import Element, Sample
from cli.sampling.shapes import REPEATED, local, row_of
from cli.sampling.wishes import CURRENCY_NAMES, LANGUAGE, squashed
from cli.sampling.words import CURRENCY, locale_of, tokens

MOST_COLUMNS = 20
LABELS = frozenset(
    ("name", "label", "title", "bezeichnung", "наименование", "название", "nazev", "nazwa", "nom")
)
PARENTS = frozenset(("parentid", "parent", "parentcode", "parentgroupid", "groupparent"))


@dataclass(slots=True)
class Table:
    """Rows outside of the records, as a look-up table: their key, and columns by XPath."""

    name: str
    path: str
    key: str
    columns: dict[str, str]
    keys: frozenset[str]
    parent: str | None = None
    category: str | None = None
    sample: str = ""


@dataclass(slots=True)
class Surroundings:
    """The tables and single values found, and what of it nobody asked for."""

    tree: Table | None = None
    links: list[Table] = field(default_factory=list)
    currency: str | None = None
    currency_word: str | None = None
    language: str | None = None
    locale: str | None = None
    unused: list[str] = field(default_factory=list)


def surroundings_of(
    sample: Sample, identifiers: frozenset[str], root: dict[str, str]
) -> Surroundings:
    """Looks through everything outside of the records; `root` are the root's own attributes."""
    found = Surroundings()
    for path, text in root.items():
        _single(found, path, {".": text})
    taken: set[str] = set()
    for path, elements in sample.around.items():
        rows = [_row(element, sample) for element in elements]
        if len(rows) == 1:
            _single(found, path, rows[0])
            continue
        table = _tree(path, rows) if found.tree is None else None
        if table is not None:
            found.tree = table
        else:
            table = _link(path, rows, identifiers, taken)
            if table is not None:
                found.links.append(table)
        if table is None:
            _currencies(found, rows)
            shown = ", ".join(f"{leaf} = {text[:40]}" for leaf, text in rows[0].items() if text)
            found.unused.append(f"{path}  ({len(rows)} rows): {shown}")
        else:
            taken.add(table.name)
    return found


def labels_of(keys: list[str], sample: Sample) -> dict[str, str]:
    """What rows around the records call the keys of key/value rows: names of attributes by id."""
    wanted = set(keys)
    for elements in sample.around.values():
        rows = [_row(element, sample) for element in elements]
        leaves = dict.fromkeys(leaf for row in rows for leaf in row)
        label = next((leaf for leaf in leaves if _word(leaf) in LABELS), None)
        for leaf in leaves if label is not None else ():
            known = {row[leaf]: row.get(label or "", "") for row in rows if row.get(leaf)}
            if leaf != label and len(wanted & set(known)) >= max(2, 0.8 * len(wanted)):
                return {key: known[key] for key in keys if known.get(key)}
    return {}


def _row(element: Element, sample: Sample) -> dict[str, str]:
    row = row_of(element, sample.prefixes)
    return {leaf: text for leaf, text in row.items() if not leaf.startswith(REPEATED)}


def _single(found: Surroundings, path: str, row: dict[str, str]) -> None:
    for leaf, text in row.items():
        if not text:
            continue
        whole = path if leaf == "." else f"{path}/{leaf}"
        name = squashed(local(whole))
        if found.currency is None and name in CURRENCY_NAMES and CURRENCY.fullmatch(text):
            found.currency, found.currency_word = whole, text
        elif found.language is None and name in LANGUAGE and locale_of(text):
            found.language, found.locale = whole, locale_of(text)
        else:
            found.unused.append(f"{whole}  = {text}")


def _currencies(found: Surroundings, rows: list[dict[str, str]]) -> None:
    """A list of currencies says the currency where it is the only one."""
    words = [text for row in rows for text in row.values() if CURRENCY.fullmatch(text)]
    if found.currency_word is None and len(set(words)) == 1:
        found.currency_word = words[0]


def _tree(path: str, rows: list[dict[str, str]]) -> Table | None:
    leaves = list(dict.fromkeys(leaf for row in rows for leaf in row))
    parent = next((leaf for leaf in leaves if _word(leaf) in PARENTS), None)
    if parent is None:
        return None
    parents = {row[parent] for row in rows if row.get(parent)}
    for leaf in leaves:
        words = tokens(local(leaf))
        ids = [row.get(leaf, "") for row in rows]
        named = bool(words) and words[-1] in ("id", "code", "key", "number")
        unique = len(set(ids)) > 0.95 * len(ids)
        if leaf == parent or not (named and unique and parents & set(ids)):
            continue
        names = [x for x in leaves if x not in (leaf, parent)]
        label = next((x for x in names if x == "." or "name" in tokens(local(x))), None)
        columns = {"parent": parent, **({"name": label} if label else {})}
        name = "categories"
        shown = " ".join(text for text in rows[0].values() if text)
        return Table(name, path, leaf, columns, frozenset(ids), parent=parent, sample=shown)
    return None


def _link(
    path: str, rows: list[dict[str, str]], identifiers: frozenset[str], taken: set[str]
) -> Table | None:
    """Rows that name records by their identifier: categories, prices, links between products."""
    leaves = Counter(leaf for row in rows for leaf, text in row.items() if text)
    for leaf in leaves:
        texts = [row[leaf] for row in rows if row.get(leaf)]
        hits = sum(text in identifiers for text in texts)
        others = [other for other in leaves if other != leaf]
        if hits < 0.3 * len(texts) or len(texts) < 0.5 * len(rows) or not others:
            continue
        columns = {_column(other): other for other in others[:MOST_COLUMNS]}
        category = next((c for c, x in columns.items() if {"category", "group", "catalog"}
                         & set(tokens(x)) and not x.startswith("../")), None)  # fmt: skip
        if is_money(frozenset(tokens(local(path)))):
            category = None  # the group of a price is one of customers
        base = "_".join(tokens(local(path)))[:40] or "rows"
        name = base if base not in taken else f"{base}_{len(taken)}"
        shown = " ".join(text for text in rows[0].values() if text)
        keys = frozenset(texts)
        return Table(name, path, leaf, columns, keys, category=category, sample=shown)
    return None


def _column(leaf: str) -> str:
    return "_".join(tokens(leaf.replace("/", "_").replace("@", ""))) or "text"


def _word(leaf: str) -> str:
    return squashed(local(leaf))
