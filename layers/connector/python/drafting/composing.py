"""Puts a first mapping together: records, variants, languages, values, and what is left."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from drafting.attributes import Proposal, code_of, proposals
from drafting.columns import Columns, spread_columns
from drafting.fields import category_of, enabled_of, family_of, references, variant_hint
from drafting.identifiers import Identifier, identifier_of
from drafting.records import Candidate
from drafting.rows import MOST_KEYS, KeyRows, says_currency, says_language
from drafting.rules import Rules
from drafting.sample import Element, Names, Sample
from drafting.statistics import Place, places_of
from drafting.surroundings import Surroundings, Table, surroundings_of
from drafting.values import Kind, kind_of
from drafting.variants import Variants, as_products, variants_of
from drafting.wishes import Wish, Wishes, pictures, wishes_of
from drafting.words import locale_of, squashed, tokens
from drafting.writing import Draft, Entry, Record, Rows
from pim_connector.akeneo.structure import Structure

MOST_SAMPLED = 5_000


@dataclass(slots=True)
class Look:
    """What was found out about the records of a sample before anything is written."""

    top: Place
    records: int
    columns: Columns | None
    identifier: Identifier
    language: Place | None
    around: Surroundings
    variants: Variants | None
    used: set[str] = field(default_factory=set)


def compose(sample: Sample, chosen: Candidate, structure: Structure | None, most: int) -> Draft:
    """A draft with a rule for everything that could be placed, and the rest listed."""
    look = look_at(sample, chosen, most)
    rules = rules_for(structure, look.around, look.top, look.records)
    name = "_".join(tokens(chosen.path.rpartition("/")[2].rpartition(":")[2])) or "product"
    record = Record(name=name, doubts=list(chosen.doubts))
    record.fields = [Entry(key="path", rule=chosen.path), *_conditions(look, chosen)]
    record.fields += fields_of(look, structure)
    draft = Draft(records=[record])
    if look.variants is not None:
        _with_variants(draft, record, look, rules, chosen.path, sample.names)
    else:
        wishes = wishes_of(look.top, look.used)
        _in_rows_per_language(look, wishes)
        wishes.plain += _looked_up(look, wishes)
        place_values(record, wishes, rules, draft, set(), look)
    sections_of(draft, rules, sample, look, chosen.path)
    draft.unused += look.around.unused
    return draft


def look_at(sample: Sample, chosen: Candidate, most: int) -> Look:
    """Everything that is worked out from the records alone, and from what is around them."""
    elements = chosen.elements[: min(most, MOST_SAMPLED)]
    top = places_of(elements, sample.names)
    _note_above(top, elements, sample.names)
    columns = spread_columns(top, sample.names, sample.root)
    records = len(top.nodes)
    language = next(
        (p for p in top.single() if says_language(squashed(p.name), p.values)
         and len(p.texts) == records and len(set(p.values)) > 1 and not p.path.startswith("../")),
        None,
    )  # fmt: skip
    identifier = identifier_of(top, records, language.said() if language else None)
    if identifier is None:
        nothing = "nothing in the record looks like an identifier"
        identifier = Identifier("@id", {}, 0.0, (nothing,))
    if language is not None and len(set(identifier.values.values())) == len(identifier.values):
        language = None
    known = frozenset(identifier.values.values())
    around = surroundings_of(sample.root, sample.names, chosen.elements, known)
    variants = variants_of(top, sample.names, identifier) if columns is None else None
    look = Look(top, records, columns, identifier, language, around, variants)
    look.used.add(identifier.path)
    return look


def _note_above(top: Place, elements: list[Element], names: Names) -> None:
    """Attributes of the elements around the records, below the root, count as theirs."""
    for number, element in enumerate(elements):
        around, up = element.getparent(), "../"
        while around is not None and around.getparent() is not None:
            for key, value in around.attrib.items():
                step = up + names.attribute(str(key))
                place = top.below.setdefault(step, Place(step, top))
                place.most = 1
                place.texts.append((number, str(value).strip()))
                place.holders.append(element)
            around, up = around.getparent(), up + "../"


def _conditions(look: Look, chosen: Candidate) -> list[Entry]:
    conditions = [look.columns.header] if look.columns and look.columns.header else []
    if chosen.when:
        conditions.append(chosen.when)
    missing = look.records - len(look.identifier.values)
    if 0 < missing < look.records and not look.identifier.path.startswith("("):
        conditions.append(f"normalize-space({look.identifier.path})")
    if not conditions:
        return []
    return [Entry(key="when", rule=" and ".join(conditions))]


def fields_of(look: Look, structure: Structure | None) -> list[Entry]:
    """Identifier, family, enabled, categories; what they read is no value any more."""
    texts = list(look.identifier.values.values())
    entry = Entry(key="identifier", rule=look.identifier.path, doubts=list(look.identifier.doubts))
    entry.sample = texts[0] if texts else ""
    if look.columns and look.columns.gaps:
        entry.doubts.append("cells that say their column: see mappings/spreadsheetml.yaml")
    enabled, place = enabled_of(look.top)
    if place is not None:
        look.used.add(place.path)
    category, where = category_of(look.top, look.around, look.identifier.path, structure)
    if category is not None and where is not None and not category.off and structure is None:
        look.used.add(category.rule["from"] if isinstance(category.rule, dict) else where.path)
    family = family_of(look.top, structure)
    parent = variant_hint(look.top, look.identifier.path)
    return [entry, *(each for each in (family, parent, enabled, category) if each is not None)]


def rules_for(
    structure: Structure | None, around: Surroundings, top: Place | None, records: int
) -> Rules:
    """The builder of rules, with the currency and the language of the file."""
    currency: Any = around.currency_word or "EUR"
    known = structure.currencies if structure else None
    if around.currency:
        currency = {"from": "$currency"}
    elif known and currency not in known:
        currency = "EUR" if "EUR" in known else sorted(known)[0]
    for place in top.single() if top is not None else ():
        own = place.path.count("/") == place.path.count("../")
        if (
            own
            and len(place.texts) >= records
            and says_currency(squashed(place.name), place.values)
        ):
            currency = {"from": place.path}
    rules = Rules(structure, around.locale or "en_US", currency)
    locales = structure.locales if structure else None
    rules.locale = rules.activated(rules.locale) or sorted(locales or {"en_US"})[0]
    return rules


def place_values(
    record: Record, wishes: Wishes, rules: Rules, draft: Draft, taken: set[str], look: Look | None
) -> None:
    """Rules for the wishes that an attribute was found for; the others are listed as not used."""
    known = frozenset(taken)
    if look is not None:
        _label_keys(wishes, look.around)
    if rules.structure is not None:
        wishes.plain += [more for wish in wishes.plain for more in pictures(wish)]
    found = proposals([*wishes.every()], rules.structure, taken) if rules.structure else {}
    foreign = (
        set(references(look.top, look.identifier.values, look.identifier.path)) if look else ()
    )
    twins = _twins(wishes, found)
    for wish in wishes.plain:
        if wish in twins.values():
            continue
        entry = _entry(wish, found.get(id(wish)), rules, taken)
        if entry is not None and wish in twins:
            entry.rule = rules.with_plain(entry, twins[wish])
        if entry is not None and wish.path in foreign:
            entry.off = True
            entry.doubts.append("identifiers of other records: an association, or variants?")
        if entry is not None:
            record.values.append(entry)
        elif not wish.again:
            draft.unused.append(f"{wish.path}  = {wish.sample}  ({wish.kind.name})")
    for rows, own in wishes.rows:
        pivot = _pivot(rows, own, found, rules, taken)
        if pivot.entries:
            record.pivots.append(pivot)
    taken |= {e.attribute for e in record.entries() if e.attribute and not e.off} - known


def _twins(wishes: Wishes, found: dict[int, Proposal]) -> dict[Wish, Wish]:
    """Texts in languages → the same text of the record that says none, and has no attribute."""
    twins: dict[Wish, Wish] = {}
    for wish in wishes.plain:
        last = squashed(wish.names[-1] if wish.rule.get("from") != "." else wish.names[0])
        for other in wishes.plain if "each" in wish.rule and wish.languages else ():
            same = squashed(other.path.rpartition("/")[2]) in {last, squashed(wish.names[0])}
            plain = set(other.rule) == {"from"} and other.kind.name in ("text", "html")
            if same and plain and not wish.several and other not in twins.values():
                if id(other) in found and id(wish) not in found:
                    found[id(wish)] = found.pop(id(other))
                if id(other) not in found or found[id(other)].attribute.code != "":
                    twins[wish] = other
                    found.pop(id(other), None)
                    break
    return twins


def _entry(wish: Wish, proposal: Proposal | None, rules: Rules, taken: set[str]) -> Entry | None:
    if wish.kind.name == "empty" or (rules.structure is not None and proposal is None):
        return None
    code = proposal.attribute.code if proposal else code_of(wish.names, taken)
    return rules.entry(wish, code, proposal)


def _pivot(
    rows: KeyRows, wishes: list[Wish], found: dict[int, Proposal], rules: Rules, taken: set[str]
) -> Rows:
    pivot = Rows(head={"each": rows.place.path, "key": rows.key, "from": rows.value})
    if len(rows.keys) > MOST_KEYS:
        pivot.doubts.append(f"{len(rows.keys)} keys in the sample: the most frequent are here")
    for wish in wishes:
        entry = _entry(wish, found.get(id(wish)), rules, taken)
        if entry is None and wish.kind.name != "empty":
            sample = f"{wish.sample[:60]} ({wish.kind.name}; the PIM has nothing like it)"
            code = code_of(wish.names, set())
            entry = Entry(key=wish.key or "", rule=code, sample=sample, off=True)
        if entry is not None:
            pivot.entries.append(entry)
    return pivot


def _label_keys(wishes: Wishes, around: Surroundings) -> None:
    """Keys that are ids get the names that rows elsewhere in the file give them."""
    for rows, own in wishes.rows:
        keys = set(rows.keys)
        for table in around.named:
            if len(keys & table.keys) >= max(2, 0.8 * len(keys)):
                for wish in own:
                    label = table.texts.get(wish.key or "", [""])[0]
                    if label:
                        wish.names = (label, *wish.names)
                        wish.doubts.append(f"called {label} elsewhere in the file")


def _looked_up(look: Look, wishes: Wishes) -> list[Wish]:
    """Values that stand in rows elsewhere: by the record's identifier, or by a code it holds."""
    found = []
    for table in look.around.about:
        for column, texts in table.texts.items():
            values = [text for text in texts if text]
            steps = [{"lookup": table.name, "column": column}, "first"]
            own = table.name if table.columns[column] == "." else column.rpartition("_")[2]
            names = (own, f"{table.name}_{column}", column)
            kind = kind_of(f"{table.name} {column}" if "price" in table.name else column, values)
            if says_currency(squashed(column), values):
                continue
            wish = Wish(path=f"{table.path} {column}", names=names, kind=kind, values=values,
                        rule={"from": look.identifier.path, "steps": steps})  # fmt: skip
            money = next((c for c, t in table.texts.items() if says_currency(squashed(c), t)), None)
            if money and kind.name in ("price", "number"):
                wish.kind = replace(kind, name="price")
                steps = [{"lookup": table.name, "column": money}, "first"]
                wish.currency = {"from": look.identifier.path, "steps": steps}
            found.append(wish)
    for wish in wishes.plain:
        for table in (t for t in look.around.named if _names_codes(t, wish)):
            values = [table.texts[v][0] for v in wish.values if v in table.texts]
            rule = {"from": wish.rule["from"], "steps": [{"lookup": table.name, "column": "name"}]}
            found.append(Wish(path=wish.path, names=(f"{wish.names[0]}_name", table.name),
                              kind=Kind("text"), values=values, rule=rule))  # fmt: skip
    return found


