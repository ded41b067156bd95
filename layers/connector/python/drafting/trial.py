"""Tries a draft on its own sample, as `mapping check` and `preview` would, and mends it.

A rule that cannot be compiled, that the PIM's structure contradicts, or that fits less than half
of the records, becomes a comment with the reason; one that fits most of them leaves its value out
where it does not (`refused: drop_value`). So what is written runs at once.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from drafting.writing import Draft, Entry, Record, Written, written
from pim_connector.akeneo.structure import Structure
from pim_connector.erp.elements import OpenFile
from pim_connector.erp.preview import Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import MappingError, load_mapping
from pim_connector.records import UnreadableFileError

NAME = "mapping"
MOST_ROUNDS = 25
MOST_RECORDS = 300
TOLERATED = 0.05
NEEDED = ("path", "identifier", "resource", "nested", "within", "parent", "family_variant")


@dataclass(slots=True)
class Tried:
    """How the last round went: the text, records by state, rules that mapped, attributes filled."""

    out: Written
    problem: str | None = None
    states: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    filled: set[str] = field(default_factory=set)
    broken: UnreadableFileError | None = None

    @property
    def said(self) -> str:
        """One line about how it went with the sample."""
        if self.problem:
            return f"not right yet: {self.problem}"
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return f"{self.states.total()} records tried: {states or 'none'}"


def tried(
    draft: Draft, open_file: OpenFile, structure: Structure | None, most: int = MOST_RECORDS
) -> Tried:
    """The mapping as it runs on the first `most` records of the file; `draft` is mended."""
    last = Tried(written(draft))
    for _ in range(MOST_ROUNDS):
        out = written(draft)
        program, problems = _compiled(out, structure)
        last = Tried(out)
        if problems:
            if not _blame(out, problems):
                last.problem = problems[0]
                return last
            continue
        if program is None or not _previewed(draft, last, program, open_file, structure, most):
            break
    last.out = written(draft)
    return last


def _compiled(
    out: Written, structure: Structure | None
) -> tuple[CompiledMapping | None, tuple[str, ...]]:
    try:
        program = compile_mapping(load_mapping(out.text.encode(), name=NAME))
    except MappingError as error:
        return None, error.problems
    return program, check_against(program, structure) if structure is not None else ()


def _blame(out: Written, problems: tuple[str, ...]) -> bool:
    """Turns the rules at fault into comments; False when no rule is at any of those lines."""
    found = False
    for problem in problems:
        place = re.match(rf"{NAME}:(\d+): (?:[^ ]*: )?(.*)", problem, re.DOTALL)
        line = int(place[1]) if place else 0
        entry = next((out.owners[n] for n in range(line, 0, -1) if n in out.owners), None)
        if place is None or entry is None or entry.off:
            continue
        whole = _record_of(out, line) if isinstance(entry, Entry) and entry.key in NEEDED else None
        for each in (entry, whole):
            if each is not None and not each.off and (each is whole or whole is None):
                each.off = found = True
                each.doubts.append(place[2])
    return found


def _record_of(out: Written, line: int) -> Record | None:
    owners = (out.owners[n] for n in range(line, 0, -1) if n in out.owners)
    return next((owner for owner in owners if isinstance(owner, Record)), None)


def _previewed(
    draft: Draft, last: Tried, program: CompiledMapping, open_file: OpenFile,
    structure: Structure | None, most: int,
) -> bool:  # fmt: skip
    wrong: Counter[tuple[str, str]] = Counter()
    words: dict[tuple[str, str], str] = {}
    seen: Counter[str] = Counter()
    summary = Summary()
    try:
        reader = read_records(open_file, program)
        for each in islice(preview_records(reader, program, structure, summary), most):
            seen[each.rule] += 1
            last.rules[each.rule] += each.state == "mapped"
            for error in each.errors:
                place = (each.rule, error.attribute or "")
                value = f": {error.value}" if error.value else ""
                words.setdefault(place, f"{error.message}{value}")
            wrong.update({(each.rule, error.attribute or "") for error in each.errors})
    except UnreadableFileError as error:
        last.broken = error
    last.states, last.filled = summary.states, summary.filled
    return _mended(draft, wrong, words, seen)


def _mended(
    draft: Draft, wrong: Counter[tuple[str, str]], words: dict[tuple[str, str], str],
    seen: Counter[str],
) -> bool:  # fmt: skip
    changed = False
    for record in draft.records:
        for entry in () if record.off else record.entries():
            place = (record.name, entry.attribute or entry.key)
            if entry.off or not wrong[place]:
                continue
            count, total = wrong[place], seen[record.name]
            doubt = f"{count} of {total} sampled records: {words[place]}"
            if count > TOLERATED * total and entry.key in ("parent", "family_variant"):
                record.off = changed = True
                record.doubts.append(doubt)
            elif count > 0.5 * total and entry.key not in NEEDED:
                entry.off = changed = True
            elif count > TOLERATED * total and record.field("refused") is None:
                record.fields.append(Entry(key="refused", rule="drop_value"))
                changed = True
            if doubt not in entry.doubts:
                entry.doubts.append(doubt)
    return changed
