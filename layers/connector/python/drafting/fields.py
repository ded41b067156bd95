"""The fields of a product: whether it is enabled, its family, its categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from drafting.rows import key_rows, literal
from drafting.statistics import Place
from drafting.surroundings import Surroundings
from drafting.values import kind_of
from drafting.words import named, squashed, tokens
from drafting.writing import Entry
from pim_connector.akeneo.structure import Structure

ENABLED = named("enabled")
DISABLED = named("disabled")
ACTIONS = named("actions")
OFF_WORDS = named("off_words")
GROUPS = named("groups")
CATEGORY = (
    "productcategoryid", "mproductcategoryid", "categoryid", "categorytext", "category",
    "cataloggroupid", "cat", "categories", "producttype", "googleproductcategory",
    "classificationcategory", "productcategory", "kategorie", "groupid", "categorycode", "categid",
    "warengruppe", "matkl", "itemgroup", "categorie", "categoria", "kategoria", "категория",
    "parent",
)  # fmt: skip


def enabled_of(top: Place) -> tuple[Entry | None, Place | None]:
    """The field `enabled`, where a place says that a product is for sale, or deleted."""
    for place in [*top.single(), *_keyed(top)]:
        word = squashed(place.name)
        if word in ("code", "value", "text", "name") and place.above is not None:
            word = squashed(place.above.name)
        rule = None
        if word in ENABLED or word in DISABLED:
            rule = _flag(place, word in DISABLED)
        elif word in ACTIONS or ("status" in tokens(place.name) and _off(place)):
            rule = _action(place)
        if rule is not None:
            return Entry(key="enabled", rule=rule, sample=place.values[0]), place
    return None, None


def _keyed(top: Place) -> Iterator[Place]:
    """The keys of key/value rows as places: `field[@name = 'active']/@eval`."""
    for place in list(top.inside()):
        rows = key_rows(place) if place.repeated and not place.is_attribute else None
        for key in rows.keys if rows else ():
            if rows is None or squashed(key) not in ENABLED | DISABLED or literal(key) is None:
                continue
            for leaf in (rows.value, *rows.others):
                texts = [(r, row[leaf]) for r, row in rows.of(key) if leaf in row]
                if texts and not rows.twice(key):
                    step = f"{place.path}[{rows.key} = {literal(key)}]"
                    step = step if leaf == "." else f"{step}/{leaf}"
                    yield Place(step, top, texts=texts, most=1, named=key)


def _flag(place: Place, reverse: bool) -> Any:
    kind = kind_of("is flag", place.values)
    if kind.name != "boolean":
        marks = set(place.values)
        if reverse and len(marks) == 1 and len(place.values[0]) == 1:
            gone = {"value": False, "when": f"{place.path} = {literal(place.values[0])}"}
            return {"first": [gone, {"value": True}]}
        return _action(place) if _off(place) else None
    words = kind.format or {"true": ["true", "1"], "false": ["false", "0"]}
    if reverse:
        words = {"true": words["false"], "false": words["true"]}
    elif kind.format is None:
        return place.path
    return {"from": place.path, "steps": [{"boolean": words}]}


def _off(place: Place) -> set[str]:
    return {v for v in place.values if v.casefold() in OFF_WORDS}


def _action(place: Place) -> Any:
    if len(set(place.values)) > 8:
        return None
    off = sorted(_off(place)) or ["delete"]
    pairs = dict.fromkeys(off, False)
    return {"from": place.path, "steps": [{"map": pairs, "default": True, "ignore_case": True}]}


def family_of(top: Place, structure: Structure | None) -> Entry:
    """The family: read from the file where its values are families, else to be filled in."""
    codes = [family.code for family in structure.families or ()] if structure else []
    for place in top.single():
        if codes and set(place.values) <= set(codes) and not place.long:
            return Entry(key="family", rule={"from": place.path}, sample=place.values[0])
    if len(codes) == 1:
        return Entry(key="family", rule=codes[0], doubts=["the only family of the PIM"])
    among = f"one of the PIM's: {', '.join(codes[:12])}" if codes else "a family of your PIM"
    return Entry(key="family", rule=codes[0] if codes else "products", doubts=[among], off=True)


def category_of(
    top: Place, around: Surroundings, identifier: str, structure: Structure | None
) -> tuple[Entry | None, Place | None]:
    """The field `categories`, and the place it is read from."""
    codes = structure.categories if structure else None
    known = None if codes is None else {category.code for category in codes}
    for table in around.about:
        column = next((c for c, leaf in table.columns.items()
                       if {"category", "group", "catalog"} & set(tokens(leaf))), None)  # fmt: skip
        if column and "price" not in tokens(table.name):
            steps: list[Any] = [{"lookup": table.name, "column": column}, "code"]
            entry = Entry(key="categories", rule={"from": identifier, "steps": steps})
            return _checked(entry, table.texts.get(column, []), known), None
    leaves = [p for p in top.inside() if p.texts and not p.long and p.path != identifier]
    if around.tree is not None:
        for place in leaves:
            named = {"category", "cat", "group", "kategorie", "section", "categ", "gruppe"}
            inside = sum(v in around.tree.keys for v in place.values) > 0.8 * len(place.values)
            if inside and named & set(tokens(place.path)):
                walk = {"ancestors": around.tree.name, "column": "parent"}
                rule = {"from": place.path, "steps": [walk, "code"]}
                entry = Entry(key="categories", rule=rule, sample=place.values[0])
                return _checked(entry, place.values, known), place
    rated = [
        (CATEGORY.index(squashed(p.name)), n, p) for n, p in enumerate(leaves)
        if squashed(p.name) in CATEGORY
        and not {"image", "picture", "mime", "media", "price"} & set(tokens(p.path))
    ]  # fmt: skip
    if not rated:
        return None, None
    place = min(rated)[2]
    path, values = _of_categories(place)
    entry = Entry(key="categories", rule={"from": path, "steps": ["code"]}, sample=values[0])
    if any(mark in value for value in values for mark in (" | ", " > ", " / ", "/")):
        entry.doubts.append("a path: its code is made of the whole path")
    return _checked(entry, values, known), place


def _of_categories(place: Place) -> tuple[str, list[str]]:
    """Where rows of several sorts are called categories, those of the sort that is categories."""
    rows = key_rows(place) if place.repeated and not place.is_attribute else None
    for key in rows.keys if rows else ():
        if rows and {"category", "cat", "categories", "kategorie"} & set(tokens(key)):
            return rows.path_of(key), [text for _, text in rows.said(key)]
    return place.path, place.values


def _checked(entry: Entry, values: list[str], known: set[str] | None) -> Entry:
    if known is None:
        entry.doubts.append("the PIM refuses products in categories it does not have")
    elif values and set(values) <= known:
        entry.rule = entry.rule["from"] if len(entry.rule["steps"]) == 1 else entry.rule
    else:
        entry.off = True
        some = ", ".join(sorted(known)[:8])
        entry.doubts.append(f"not all of these are categories of the PIM: {some}")
    return entry


def variant_hint(top: Place, identifier: str) -> Entry | None:
    """A place that groups records: they may be variants of one model."""
    for place in top.single():
        if squashed(place.name) not in GROUPS or place.path == identifier:
            continue
        sizes = Counter(place.values)
        several = sum(size > 1 for size in sizes.values())
        if several and max(sizes.values()) < 0.5 * len(place.values):
            entry = Entry(key="parent", rule=place.path, sample=place.values[0], off=True)
            entry.doubts.append(
                f"{several} groups of records share it: variants? Then add a rule for the models "
                "(`continue: true`, `resource: product_model`) before this one"
            )
            return entry
    return None


def references(top: Place, identifiers: dict[int, str], own: str) -> Iterator[str]:
    """Paths whose values are identifiers of other records: accessories, parts of a set."""
    known = frozenset(identifiers.values())
    for place in top.inside():
        texts = place.values
        if place.path == own or len(set(texts)) < 2 or all(len(text) < 4 for text in texts):
            continue
        if sum(text in known for text in texts) > 0.5 * len(texts) and any(
            identifiers.get(record) != text for record, text in place.texts
        ):
            yield place.path