def _names_codes(table: Table, wish: Wish) -> bool:
    if set(wish.rule) != {"from"} or not wish.values:
        return False
    words = {*tokens(table.name)} & {word for name in wish.names for word in tokens(name)}
    return bool(words) and sum(v in table.keys for v in wish.values) > 0.8 * len(wish.values)


ROWS = "language_rows"


def _in_rows_per_language(look: Look, wishes: Wishes) -> None:
    """Where each language of a product is a record of its own: its texts by a table over all."""
    if look.language is None:
        return
    said = look.language.said()
    words = list(dict.fromkeys(said.values()))
    columns = {"language": look.language.path}
    wishes.plain = [wish for wish in wishes.plain if wish.path != look.language.path]
    for wish in wishes.plain:
        if wish.kind.name not in ("text", "html") or set(wish.rule) - {"from", "take"}:
            continue
        column = "_".join(tokens(wish.path)) or "text"
        columns[column] = wish.path
        each = {"table": ROWS, "key": look.identifier.path}
        wish.rule = {"each": each, "from": column, "locale": {"from": "language"}}
        wish.languages = {word: locale_of(word) or "" for word in words}
        wish.several = False
    ids = frozenset(look.identifier.values.values())
    look.around.about = []
    look.around.named.append(Table(ROWS, "", look.identifier.path, columns, ids))


