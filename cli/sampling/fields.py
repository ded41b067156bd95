"""The fields of a product: enabled, family, categories, its currency; and hints of variants."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from cli.sampling.draft import Entry
from cli.sampling.identifiers import single_leaves
from cli.sampling.kinds import Kind, kind_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.rows import pairs_of
from cli.sampling.shapes import Shape
from cli.sampling.surroundings import Surroundings
from cli.sampling.wishes import CURRENCY_NAMES, squashed
from cli.sampling.words import CURRENCY, tokens
from pim_connector.akeneo.structure import Structure

ENABLED = ("enabled", "active", "isactive", "online", "onlineflag", "status", "isenabled", "state")
DISABLED = ("discontinued", "discontinuedproduct", "deleted", "inactive", "isdeleted", "disabled")
GROUPS = ("itemgroupid", "groupid", "parentsku", "mastersku", "parentid", "masterid",
          "variantgroupid", "parentproductid", "stylecode", "modelcode")  # fmt: skip
CATEGORY = (
    "productcategoryid", "mproductcategoryid", "categoryid", "categorytext", "category",
    "cataloggroupid", "cat", "categories", "producttype", "googleproductcategory",
    "classificationcategory", "productcategory", "kategorie", "groupid", "categorycode",
)  # fmt: skip


def currency_of(top: Shape, records: int) -> Shape | None:
    """The place that says the currency of a record's prices, in it or above it."""
    for shape in sorted(single_leaves(top), key=lambda shape: shape.path.startswith("../")):
        name = squashed(shape.name)
        named = name in CURRENCY_NAMES or name.endswith("currency")
        said = all(CURRENCY.fullmatch(value) for value in shape.values)
        own = "/" not in shape.path.lstrip("./")
        if named and said and own and len(shape.values) >= records:
            return shape
    return None


def enabled_of(top: Shape) -> Entry | None:
    """The field `enabled`, where a place says yes or no about the product being for sale."""
    for shape in single_leaves(top):
        name = squashed(shape.name)
        if name not in (*ENABLED, *DISABLED):
            continue
        kind = kind_of(f"is {shape.name}", shape.values)
        if kind.name != "boolean":
            continue
        entry = Entry(key="enabled", rule=_flag(shape, kind, name in DISABLED))
        entry.sample = shape.values[0]
        entry.doubts = [kind.doubt] if kind.doubt else []
        return entry
    return None


def _flag(shape: Shape, kind: Kind, reverse: bool) -> Any:
    words = kind.format or {"true": ["true", "1"], "false": ["false", "0"]}
    if reverse:
        words = {"true": words["false"], "false": words["true"]}
    elif kind.format is None:
        return shape.path
    return {"from": shape.path, "steps": [{"boolean": words}]}


def family_of(top: Shape, structure: Structure | None) -> Entry:
    """The family: read from the file where its values are families, else to be filled in."""
    codes = [family.code for family in structure.families or ()] if structure else []
    for shape in single_leaves(top):
        if codes and set(shape.values) <= set(codes) and not shape.long:
            return Entry(key="family", rule={"from": shape.path}, sample=shape.values[0])
    if len(codes) == 1:
        return Entry(key="family", rule=codes[0], doubts=["the only family of the PIM"])
    among = f"one of the PIM's: {', '.join(codes[:12])}" if codes else "a family of your PIM"
    return Entry(key="family", rule=codes[0] if codes else "products", doubts=[among], off=True)


