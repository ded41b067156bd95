"""Formats that have a starter: the starter, cut to what the sample holds and put on the PIM."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from lxml import etree

from drafting.attributes import ACCEPTED, SURE, rate
from drafting.composing import place_values, rules_for
from drafting.coverage import leaves_read
from drafting.fields import family_of
from drafting.records import elements_at
from drafting.rows import key_rows
from drafting.rules import Rules
from drafting.sample import DEFAULT, Element, Names, Sample
from drafting.statistics import Place, places_of
from drafting.surroundings import surroundings_of
from drafting.values import Kind
from drafting.wishes import Wish, wishes_of
from drafting.words import UNITS
from drafting.writing import Draft, Entry, Record, Rows, written
from pim_connector.akeneo.structure import Attribute, Structure
from pim_connector.erp.elements import OpenFile
from pim_connector.erp.preview import Summary, preview_records
from pim_connector.erp.reader import read_order, read_records
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import MappingError, load_mapping, load_yaml
from pim_connector.mapping.values import TYPES
from pim_connector.records import UnreadableFileError

STARTERS = Path(__file__).parent / "starters"
MOST_TRIED = 60
LEAST_FILLED = 3
OWN = {"text": "text", "textarea": "html", "identifier": "text", "number": "number",
       "price": "price", "metric": "metric", "boolean": "boolean", "date": "date",
       "simple_select": "text", "multi_select": "text", "image": "image", "file": "file",
       "asset_collection": "image"}  # fmt: skip
"""Which kind of value an attribute type of a starter's PIM speaks of."""


@dataclass(slots=True)
class Fit:
    """A starter on a sample: what it maps, and what of it anything fills."""

    name: str
    document: dict[str, Any]
    mapped: int
    rejected: int
    filled: set[str]
    rules: set[str]
    categories: set[str]

    @property
    def good(self) -> float:
        return len(self.filled) * self.mapped / max(1, self.mapped + self.rejected)


def recognised(
    sample: Sample, open_file: OpenFile, structure: Structure | None
) -> tuple[Draft | None, str]:
    """The draft of the starter that fits best, and how it is called; None where none does.

    A starter fits where its record path is in the sample, most of these records are mapped, and
    at least three attributes are filled.
    """
    fits = []
    for path in sorted(STARTERS.glob("*.yaml")):
        document = _at_home(path.read_text("utf-8"), sample)
        fit = _fit(path.stem, document, open_file, sample) if document else None
        if fit is not None and len(fit.filled) >= LEAST_FILLED and fit.mapped > fit.rejected:
            fits.append(fit)
    if not fits:
        return None, ""
    best = max(fits, key=lambda fit: fit.good)
    draft = _draft_of(best)
    _on_the_pim(draft, best, sample, structure)
    return draft, f"the starter {best.name}.yaml"


def _at_home(text: str, sample: Sample) -> dict[str, Any] | None:
    """The starter's document in the sample's namespaces; None where no record path leads there."""
    root = etree.QName(sample.root).localname
    if not re.search(rf"path: *(?:&\w+ +)?[\"']?/(/|(?:\w+:)?({re.escape(root)}|\*)/)", text):
        return None
    document, _ = load_yaml(text.encode())
    assert isinstance(document, dict)  # noqa: S101 - the tests load every starter
    declared = dict(document.get("namespaces", {}))
    seen = set(sample.names.prefixes)
    if declared.get(DEFAULT) not in (None, "*") and declared[DEFAULT] not in seen:
        declared[DEFAULT] = "*"
    if not declared and seen:
        declared = {DEFAULT: "*"}
    document["namespaces"] = declared
    for record in document["records"].values():
        if elements_by_local_names(sample, str(record["path"])):
            return document
    return None


def elements_by_local_names(sample: Sample, path: str) -> list[Element]:
    """The elements at a record's path, whatever prefixes it is written with."""
    path = re.sub(r"(?<=/)[\w.-]+:", "", path)
    bare = Names(dict.fromkeys(sample.names.prefixes, DEFAULT), {})
    return elements_at(sample.root, bare, path)


