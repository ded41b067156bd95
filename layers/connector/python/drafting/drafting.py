"""From a file to a mapping that runs: sample, recognition or inference, trial, what it covers."""

from __future__ import annotations

from dataclasses import dataclass

from drafting.composing import compose
from drafting.coverage import leaves_read
from drafting.recognition import elements_by_local_names, recognised
from drafting.records import Candidate, candidates, elements_at, of_one_kind
from drafting.sample import Element, Sample, read_sample
from drafting.statistics import Place
from drafting.trial import Tried, tried
from drafting.writing import Draft, Record, comment, written
from pim_connector.akeneo.structure import Structure
from pim_connector.erp.elements import OpenFile
from pim_connector.errors import ConfigurationError
from pim_connector.records import UnreadableFileError


@dataclass(frozen=True, slots=True)
class Drafted:
    """A mapping as text, what there is to say about it, and why the sample broke off."""

    text: str
    said: tuple[str, ...]
    broken: str | None


def draft_mapping(
    open_file: OpenFile,
    structure: Structure | None,
    *,
    record: str | None = None,
    most: int = 5_000,
    encoding: str | None = None,
) -> Drafted:
    """A first mapping of the first `most` records in the first 24 MB of a file.

    A format that has a starter gets the starter, cut to what the sample holds and put on the PIM's
    attributes; of any other the records are found, and rules made of what they hold. Raises
    ConfigurationError when nothing in the file can be a record, or nothing is at `record`;
    UnreadableFileError when there is nothing to read.
    """
    sample = read_sample(open_file, encoding)
    found = candidates(sample.root, sample.names)
    draft, about = recognised(sample, open_file, structure) if record is None else (None, "")
    if draft is None:
        chosen = _chosen(sample, found, record)
        draft = compose(sample, chosen, structure, most)
        about = f"{min(len(chosen.elements), most)} records at {chosen.path}"
        found = [each for each in found if each.path != chosen.path]
    else:
        found = []
    result = tried(draft, open_file, structure)
    covered = _covered(draft, sample)
    draft.about = _about(about, found, sample, covered)
    return Drafted(
        written(draft).text, _said(about, result, draft, found, covered), _broken(sample, result)
    )


def _chosen(sample: Sample, found: list[Candidate], record: str | None) -> Candidate:
    if record is not None:
        elements = elements_at(sample.root, sample.names, record)
        if not elements:
            near = ", ".join(each.path for each in found)
            raise ConfigurationError(
                f"--record {record}: not in the file; candidates: {near or 'nothing that repeats'}"
            )
        return Candidate(record, elements, 1.0, 0)
    if found:
        return of_one_kind(found[0], sample.names)
    if sample.broken is not None:
        raise UnreadableFileError(sample.broken)
    raise ConfigurationError("the file has no element below its root: no records to map")


def _covered(draft: Draft, sample: Sample) -> tuple[int, int]:
    """How many of the leaves of the records a rule reads, and how many there are."""
    namespaces = {e.key: e.rule for e in draft.sections.get("namespaces", [])}
    records: list[tuple[Record, list[Element]]] = []
    for record in draft.records:
        path = record.field("path")
        if not record.off and isinstance(path, str):
            records.append((record, elements_by_local_names(sample, path)))
    tables = {e.key: e.rule for e in draft.sections.get("tables", []) if isinstance(e.rule, dict)}
    read, every = leaves_read(records, sample.names, namespaces, tables)
    unread = [place for path, place in every.items() if path not in read]
    known = "\n".join(draft.unused)
    draft.unused = [line for line in draft.unused if line.split("  ")[0] not in read]
    draft.unused += [_listed(place) for place in unread if f"{place.path}  " not in known]
    return len(every) - len(unread), len(every)


def _listed(place: Place) -> str:
    often = f"  (up to {place.most} in one)" if place.repeated else ""
    return f"{place.path}{often}  = {place.values[0]}"


def _about(
    about: str, others: list[Candidate], sample: Sample, covered: tuple[int, int]
) -> list[str]:
    lines = [
        f"Drafted from {about}: {covered[0]} of {covered[1]} leaves are read. Lines with `# ?` say",
        "what is uncertain, and what else it could be; rules that are commented out did not fit.",
        "Then: mapping check, preview.",
    ]
    if not sample.whole:
        lines.append("The sample is large: only its first part was looked at.")
    if others:
        lines += ["", "Other places that repeat (`mapping init --record PATH`):"]
        lines += [
            f"  {comment(c.path)}  {len(c.elements)} elements, {c.leaves} values" for c in others
        ]
    return lines


def _said(
    about: str, result: Tried, draft: Draft, others: list[Candidate], covered: tuple[int, int]
) -> tuple[str, ...]:
    doubts = sum(line.lstrip().startswith("# ?") for line in written(draft).lines)
    share = f" ({round(100 * covered[0] / covered[1])} %)" if covered[1] else ""
    return (
        f"records: {about}",
        result.said,
        f"{doubts} places marked with `# ?` to look at",
        *(f"or --record {c.path}  ({len(c.elements)} of them)" for c in others),
        f"the draft reads {covered[0]} of the {covered[1]} leaves of the sample's records{share}",
    )


def _broken(sample: Sample, result: Tried) -> str | None:
    if result.broken is not None:
        return str(result.broken)
    return sample.broken
