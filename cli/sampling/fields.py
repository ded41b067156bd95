"""The fields of a product: identifier, enabled, family, categories; and hints of variants."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cli.sampling.draft import Entry
from cli.sampling.kinds import Kind, kind_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.rows import MOST_KEYS, pairs_of
from cli.sampling.shapes import Shape
from cli.sampling.surroundings import Surroundings
from cli.sampling.wishes import CURRENCY_NAMES, squashed
from cli.sampling.words import CURRENCY, tokens, words_of
from pim_connector.structure import Structure

IDENTIFIERS = (
    "sku", "matnr", "ordernumber", "itemno", "articleno", "artikelnr",
    "sellersitemidentification", "supplieraid", "supplierpid", "supplierpartid",
    "articlenumber", "artikelnummer", "artnr", "productnumber", "productid", "itemid",
    "itemnumber", "articleid", "productcode", "itemcode", "partnumber", "reference",
    "recordreference", "uniqueid", "no", "nr", "ид", "id", "code",
    "number", "value", "vendorcode", "ean", "gtin", "mpn", "key",
)  # fmt: skip
OTHER_CODES = words_of(
    "category type group unit descriptor status currency country language tax vat class brand"
)
"""Words in the names of codes that are those of something else."""
CLASSES = ("group", "category", "currency", "country", "tariff")
COUNTED = ("position", "line", "row", "sequence", "atc", "hsn", "schema", "version")
"""What the names of codes begin with that count, or classify."""
ENABLED = ("enabled", "active", "isactive", "online", "onlineflag", "status", "isenabled", "state")
DISABLED = ("discontinued", "discontinuedproduct", "deleted", "inactive", "isdeleted", "disabled")
GROUPS = ("itemgroupid", "groupid", "parentsku", "mastersku", "parentid", "masterid",
          "variantgroupid", "parentproductid", "stylecode", "modelcode")  # fmt: skip
CATEGORY = (
    "productcategoryid", "mproductcategoryid", "categoryid", "categorytext", "category",
    "cataloggroupid", "cat", "categories", "producttype", "googleproductcategory",
    "classificationcategory", "productcategory", "kategorie", "groupid", "categorycode",
)  # fmt: skip


def single_leaves(top: Shape) -> list[Shape]:
    """Places with a value that stand at most once in a record."""
    found = []
    for shape in top.inside():
        above: Shape | None = shape
        while above is not None and not above.repeated:
            above = above.above
        if above is None and shape.values:
            found.append(shape)
    return found


def identifier_of(top: Shape, records: int, prefixes: Prefixes) -> tuple[Shape | None, list[str]]:
    """The place that identifies records: unique, always there, and named like it.

    Where records are key/value rows it may be one of them: `field[@name = 'id']`.
    """
    places = [*single_leaves(top), *_in_rows(top, records, prefixes)]
    rated = sorted(
        ((_as_identifier(shape, records), n, shape) for n, shape in enumerate(places)),
        key=lambda each: (-each[0], each[1]),
    )
    rated = [each for each in rated if each[0] > 0]
    if not rated:
        return None, ["nothing in the record looks like an identifier"]
    best = rated[0][2]
    doubts = []
    repeats = len(best.values) - len(set(best.values))
    if repeats:
        doubts.append(f"not unique: {repeats} of {len(best.values)} sampled repeat another")
    if len(best.values) < records:
        doubts.append(f"missing in {records - len(best.values)} of {records} sampled records")
    near = [shape.path for score, _, shape in rated[1:4] if score > 0.5 * rated[0][0]]
    if near:
        doubts.append(f"or {', '.join(near)}")
    return best, doubts


def _in_rows(top: Shape, records: int, prefixes: Prefixes) -> Iterator[Shape]:
    """Each key of the key/value rows of a record as a place, by a predicate."""
    for shape in top.inside():
        pairs = pairs_of(shape, prefixes, records) if shape.repeated else None
        for key in pairs.keys[:MOST_KEYS] if pairs else ():
            path = pairs.path_of(key) if pairs else None
            if pairs is not None and path is not None and not pairs.twice(key):
                values = pairs.values(key, pairs.value)
                if values:
                    yield Shape(path, top, values=values, named=key)


def _as_identifier(shape: Shape, records: int) -> float:
    values = shape.values
    unique = len(set(values)) / len(values)
    cover = min(1.0, len(values) / max(records, 1))
    letters = max(len(value) for value in values)
    name = squashed(shape.name)
    above = squashed(shape.above.name) if shape.above and shape.above.path != "." else ""
    named = 0.15
    if name in IDENTIFIERS:
        named = 1.0 - 0.65 * IDENTIFIERS.index(name) / len(IDENTIFIERS)
    elif above in IDENTIFIERS:
        named = 0.95 - 0.65 * IDENTIFIERS.index(above) / len(IDENTIFIERS)
    elif (
        OTHER_CODES.intersection(tokens(shape.name))
        or any(word in name for word in CLASSES)
        or name.startswith(COUNTED)
    ):
        named = 0.1
    elif name.endswith(("sku", "productid", "itemid", "number", "code")):
        named = 0.45
    elif name.endswith("id") or name.startswith("id"):
        named = 0.35
    if letters > 64 or any(" " in value and len(value) > 20 for value in values[:50]):
        named *= 0.2
    if any("://" in value for value in values[:50]):
        named *= 0.2
    if shape.markup or any(c in value for value in values for c in ",;\n"):
        named *= 0.1  # the PIM refuses these in identifiers
    if kind_of("x", values).name in ("date", "boolean", "metric"):
        named *= 0.2
    if values == [str(n) for n in range(1, len(values) + 1)] and len(values) > 1:
        named *= 0.5  # the number of the line
    depth = 0.93 ** shape.path.count("/") if shape.path.count("/") < 8 else 0.5
    return named * depth * unique**2 * cover**2


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
