"""Puts a first mapping together from a sample of the file, and the PIM's structure if known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.sampling.building import LANGUAGES, Builder
from cli.sampling.columns import spread_columns
from cli.sampling.draft import Draft, Entry, Rows
from cli.sampling.fields import (
    category_of,
    currency_of,
    enabled_of,
    family_of,
    references,
    variant_hint,
)
from cli.sampling.identifiers import identifier_of
from cli.sampling.matching import Proposal, code_of, proposals
from cli.sampling.outline import Outline, lies_in
from cli.sampling.prefixes import Prefixes
from cli.sampling.rows import MOST_KEYS, Pairs
from cli.sampling.sample import Sample
from cli.sampling.shapes import Shape, shape_of
from cli.sampling.surroundings import Surroundings, Table, labels_of, surroundings_of
from cli.sampling.walking import Walk
from cli.sampling.wishes import Wish
from cli.sampling.words import tokens
from pim_connector.akeneo.structure import Structure


def compose(outline: Outline, sample: Sample, structure: Structure | None) -> Draft:
    """A draft with a rule for everything that could be placed, and the rest listed."""
    top = shape_of(sample.records, sample.prefixes)
    _note_above(top, sample)
    records = len(sample.records)
    columns = spread_columns(top, sample.prefixes, records, sample.around.values())
    if columns and columns.header:
        records -= 1
    identifier, doubts = identifier_of(top, records, sample.prefixes)
    if identifier is None:
        identifier = Shape("@id", top)
    around = surroundings_of(sample, frozenset(identifier.values), outline.root())
    draft = Draft(path=sample.path, name=_record_name(sample.path))
    draft.namespaces = outline.prefixes.declared
    entry = Entry(key="identifier", rule=identifier.path, doubts=doubts)
    entry.sample = identifier.values[0] if identifier.values else ""
    if columns and columns.gaps:
        entry.doubts.append(
            "cells with an Index are further right: see mappings/spreadsheetml.yaml"
        )
    money = currency_of(top, records)
    used = {identifier.path, *([money.path] if money else [])}
    header = [Entry(key="when", rule=columns.header)] if columns and columns.header else []
    draft.fields = [
        *header,
        entry,
        *_fields(top, around, identifier, structure, used, sample.prefixes),
    ]
    walk = Walk(prefixes=sample.prefixes, records=records, used=used)
    walk.through(top)
    walk.without_currencies()
    for pairs, wishes in walk.pairs:
        labels = labels_of(pairs.keys, sample)
        for wish in wishes:
            if labels.get(wish.key or ""):
                wish.names = (labels[wish.key or ""], *wish.names)
                wish.called = labels[wish.key or ""]
    if structure is not None:
        walk.spread_pictures()
    builder = _builder(draft, structure, around)
    if money is not None:
        builder.currency = {"from": money.path}
    _values(draft, walk, builder, references(top, identifier))
    _finish(draft, builder, around, structure)
    draft.unused += [*walk.unused, *around.unused]
    draft.unused += _unseen(draft, top, outline, sample)
    return draft


def _unseen(draft: Draft, top: Shape, outline: Outline, sample: Sample) -> Iterator[str]:
    """Places of the file that nothing speaks of yet: inside the records, and far around them."""
    said = repr([(e.key, e.rule) for e in draft.entries()]) + repr([r.head for r in draft.pivots])
    said += "\n".join(draft.unused)
    for shape in top.inside():
        if shape.values and shape.path.rpartition("/")[2] not in said:
            yield f"{shape.path}  = {shape.values[0]}"
    for place in outline.places():
        known = any(place.path == p or place.path.startswith(f"{p}/") for p in sample.around)
        inside = lies_in(place.path, sample.path)
        if not (known or inside or place.below):
            yield f"{place.path}  ({place.count} elements)"


def _note_above(top: Shape, sample: Sample) -> None:
    """Attributes of the elements around the records count as theirs."""
    for found in sample.above:
        for path, value in found.items():
            shape = top.below.setdefault(path, Shape(path, top))
            shape.count += 1
            shape.most = 1
            shape.owners += 1
            shape.note(value.strip())


def _record_name(path: str) -> str:
    words = tokens(path.rpartition("/")[2].rpartition(":")[2])
    return "_".join(words) or "product"


def _fields(
    top: Shape,
    around: Surroundings,
    identifier: Shape,
    structure: Structure | None,
    used: set[str],
    prefixes: Prefixes,
) -> list[Entry]:
    parent = variant_hint(top, identifier)
    enabled = enabled_of(top)
    category, place = category_of(top, around, identifier, structure, prefixes)
    if enabled is not None:
        rule: Any = enabled.rule
        used.add(rule["from"] if isinstance(rule, dict) else rule)
    if place is not None and category is not None and not category.off:
        used.add(place.path)
    family = family_of(top, structure)
    return [each for each in (family, parent, enabled, category) if each is not None]


def _builder(draft: Draft, structure: Structure | None, around: Surroundings) -> Builder:
    currency: Any = around.currency_word or "EUR"
    known = structure.currencies if structure else None
    if known and currency not in known:
        currency = "EUR" if "EUR" in known else sorted(known)[0]
    elif around.currency:
        currency = {"from": "$currency"}
    builder = Builder(draft, structure, around.locale or "en_US", currency)
    locales = structure.locales if structure else None
    builder.locale = builder.activated(builder.locale) or sorted(locales or {"en_US"})[0]
    return builder


def _values(draft: Draft, walk: Walk, builder: Builder, references: set[str]) -> None:
    found = proposals(list(walk.every()), builder.structure) if builder.structure else {}
    taken: set[str] = set()
    for wish in walk.wishes:
        entry = _entry(wish, found.get(id(wish)), builder, taken)
        if entry is not None and wish.path in references:
            entry.off = True
            entry.doubts.append("identifiers of other records: an association, or variants?")
        if entry is not None:
            draft.values.append(entry)
        elif not wish.again:
            draft.unused.append(_unplaced(wish))
    for pairs, wishes in walk.pairs:
        draft.pivots.append(_pivot(draft, pairs, wishes, found, builder, taken))


def _entry(
    wish: Wish, proposal: Proposal | None, builder: Builder, taken: set[str]
) -> Entry | None:
    if wish.kind.name == "empty" or (builder.structure is not None and proposal is None):
        return None
    code = proposal.attribute.code if proposal else code_of(wish.names, taken)
    return builder.entry(wish, code, proposal)


def _unplaced(wish: Wish) -> str:
    where = f"{wish.path}, {wish.key}" if wish.key else wish.path
    if wish.kind.name == "empty":
        return f"{where}  always empty in the sample"
    return f"{where}  = {wish.sample}  ({wish.kind.name})"


def _pivot(
    draft: Draft,
    pairs: Pairs,
    wishes: list[Wish],
    found: dict[int, Proposal],
    builder: Builder,
    taken: set[str],
) -> Rows:
    rows = Rows(head={"each": pairs.shape.path, "key": pairs.key, "from": pairs.value})
    if len(pairs.keys) > MOST_KEYS:
        rows.doubts.append(f"{len(pairs.keys)} keys in the sample: the most frequent are here")
    for wish in wishes:
        entry = _entry(wish, found.get(id(wish)), builder, taken)
        if entry is None and wish.kind.name != "empty":
            sample = f"{wish.sample[:60]} ({wish.kind.name}; the PIM has nothing like it)"
            code = code_of(wish.names, set())
            entry = Entry(key=wish.key or "", rule=code, sample=sample, off=True)
        if entry is not None:
            rows.entries.append(entry)
        else:
            draft.unused.append(_unplaced(wish))
    return rows


def _finish(
    draft: Draft, builder: Builder, around: Surroundings, structure: Structure | None
) -> None:
    if builder.languages:
        draft.maps = {LANGUAGES: builder.languages, **draft.maps}
    if builder.used_default_locale:
        doubts = [] if around.locale else ["the language of texts that say none"]
        draft.defaults.append(Entry(key="locale", rule=builder.locale, doubts=doubts))
    if builder.used_scope and structure is not None and structure.channels:
        codes = [channel.code for channel in structure.channels]
        doubts = [f"one of {', '.join(codes)}"] if len(codes) > 1 else []
        draft.defaults.append(Entry(key="scope", rule=codes[0], doubts=doubts))
    main = structure.main_identifier if structure else None
    if main is not None and main.code != "sku":
        draft.identifier_attribute = main.code
    if around.currency:
        said = "$currency" in repr([entry.rule for entry in draft.entries()])
        entry = Entry(key="currency", rule=around.currency, sample=around.currency_word or "")
        entry.off = not said
        draft.head.append(entry)
    if around.language:
        draft.head.append(Entry(key="language", rule=around.language, off=True))
    _tables(draft, around)


def _tables(draft: Draft, around: Surroundings) -> None:
    for table in [*([around.tree] if around.tree else []), *around.links]:
        asked = any(
            f"'lookup': '{table.name}'" in repr(entry.rule)
            or f"'ancestors': '{table.name}'" in repr(entry.rule)
            for entry in draft.fields
        )
        entry = Entry(key=table.name, rule=_table(table), sample=table.sample, off=not asked)
        if not asked:
            entry.doubts.append("rows that name the records; nothing uses them yet")
        draft.tables.append(entry)


def _table(table: Table) -> dict[str, Any]:
    return {"path": table.path, "key": table.key, "columns": table.columns}