def _fit(name: str, document: dict[str, Any], open_file: OpenFile, sample: Sample) -> Fit | None:
    if sample.file:
        document["file"] = {**document.get("file", {}), **sample.file}
    fit = Fit(name, document, 0, 0, set(), set(), set())
    try:
        whole = _draft_of(fit, cut=False)
        for record in whole.records:
            if record.field("refused") is None:
                record.fields.append(Entry(key="refused", rule="drop_value"))
        text = written(whole).text
        program = compile_mapping(load_mapping(text.encode(), name=name))
    except MappingError:
        return None
    try:
        read_order(open_file, program)
    except UnreadableFileError:
        document["source"] = {k: v for k, v in document["source"].items() if k != "order"}
    summary = Summary()
    try:
        previewed = preview_records(read_records(open_file, program), program, None, summary)
        for each in islice(previewed, MOST_TRIED):
            fit.mapped += each.state == "mapped"
            fit.rejected += each.state == "rejected"
            if each.state == "mapped":
                fit.rules.add(each.rule)
                said = (each.payload or {}).get("categories")
                fit.categories |= {str(c) for c in said} if isinstance(said, list) else set()
                fit.filled |= {media.attribute for media in each.media}
    except (UnreadableFileError, ConfigurationError):
        pass  # what came before counts
    fit.filled |= summary.filled
    return fit


def _draft_of(fit: Fit, *, cut: bool = True) -> Draft:
    """A starter's document as a draft; cut: without the rules that nothing fills."""
    draft = Draft()
    for name, rule in fit.document["records"].items():
        if cut and name not in fit.rules:
            continue
        record = Record(name=name)
        record.fields = [
            Entry(key=key, rule=value)
            for key, value in rule.items()
            if key not in ("values", "pivots")
        ]
        record.values = [
            Entry(key=code, rule=value, attribute=code)
            for code, value in rule.get("values", {}).items()
            if not cut or code in fit.filled
        ]  # fmt: skip
        for pivot in rule.get("pivots", []):
            head = {key: value for key, value in pivot.items() if key != "attributes"}
            rows = Rows(head=head)
            for key, value in pivot["attributes"].items():
                code = value if isinstance(value, str) else value["attribute"]
                if not cut or code in fit.filled:
                    rows.entries.append(Entry(key=key, rule=value, attribute=code))
            if rows.entries:
                record.pivots.append(rows)
        draft.records.append(record)
    tables = fit.document.get("tables", {})
    second = {name: table["file"] for name, table in tables.items() if "file" in table}
    for entry in draft.entries():
        needed = [n for n in second if re.search(rf"'{re.escape(n)}'", repr(entry.rule))]
        if needed:
            entry.off = True
            file = second[needed[0]]
            entry.doubts.append(f"needs the second file: preview --with {file}=FILE")
    said = repr([(e.key, e.rule) for e in draft.entries() if not e.off])
    said += repr([rows.head for r in draft.records for rows in r.pivots])
    for section in ("tables", "maps", "head"):
        parts = fit.document.get(section, {})
        for _ in range(3 if cut else 0):
            inner = said + repr(parts) if section == "tables" else said
            parts = {k: v for k, v in parts.items() if re.search(rf"\b{re.escape(k)}\b", inner)}
        said += repr(parts)
        if parts:
            draft.sections[section] = [
                Entry(key=k, rule=v, off=k in second) for k, v in parts.items()
            ]
    for section, rule in fit.document.items():
        if section in ("version", "records", "tables", "maps", "head"):
            continue
        plain = not isinstance(rule, dict)
        entries = (
            [Entry(key="", rule=rule)] if plain else [Entry(key=k, rule=v) for k, v in rule.items()]
        )
        if entries:
            draft.sections[section] = entries
    order = [
        "namespaces",
        "file",
        "source",
        "defaults",
        "identifier_attribute",
        "head",
        "maps",
        "tables",
    ]
    draft.sections = {k: draft.sections[k] for k in order if k in draft.sections}
    return draft