def category_of(
    top: Shape,
    around: Surroundings,
    identifier: Shape,
    structure: Structure | None,
    prefixes: Prefixes,
) -> tuple[Entry | None, Shape | None]:
    """The field `categories`, and the place it is read from."""
    known = (
        {category.code for category in structure.categories}
        if structure and structure.categories is not None
        else None
    )
    link = next((table for table in around.links if table.category), None)
    if link is not None:
        steps: list[Any] = [{"lookup": link.name, "column": link.category}, "code"]
        entry = Entry(key="categories", rule={"from": identifier.path, "steps": steps})
        entry.doubts.append(f"the groups of {link.path}")
        return entry, None
    leaves = [shape for shape in top.inside() if shape.values and not shape.long]
    if around.tree is not None:
        keys = around.tree.keys
        for shape in leaves:
            if shape is not identifier and _share(shape.values, keys) > 0.8:
                if not {"category", "cat", "group", "kategorie", "section"} & set(
                    tokens(shape.path)
                ):
                    continue
                walk = {"ancestors": around.tree.name, "column": "parent"}
                rule = {"from": shape.path, "steps": [walk, "code", {"prefix": "erp_"}]}
                entry = Entry(key="categories", rule=rule, sample=shape.values[0])
                return _known_categories(entry, shape, known), shape
    rated = [
        (CATEGORY.index(squashed(shape.name)), n, shape)
        for n, shape in enumerate(leaves)
        if squashed(shape.name) in CATEGORY
        and shape is not identifier
        and not {"image", "picture", "mime", "media"} & set(tokens(shape.path))
    ]
    if not rated:
        return None, None
    shape = _of_categories(min(rated)[2], prefixes)
    entry = Entry(
        key="categories", rule={"from": shape.path, "steps": ["code"]}, sample=shape.values[0]
    )
    mark = next(
        (m for m in (" | ", " > ", " / ", " &gt; ") if any(m in v for v in shape.values)), None
    )
    if mark:
        entry.doubts.append(f"a path with `{mark.strip()}`: its code is made of the whole path")
    return _known_categories(entry, shape, known), shape


def _of_categories(shape: Shape, prefixes: Prefixes) -> Shape:
    """Where rows of several sorts are called categories, those of the sort that is categories."""
    pairs = pairs_of(shape, prefixes, shape.owners) if shape.repeated else None
    for key in pairs.keys if pairs else ():
        path = pairs.path_of(key) if pairs else None
        if pairs and path and {"category", "cat", "categories", "kategorie"} & set(tokens(key)):
            return Shape(path, shape.above, values=pairs.values(key, pairs.value))
    return shape


def _known_categories(entry: Entry, shape: Shape, known: set[str] | None) -> Entry:
    if known is None:
        entry.doubts.append("the PIM refuses products in categories it does not have")
        return entry
    if _share(shape.values, known) > 0.5:
        entry.rule = shape.path
        return entry
    entry.off = True
    entry.doubts.append(f"none of these is a category of the PIM: {', '.join(sorted(known)[:8])}")
    return entry


def _share(values: list[str], among: frozenset[str] | set[str]) -> float:
    return sum(value in among for value in values) / len(values) if values else 0.0


def variant_hint(top: Shape, identifier: Shape) -> Entry | None:
    """A place that groups records: they may be variants of one model."""
    for shape in single_leaves(top):
        if squashed(shape.name) not in GROUPS or shape is identifier:
            continue
        sizes = Counter(shape.values)
        several = sum(size > 1 for size in sizes.values())
        if several and max(sizes.values()) < 0.5 * len(shape.values):
            entry = Entry(key="parent", rule=shape.path, sample=shape.values[0], off=True)
            entry.doubts.append(
                f"{several} groups of records share it: variants? Then add a rule for the models "
                "(`continue: true`, `resource: product_model`) before this one"
            )
            return entry
    return None


def references(top: Shape, identifier: Shape) -> set[str]:
    """Places whose values are identifiers of records: variants, accessories, parts of a set."""
    known = set(identifier.values)
    return {
        shape.path
        for shape in top.inside()
        if shape is not identifier
        and len(set(shape.values)) > 1
        and _share(shape.values, known) > 0.5
        and shape.values != identifier.values
        and not all(re.fullmatch(r"\d{1,3}", value) for value in shape.values)
    }
