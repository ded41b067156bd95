"""Tries a draft on its own sample, as `mapping check` and `preview` would, and fixes it.

A rule that cannot be compiled, that the PIM's structure contradicts, or that rejects more than
one record in twenty, becomes a comment with the reason. So what is written runs at once.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

from cli.sampling.draft import Draft, Entry
from cli.sampling.writing import Written, written
from pim_connector.akeneo.structure import Structure
from pim_connector.erp.elements import OpenFile
from pim_connector.erp.preview import Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.erp.record import UnreadableFileError
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import MappingError, load_mapping

NAME = "mapping"
MOST_ROUNDS = 12
MOST_RECORDS = 300
TOLERATED = 0.05


def tried(
    draft: Draft, open_file: OpenFile, structure: Structure | None, most: int = MOST_RECORDS
) -> tuple[Written, str]:
    """The mapping as it runs, and one line about how it went with the sample."""
    said = ""
    for _ in range(MOST_ROUNDS):
        out = written(draft)
        compiled, problems = _compiled(out, structure)
        if problems:
            if not _blame(out, problems):
                return out, f"not right yet: {problems[0]}"
            continue
        if compiled is None:
            break
        said, changed = _previewed(draft, compiled, open_file, structure, min(most, MOST_RECORDS))
        if not changed:
            break
    return written(draft), said


def _compiled(
    out: Written, structure: Structure | None
) -> tuple[CompiledMapping | None, tuple[str, ...]]:
    try:
        compiled = compile_mapping(load_mapping(out.text.encode(), name=NAME))
    except MappingError as error:
        return None, error.problems
    return compiled, check_against(compiled, structure) if structure is not None else ()


def _blame(out: Written, problems: tuple[str, ...]) -> bool:
    """Turns the rules at fault into comments; False when no rule is at any of those lines."""
    found = False
    for problem in problems:
        place = re.match(rf"{NAME}:(\d+): (?:[^ ]*: )?(.*)", problem, re.DOTALL)
        line = int(place[1]) if place else 0
        entry = next((out.owners[n] for n in range(line, 0, -1) if n in out.owners), None)
        if place and entry is not None and not entry.off:
            entry.off = found = True
            entry.doubts.append(place[2])
    return found


def _previewed(
    draft: Draft,
    compiled: CompiledMapping,
    open_file: OpenFile,
    structure: Structure | None,
    most: int,
) -> tuple[str, bool]:
    summary = Summary()
    wrong: Counter[str] = Counter()
    words: dict[str, str] = {}
    try:
        reader = read_records(open_file, compiled)
        for each in islice(preview_records(reader, compiled, structure, summary), most):
            for name in {error.attribute or "" for error in each.errors}:
                wrong[name] += 1
            for error in each.errors:
                value = f": {error.value}" if error.value else ""
                words.setdefault(error.attribute or "", f"{error.message}{value}")
    except UnreadableFileError:
        pass  # said once already, by the outline
    total = sum(summary.states.values())
    states = ", ".join(f"{count} {state}" for state, count in sorted(summary.states.items()))
    return f"{total} records tried: {states}", _mended(draft, wrong, words, total)


def _mended(draft: Draft, wrong: Counter[str], words: dict[str, str], total: int) -> bool:
    changed = False
    for entry in draft.entries():
        name = entry.attribute or entry.key
        if entry.off or entry.key == "identifier" or not wrong[name]:
            continue
        if wrong[name] > TOLERATED * total:
            entry.off = changed = True
        _doubt(entry, f"{wrong[name]} of {total} sampled records: {words[name]}")
    return changed


def _doubt(entry: Entry, text: str) -> None:
    if text not in entry.doubts:
        entry.doubts.append(text)