def _on_the_pim(draft: Draft, fit: Fit, sample: Sample, structure: Structure | None) -> None:
    """The PIM's attributes, families and locales instead of the starter's; the rest inferred."""
    around = surroundings_of(sample.root, sample.names, [], frozenset())
    rules = rules_for(structure, around, None, 0)
    if isinstance(rules.currency, dict):
        rules.currency = around.currency_word or "EUR"
    taken: set[str] = set()
    if structure is not None:
        for record in draft.records:
            _on_attributes(record, structure, rules, taken)
            _on_families(record, fit, structure)
        _on_locales(draft, rules)
        _on_units(draft, structure)
    else:
        taken = {entry.attribute for r in draft.records for entry in r.entries() if entry.attribute}
    main = structure.main_identifier if structure else None
    if main is not None and main.code != "sku":
        draft.sections["identifier_attribute"] = [Entry(key="", rule=main.code)]
    _rest(draft, sample, rules, taken)


def _on_attributes(record: Record, structure: Structure, rules: Rules, taken: set[str]) -> None:
    """Each rule under the attribute of the PIM that its name, its source or its key speaks of.

    Rules for one attribute of the starter stay together under one of the PIM.
    """
    main = structure.main_identifier
    known = [a for a in structure.attributes or () if a.type in TYPES and a is not main]
    entries = [*record.values, *(entry for rows in record.pivots for entry in rows.entries)]
    rated = [
        (rate(_wish(entry), attribute, structure), -n, attribute.code, entry, attribute)
        for n, entry in enumerate(entries)
        for attribute in known
    ]
    chosen: dict[str, tuple[Attribute, float]] = {}
    for score, _, code, entry, attribute in sorted(rated, key=lambda r: (-r[0], -r[1], r[2])):
        own = entry.attribute or ""
        free = own not in chosen and code not in {a.code for a, _ in chosen.values()}
        if score >= ACCEPTED and free:
            chosen[own] = (attribute, score)
    for entry in entries:
        found = chosen.get(entry.attribute or "")
        if found is None:
            entry.off = True
            entry.doubts.append("the PIM has nothing like it")
        else:
            _rename(entry, found[0], rules, found[1])
    taken |= {attribute.code for attribute, _ in chosen.values()}


def _wish(entry: Entry) -> Wish:
    """What a starter's rule wants, as if it had been inferred."""
    kind = Kind(_kind(entry))  # type: ignore[arg-type]  # one of OWN
    return Wish(path="", names=_names(entry), kind=kind, values=[], rule={})


def _names(entry: Entry) -> tuple[str, ...]:
    """What a starter's rule is about: its attribute, its key, and the last step that it reads."""
    names = [entry.attribute or "", *([entry.key] if entry.key != entry.attribute else [])]
    source = entry.rule if isinstance(entry.rule, str) else ""
    if isinstance(entry.rule, dict) and isinstance(entry.rule.get("from"), str):
        source = entry.rule["from"]
    last = re.sub(r"\[[^\]]*\]", "", source).rpartition("/")[2].lstrip("@").rpartition(":")[2]
    return tuple(dict.fromkeys([*names, *([last] if re.fullmatch(r"[\w.-]+", last) else [])]))


@cache
def _types() -> dict[str, str]:
    """Attribute → type in the PIMs that the starters were written for."""
    found: dict[str, str] = {}
    for path in sorted(STARTERS.glob("*.json")):
        for attribute in json.loads(path.read_text("utf-8")).get("attributes", []):
            found.setdefault(attribute["code"], TYPES.get(attribute["type"], "text"))
    return found


def _kind(entry: Entry) -> str:
    rule = entry.rule if isinstance(entry.rule, dict) else {}
    type_ = rule.get("type") or _types().get(entry.attribute or "", "text")
    type_ = "price" if "currency" in rule else "metric" if "unit" in rule else type_
    return OWN.get(str(type_), "text")