def _with_variants(
    draft: Draft, record: Record, look: Look, rules: Rules, path: str, names: Names
) -> None:
    """Models with variants inside, and products that have none; or variants as products."""
    assert look.variants is not None  # noqa: S101 - asked by the caller
    variants = look.variants
    common = wishes_of(look.top, look.used, variants.place)
    common.plain += _looked_up(look, common)
    own = wishes_of(variants.top, {variants.identifier.path})
    _label_keys(own, look.around)
    family = variants.family_variant(rules.structure, own)
    taken: set[str] = set()
    variant = Record(name=variants.name)
    here = f"{path}/{variants.place.path}"
    ident = Entry(key="identifier", rule=variants.identifier.path,
                  sample=next(iter(variants.identifier.values.values())))  # fmt: skip
    up = "../" * (variants.place.path.count("/") + 1)
    variant.fields = [Entry(key="path", rule=here), ident]
    enabled, _ = enabled_of(variants.top)
    if rules.structure is not None and family is None:
        variant.doubts = ["the PIM has no family variant that fits: variants are products"]
        variant.fields += [Entry(key="within", rule=path), *_family(record)]
        place_values(variant, own, rules, draft, taken, None)
        place_values(variant, as_products(common, up), rules, Draft(), taken, None)
        for entry in record.fields:
            if entry.key == "when":
                entry.rule = f"({entry.rule}) and not({variants.place.path})"
        record.fields.append(Entry(key="nested", rule="keep"))
        if not any(entry.key == "when" for entry in record.fields):
            record.fields.insert(1, Entry(key="when", rule=f"not({variants.place.path})"))
        draft.records = [variant]
        if _some_without(look, variants):
            _flat(record, look, rules, names)
            draft.records.append(record)
        return
    model = Record(name=f"{record.name}_model")
    model.fields = [
        Entry(key="path", rule=path), Entry(key="when", rule=variants.place.path),
        Entry(key="nested", rule="keep"), Entry(key="resource", rule="product_model"),
        replace(record.fields[[e.key for e in record.fields].index("identifier")]),
        Entry(key="family_variant", rule=family[0] if family else f"by_{variants.axis}",
              doubts=[] if family else ["a family variant of your PIM"]),
        *(e for e in record.fields if e.key == "categories"),
    ]  # fmt: skip
    variant.fields += [Entry(key="parent", rule=f"{up}{look.identifier.path}")]
    variant.fields += [enabled] if enabled is not None else []
    level = family[1] if family else set()
    others = {a.code for a in (rules.structure.attributes or ())} if rules.structure else set()
    place_values(variant, own, rules, draft, taken | (others - level), None)
    mine = _codes(variant)
    place_values(model, common, rules, draft, set(level | mine), look)
    draft.records = [model, variant]
    if _some_without(look, variants):
        _flat(record, look, rules, names)
        draft.records.append(record)


