"""Records of a sample through a mapping that is being written: one record, or the whole file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, BinaryIO, Final, Literal

import msgspec
from msgspec import Struct

from pim_connector.akeneo.structure import Structure
from pim_connector.console.runs import readable
from pim_connector.erp.preview import Previewed, Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.errors import ConnectorError
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import MappingError, load_mapping
from pim_connector.mapping.results import FieldError
from pim_connector.records import SourceRecord

NAME: Final = "mapping"
MOST_CHARACTERS: Final = 16_000
MOST_COMPARED: Final = 2_000
MOST_EXAMPLES: Final = 12
SECONDS: Final = 15.0
"""What a page may take for a file; what is left of it is said."""
Direction = Literal["", "next", "previous", "rejected"]
Open = Callable[[], BinaryIO]
_PROBLEM = re.compile(rf"{NAME}:(\d+): (?:([^:\s]+): )?(.*)", re.DOTALL)


class Complaint(Struct, frozen=True, kw_only=True):
    """What is wrong or worth a look; `line` and `key` are of the mapping where they are known."""

    message: str
    line: int | None = None
    key: str = ""
    value: str | None = None


class Sample(Struct, frozen=True, kw_only=True):
    """A file to try a mapping on, and the files beside it that tables read."""

    open: Open
    others: Mapping[str, Open] = {}


class Shown(Struct, frozen=True, kw_only=True):
    """What the studio shows of one record. Without `record` only the complaints say something."""

    errors: tuple[Complaint, ...] = ()
    warnings: tuple[Complaint, ...] = ()
    number: int = 1
    record: SourceRecord | None = None
    xml: str = ""
    state: str = ""
    resource: str = ""
    reason: str = ""
    payload: Mapping[str, Any] | None = None
    text: str = ""
    beside: tuple[str, ...] = ()
    is_last: bool = True


class Whole(Struct, frozen=True, kw_only=True):
    """A whole file through a mapping; `complete` is False where time was up before its end."""

    records: int
    states: Mapping[str, int]
    reasons: tuple[tuple[str, int], ...]
    empty: tuple[str, ...]
    complete: bool
    problem: str = ""


class Difference(Struct, frozen=True, kw_only=True):
    """One value that two mappings make differently of the same product; None: it makes none."""

    identifier: str
    name: str
    before: str | None
    after: str | None


class Comparison(Struct, frozen=True, kw_only=True):
    """What another mapping makes of the same file."""

    products: int
    changed: int
    added: int
    gone: int
    attributes: tuple[tuple[str, int], ...]
    examples: tuple[Difference, ...]
    complete: bool


def compiled_mapping(mapping: str) -> CompiledMapping:
    """Read a mapping as it is typed. Raises MappingError with every problem."""
    return compile_mapping(load_mapping(mapping.encode(), name=NAME))


def preview(
    mapping: str,
    sample: Sample | None,
    number: int,
    structure: Structure | None,
    *,
    go: Direction = "",
    until: Callable[[], bool] = lambda: False,
) -> Shown:
    """Map one record of a sample; whatever is wrong is in the answer."""
    try:
        compiled = compiled_mapping(mapping)
        against = check_against(compiled, structure) if structure else ()
        warnings = tuple(map(complaint, against))
        if sample is None:
            return Shown(warnings=warnings)
        return _shown(compiled, sample, number, structure, warnings, go, until)
    except MappingError as error:
        return Shown(errors=tuple(map(complaint, error.problems)))
    except ConnectorError as error:
        return Shown(errors=(Complaint(message=str(error)),))


def complaint(problem: str) -> Complaint:
    """Read one problem of a mapping as text. Pure."""
    found = _PROBLEM.fullmatch(problem)
    if not found:
        return Complaint(message=problem)
    return Complaint(line=int(found[1]), key=found[2] or "", message=found[3])


def _shown(
    compiled: CompiledMapping,
    sample: Sample,
    number: int,
    structure: Structure | None,
    against: tuple[Complaint, ...],
    go: Direction,
    until: Callable[[], bool],
) -> Shown:
    number = max(1, number + {"next": 1, "rejected": 1, "previous": -1}.get(go, 0))
    reader = read_records(sample.open, compiled, skip=number - 1, others=sample.others)
    chosen, result, is_last = _choose(reader, compiled, structure, go == "rejected", until)
    if chosen is None:
        what = "rejected record behind this one" if go == "rejected" else f"record {number}"
        message = f"The sample has {reader.records_read:,} records; there is no {what}."
        return Shown(errors=(Complaint(message=message),), warnings=against, number=number)
    assert result is not None  # noqa: S101  it comes with the record
    return Shown(
        errors=tuple(_field(each, chosen, compiled) for each in result.errors),
        warnings=(*against, *(_field(each, chosen, compiled) for each in result.warnings)),
        number=chosen.number,
        record=chosen,
        xml=readable(chosen.xml)[:MOST_CHARACTERS],
        state=result.state,
        resource=result.resource or "",
        reason=result.reason or "",
        payload=result.payload,
        text=formatted(result.payload)[:MOST_CHARACTERS],
        beside=tuple(_beside(result)),
        is_last=is_last,
    )


def _choose(
    reader: Iterator[SourceRecord],
    compiled: CompiledMapping,
    structure: Structure | None,
    rejected: bool,
    until: Callable[[], bool],
) -> tuple[SourceRecord | None, Previewed | None, bool]:
    record = next(reader, None)
    while record is not None:
        result = mapped(compiled, record, structure)
        following = next(reader, None)
        if not rejected or result.state == "rejected":
            return record, result, following is None
        if until():
            return None, None, False
        record = following
    return None, None, True


def mapped(
    compiled: CompiledMapping, record: SourceRecord, structure: Structure | None
) -> Previewed:
    """Map one record by itself."""
    return next(preview_records([record], compiled, structure, Summary()))


def whole(
    mapping: str, sample: Sample, structure: Structure | None, until: Callable[[], bool]
) -> Whole:
    """Map a whole file as far as time allows, and count."""
    compiled, summary, problem = compiled_mapping(mapping), Summary(), ""
    complete = True
    try:
        reader = read_records(sample.open, compiled, others=sample.others)
        for place, _ in enumerate(preview_records(reader, compiled, structure, summary)):
            if place % 50 == 0 and until():
                complete = False
                break
    except ConnectorError as error:
        problem, complete = str(error), False
    empty = sorted((compiled.attribute_codes or frozenset()) - summary.filled)
    return Whole(
        records=sum(summary.states.values()),
        states=dict(summary.states),
        reasons=tuple(summary.reasons.most_common(10)),
        empty=tuple(empty) if summary.states["mapped"] else (),
        complete=complete,
        problem=problem,
    )


def compare(
    before: str, after: str, sample: Sample, structure: Structure | None, until: Callable[[], bool]
) -> Comparison:
    """Map the beginning of a file by two mappings, and return what differs."""
    old, old_whole = _products(before, sample, structure, until)
    new, new_whole = _products(after, sample, structure, until)
    both = [key for key in new if key in old]
    found = [each for key in both for each in differences(key, old[key], new[key])]
    attributes = Counter(each.name for each in found)
    return Comparison(
        products=len(new),
        changed=len({each.identifier for each in found}),
        added=sum(key not in old for key in new),
        gone=sum(key not in new for key in old),
        attributes=tuple(attributes.most_common(12)),
        examples=tuple(found[:MOST_EXAMPLES]),
        complete=old_whole and new_whole,
    )


def _products(
    mapping: str, sample: Sample, structure: Structure | None, until: Callable[[], bool]
) -> tuple[dict[str, Mapping[str, Any]], bool]:
    compiled = compiled_mapping(mapping)
    reader = read_records(sample.open, compiled, others=sample.others)
    found: dict[str, Mapping[str, Any]] = {}
    for place, one in enumerate(preview_records(reader, compiled, structure, Summary())):
        if place >= MOST_COMPARED or (place % 50 == 0 and until()):
            return found, False
        if one.payload is not None:
            found[f"{one.resource} {one.identifier}"] = one.payload
    return found, True


def differences(
    identifier: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Difference]:
    """Return what differs between two payloads of one product. Pure."""
    old, new = dict(_flat(before)), dict(_flat(after))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Difference(
                identifier=identifier, name=name, before=old.get(name), after=new.get(name)
            )


def _flat(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, data in payload.items():
        if name != "values":
            yield name, _text(data)
            continue
        for attribute, values in data.items():
            for one in values:
                place = " ".join(one[key] for key in ("locale", "scope") if one.get(key))
                yield f"{attribute} {place}".strip(), _text(one.get("data"))


def _text(data: Any) -> str:
    text = data if isinstance(data, str) else msgspec.json.encode(data).decode()
    return text if len(text) <= 200 else f"{text[:199]}…"


def _field(error: FieldError, record: SourceRecord, compiled: CompiledMapping) -> Complaint:
    """Point at the line of the mapping that made the value."""
    rule = ("records", record.rule)
    attribute = error.attribute or ""
    paths = ((*rule, "values", attribute), (*rule, attribute))
    places = compiled.mapping.places
    path = next((path for path in paths if path in places.lines), rule)
    source = f" (read by {error.source})" if error.source else ""
    return Complaint(
        line=places.line(path), key=attribute, message=error.message + source, value=error.value
    )


def formatted(payload: Mapping[str, Any] | None) -> str:
    """Return a payload as indented JSON."""
    if payload is None:
        return ""
    return msgspec.json.format(msgspec.json.encode(payload), indent=2).decode()


def _beside(result: Previewed) -> Iterator[str]:
    for media in islice(result.media, 50):
        yield f"file for {media.attribute}: {media.location}"
    for option in islice(result.options, 50):
        yield f"option of {option.attribute}: {option.code}, created if the PIM lacks it"