def _rename(entry: Entry, attribute: Attribute, rules: Rules, score: float) -> None:
    """A starter's rule as one for an attribute of the PIM, with its type, locale and options."""
    if score < SURE and attribute.code != entry.attribute:
        entry.doubts.append(f"by its name {entry.attribute} ({score:.2f})")
    type_ = TYPES[attribute.type]
    pivot = (isinstance(entry.rule, str) and entry.key != entry.attribute) or (
        isinstance(entry.rule, dict) and "attribute" in entry.rule
    )
    rule = dict(entry.rule) if isinstance(entry.rule, dict) else {}
    if not pivot and isinstance(entry.rule, str):
        rule = {"from": entry.rule}
    if isinstance(entry.rule, list):
        entry.key, entry.attribute = attribute.code, attribute.code
        return
    rule.pop("type", None)
    if type_ not in ("simple_select", "multi_select", "asset_collection"):
        rule.pop("labels", None)
        rule.pop("options", None)
        if _types().get(entry.attribute or "") in ("simple_select", "multi_select"):
            rule["steps"] = [s for s in rule.get("steps", []) if not _is_code(s)]
    elif _types().get(entry.attribute or "") not in ("simple_select", "multi_select"):
        rule["steps"] = [*rule.get("steps", []), "code"]
    if not rule.get("steps", True):
        del rule["steps"]
    if type_ in ("simple_select", "multi_select"):
        rule.setdefault("options", "create")
    if type_ == "metric" and "unit" not in rule:
        rule["unit"] = attribute.default_metric_unit or "PIECE"
        entry.doubts.append("the starter does not say the unit")
    if type_ == "price" and "currency" not in rule:
        rule["currency"] = rules.currency
    for own, wanted in (("currency", "price"), ("unit", "metric")):
        if type_ != wanted:
            rule.pop(own, None)
    if not attribute.localizable and "locale" in rule:
        del rule["locale"]
        if isinstance(rule.get("each"), str) and isinstance(rule.get("from"), str):
            inner = rule.pop("from")
            row = f"({rule.pop('each')})[1]"
            rule = {"from": row if inner == "." else f"{row}/{inner}", **rule}
    elif attribute.localizable and "locale" not in rule:
        rules.default_locale = True
    rules.default_scope = rules.default_scope or attribute.scopable
    if pivot:
        rule.pop("attribute", None)
        entry.rule = {"attribute": attribute.code, **rule} if rule else attribute.code
    else:
        entry.key = attribute.code
        entry.rule = rule["from"] if set(rule) == {"from"} else rule
    entry.attribute = attribute.code


def _is_code(step: Any) -> bool:
    return step == "code" or (isinstance(step, dict) and "code" in step)


def _on_families(record: Record, fit: Fit, structure: Structure) -> None:
    """Families of the PIM; without a family variant that fits, variants are plain products."""
    variants = {variant.code for variant in structure.family_variants or ()}
    families = {family.code for family in structure.families or ()}
    known = None if structure.categories is None else {c.code for c in structure.categories}
    if record.field("resource") == "product_model":
        said = set(re.findall(r"[\w-]+", repr(record.field("family_variant"))))
        if not said & variants:
            record.off = True
            record.doubts.append("the PIM has no family variant like this: variants are products")
    for entry in list(record.fields):
        if entry.key == "parent" and not variants:
            entry.off = True
        elif entry.key == "family" and not set(re.findall(r"[\w-]+", repr(entry.rule))) & families:
            record.fields[record.fields.index(entry)] = family_of(Place("."), structure)
        elif entry.key == "categories" and known is not None and not fit.categories <= known:
            entry.off = True
            some = ", ".join(sorted(known)[:8])
            entry.doubts.append(f"not all of these are categories of the PIM: {some}")


def _on_locales(draft: Draft, rules: Rules) -> None:
    """Locales of the PIM instead of those the starter was written for."""
    known = rules.structure.locales if rules.structure else None
    if known is None:
        return

    def local(value: Any, *, labels: bool = False) -> Any:
        if isinstance(value, dict):
            return {
                (chosen(k) if labels and re.fullmatch("[a-z]{2}_[A-Z]{2}", k) else k):
                local(v, labels=k == "labels") for k, v in value.items()
            }  # fmt: skip
        if isinstance(value, list):
            return [local(each) for each in value]
        if isinstance(value, str) and re.fullmatch("[a-z]{2}_[A-Z]{2}", value):
            return chosen(value)
        return value

    def chosen(code: str) -> str:
        return rules.activated(code) or rules.locale

    for entry in draft.entries():
        entry.rule = local(entry.rule)