def _flat(record: Record, look: Look, rules: Rules, names: Names) -> None:
    """The rule for products that have no variants: all that they say, under their own number."""
    assert look.variants is not None  # noqa: S101 - asked by the caller
    inside = {number for number, _ in look.variants.place.nodes}
    nodes = [node for number, node in look.top.nodes if number not in inside]
    top = places_of(nodes, names)
    own = identifier_of(top, len(nodes))
    same = top.below.get(look.variants.identifier.path)
    if same is not None and len(same.texts) == len(nodes):
        own = Identifier(same.path, same.said(), 1.0)
    for entry in record.fields:
        if entry.key == "identifier" and own is not None:
            entry.rule, entry.doubts = own.path, list(own.doubts)
            entry.sample = next(iter(own.values.values()))
    used = {*look.used, own.path if own else ""} - {look.identifier.path}
    place_values(record, wishes_of(top, used), rules, Draft(), set(), None)


def _codes(record: Record) -> set[str]:
    return {e.attribute for e in record.entries() if e.attribute and not e.off}


def _family(record: Record) -> list[Entry]:
    return [replace(entry) for entry in record.fields if entry.key == "family"]


def _some_without(look: Look, variants: Variants) -> bool:
    return len({n for n, _ in variants.place.nodes}) < look.records


