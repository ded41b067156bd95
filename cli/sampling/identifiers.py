"""What identifies the records: a place that is unique, always there, and named like it."""

from __future__ import annotations

from collections.abc import Iterator

from cli.sampling.kinds import kind_of
from cli.sampling.prefixes import Prefixes
from cli.sampling.rows import MOST_KEYS, pairs_of
from cli.sampling.shapes import Shape
from cli.sampling.wishes import squashed
from cli.sampling.words import tokens, words_of

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
    """The keys of key/value rows that every record has, as places, by a predicate."""
    for shape in top.inside():
        pairs = pairs_of(shape, prefixes, records) if shape.repeated else None
        for key in pairs.keys[:MOST_KEYS] if pairs else ():
            path = pairs.path_of(key) if pairs else None
            if pairs is not None and path is not None and not pairs.twice(key):
                values = pairs.values(key, pairs.value)
                if len(values) >= records:
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