def _on_units(draft: Draft, structure: Structure) -> None:
    """Maps of units without those that the PIM does not have."""
    families = structure.measurement_families
    if families is None:
        return
    known = {unit for family in families for unit in structure.units(family.code) or ()}
    strange = set(UNITS.values()) - known
    for entry in draft.sections.get("maps", []):
        if isinstance(entry.rule, dict):
            entry.rule = {word: to for word, to in entry.rule.items() if to not in strange}


def _rest(draft: Draft, sample: Sample, rules: Rules, taken: set[str]) -> None:
    """Rules for leaves of the records that the starter does not read, as for unknown formats."""
    live = [record for record in draft.records if not record.off]
    if not live:
        return
    record = live[-1]
    declared = {e.key: e.rule for e in draft.sections.get("namespaces", [])}
    elements = elements_by_local_names(sample, str(record.field("path")))
    names = _names_by(declared, sample)
    read, _ = leaves_read([(record, elements)], names, declared, {})
    top = places_of(elements, names)
    own = str(record.field("path"))
    used = {path[len(own) + 1 :] for path in read if path.startswith(f"{own}/")}
    used |= {place.path for place in _of_other_records(top, draft, own)}
    used |= set(_handled_keys(top, record))
    wishes = wishes_of(top, used)
    place_values(record, wishes, rules, draft, taken, None)
    for name, pairs in rules.maps.items():
        if pairs:
            sections = draft.sections.setdefault("maps", [])
            same = next((entry for entry in sections if entry.key == name), None)
            if same is None:
                sections.append(Entry(key=name, rule=dict(pairs)))
            elif isinstance(same.rule, dict):
                same.rule = {**pairs, **same.rule}
    if rules.default_locale and not any(
        entry.key == "locale" for entry in draft.sections.get("defaults", [])
    ):
        entry = Entry(
            key="locale", rule=rules.locale, doubts=["the language of texts that say none"]
        )
        draft.sections.setdefault("defaults", []).append(entry)
    if rules.default_scope and rules.structure is not None and rules.structure.channels:
        codes = [channel.code for channel in rules.structure.channels]
        defaults = draft.sections.setdefault("defaults", [])
        if not any(entry.key == "scope" for entry in defaults):
            defaults.append(
                Entry(key="scope", rule=codes[0], doubts=[f"one of {', '.join(codes)}"])
            )
    order = [
        "namespaces",
        "file",
        "source",
        "defaults",
        "identifier_attribute",
        "head",
        "maps",
        "tables",
    ]
    draft.sections = {k: draft.sections[k] for k in order if k in draft.sections}


def _names_by(declared: dict[str, str], sample: Sample) -> Names:
    """The sample's names with the prefixes that the starter declares."""
    prefixes = {uri: prefix for prefix, uri in declared.items() if uri != "*"}
    for uri in sample.names.prefixes:
        if uri not in prefixes:
            prefixes[uri] = DEFAULT if declared.get(DEFAULT) == "*" else sample.names.prefixes[uri]
    for uri, prefix in prefixes.items():
        if prefix != DEFAULT and prefix not in declared and uri in sample.names.prefixes:
            declared[prefix] = uri
    return Names(prefixes, dict(sample.names.of_attributes))


def _of_other_records(top: Place, draft: Draft, own: str) -> Iterator[Place]:
    """Places inside that are records of another rule."""
    others = {str(record.field("path")) for record in draft.records}
    for place in top.inside():
        if f"{own}/{place.path}" in others:
            yield place


def _handled_keys(top: Place, record: Record) -> Iterator[str]:
    """Keys of key/value rows that some rule of the starter names."""
    said = [repr((entry.key, entry.rule)) for entry in record.values if not entry.off]
    said += [
        repr((rows.head, [entry.key for entry in rows.entries if not entry.off]))
        for rows in record.pivots
    ]
    for place in top.inside():
        rows = key_rows(place) if place.repeated and place.below else None
        for key in rows.keys if rows else ():
            if any(place.step in text and f"'{key}'" in text for text in said):
                yield f"{place.path}#{key}"