def sections_of(draft: Draft, rules: Rules, sample: Sample, look: Look, path: str) -> None:
    """What stands above the records: namespaces, file, defaults, head, maps, tables."""
    found: dict[str, list[Entry]] = {
        "namespaces": [Entry(key=k, rule=v) for k, v in sample.names.declared.items()],
        "file": [Entry(key=key, rule=value) for key, value in sample.file.items()],
    }
    around, structure = look.around, rules.structure
    defaults = []
    if rules.default_locale:
        doubts = [] if around.locale else ["the language of texts that say none"]
        defaults.append(Entry(key="locale", rule=rules.locale, doubts=doubts))
    if rules.default_scope and structure is not None and structure.channels:
        codes = [channel.code for channel in structure.channels]
        doubts = [f"one of {', '.join(codes)}"] if len(codes) > 1 else []
        defaults.append(Entry(key="scope", rule=codes[0], doubts=doubts))
    found["defaults"] = defaults
    main = structure.main_identifier if structure else None
    if main is not None and main.code != "sku":
        found["identifier_attribute"] = [Entry(key="", rule=main.code)]
    said = repr([entry.rule for entry in draft.entries() if not entry.off])
    if around.currency:
        entry = Entry(key="currency", rule=around.currency, sample=around.currency_word or "")
        entry.off = "$currency" not in said
        found["head"] = [entry]
    found["maps"] = [Entry(key=key, rule=dict(pairs)) for key, pairs in rules.maps.items() if pairs]
    tables = [*([around.tree] if around.tree else []), *around.about, *around.named]
    found["tables"] = _tables(tables, said, path)
    used = repr(found["tables"]) + said + path + repr([e.rule for e in draft.entries()])
    found["namespaces"] = [
        e for e in found["namespaces"] if e.key == "default" or f"{e.key}:" in used
    ]
    draft.sections = {**found, **draft.sections}


def _tables(tables: list[Table], said: str, path: str) -> list[Entry]:
    entries = []
    for table in tables:
        asked = any(
            f"'{word}': '{table.name}'" in said for word in ("lookup", "ancestors", "table")
        )
        rule = {"path": table.path or path, "key": table.key, "columns": table.columns}
        entry = Entry(key=table.name, rule=rule, sample=table.sample, off=not asked)
        if asked:
            entries.append(entry)
        elif table.sample:
            entry.doubts.append("rows that name the records; nothing uses them yet")
            entries.append(entry)
    return entries
