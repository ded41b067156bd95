"""From a file to a mapping that runs: outline, records, sample, draft, trial."""

from __future__ import annotations

from dataclasses import dataclass

from cli.sampling.candidates import Candidate, candidates, inside_of
from cli.sampling.composing import compose
from cli.sampling.outline import Outline, Place, lies_in, outline_of
from cli.sampling.prefixes import DEFAULT, Prefixes
from cli.sampling.sample import read_sample
from cli.sampling.trial import tried
from cli.sampling.writing import comment
from pim_connector.akeneo.structure import Structure
from pim_connector.erp.elements import OpenFile, XmlStream
from pim_connector.erp.record import UnreadableFileError
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.language import File


@dataclass(frozen=True, slots=True)
class Drafted:
    """A mapping as text, what there is to say about it, and why the sample broke off."""

    text: str
    said: tuple[str, ...]
    broken: UnreadableFileError | None


def draft_mapping(
    open_file: OpenFile, structure: Structure | None, *, record: str | None = None, most: int = 500
) -> Drafted:
    """A first mapping of the first `most` records of a file.

    Memory: the sampled records (24 MB of XML at most) and rows around them; a file of any size is
    looked at up to its first 400 000 elements. Raises ConfigurationError when nothing in the file
    can be a record, or nothing is at `record`; UnreadableFileError when there is nothing to read.
    """
    stream, outline = _outline(open_file)
    found = candidates(outline)
    chosen = _chosen(outline, found, record)
    sample = read_sample(stream, outline, chosen, most)
    if not sample.records:
        if outline.broken is not None:
            raise outline.broken
        raise ConfigurationError(f"there is no whole element at {chosen}")
    draft = compose(outline, sample, structure)
    if stream.options.illegal_characters == "drop":
        draft.file["illegal_characters"] = "drop"
    others = [c for c in found if c.path != chosen]
    inner = inside_of(outline, chosen)
    draft.about = _about(outline, chosen, len(sample.records), others, inner)
    out, said = tried(draft, stream.open_file, structure, most)
    doubts = sum(line.lstrip().startswith("# ?") for line in out.lines)
    lines = [f"records: {chosen}", said, f"{doubts} places marked with `# ?` to look at"]
    lines += [f"or --record {c.path}  ({c.count} of them)" for c in others]
    return Drafted(out.text, tuple(line for line in lines if line), outline.broken)


def _outline(open_file: OpenFile) -> tuple[XmlStream, Outline]:
    """The outline; once more without a `default` namespace, or without illegal characters."""
    stream = XmlStream(open_file=open_file)
    outline = outline_of(stream, Prefixes())
    if outline.broken is not None and "haracter" in outline.broken.what:
        dropping = XmlStream(open_file=open_file, options=File(illegal_characters="drop"))
        again = outline_of(dropping, Prefixes())
        if again.elements > outline.elements or again.broken is None:
            stream, outline = dropping, again
    prefixes = outline.prefixes
    if prefixes.bare_names and DEFAULT in prefixes.used.values():
        outline = outline_of(stream, Prefixes(without_default=True))
    return stream, outline


def _chosen(outline: Outline, found: list[Candidate], record: str | None) -> str:
    if record is not None:
        if not any(_is_at(place, record) for place in outline.places()):
            near = ", ".join(c.path for c in found) or "nothing that repeats"
            raise ConfigurationError(f"--record {record}: not in the file; candidates: {near}")
        return record
    if found:
        return found[0].path
    if outline.broken is not None:
        raise outline.broken
    places = [place for place in outline.places() if place.above and place.above.above]
    if not places:
        raise ConfigurationError("the file has no element below its root: no records to map")
    return _first(places)


def _is_at(place: Place, path: str) -> bool:
    return lies_in(place.path, path) and lies_in(path, place.path)


def _first(places: list[Place]) -> str:
    return max(places, key=lambda place: (place.count, place.leaves)).path


def _about(
    outline: Outline,
    chosen: str,
    sampled: int,
    others: list[Candidate],
    inner: list[Candidate],
) -> list[str]:
    lines = [
        f"Drafted from {sampled} records at {chosen}. Lines with `# ?` say what is uncertain, and",
        "what else it could be; rules that are commented out did not fit. Then: mapping check,",
        "preview.",
    ]
    if not outline.whole:
        lines.append("The sample is large: only its first part was looked at.")
    if others:
        lines += ["", "Other places that repeat (`mapping init --record PATH`):"]
        lines += [f"  {comment(c.path)}  {c.count} elements, {c.leaves} values" for c in others]
    if inner:
        lines += [
            "",
            "? Inside the records, with codes of their own. Variants? Then a rule of their own,",
        ]
        lines += ["and `nested: keep` and `resource: product_model` for what is around them:"]
        lines += [f"  {comment(c.path)}  {c.count} elements, {c.leaves} values" for c in inner]
    return lines
