"""One record of a sample through a mapping that is being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
from lxml import etree

from pim_connector.erp.preview import Previewed, Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.erp.record import RECORD_MARK, SourceRecord
from pim_connector.errors import ConnectorError
from pim_connector.mapping import MappingError, Program, compile_mapping, load_mapping
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.result import FieldError
from pim_connector.structure import Structure

NAME: Final = "mapping"
MOST_CHARACTERS: Final = 200_000
_PROBLEM = re.compile(rf"{NAME}:(\d+): (?:([^:\s]+): )?(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which record of which sample, by which mapping; `number` counts from 1."""

    mapping: str
    sample: Path
    number: int
    structure: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What is wrong or worth a look; `line` and `key` are of the mapping where they are known."""

    message: str
    line: int | None = None
    key: str = ""
    value: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the studio shows. Without `record` only `errors` say something: `xml` is not known."""

    errors: tuple[Complaint, ...] = ()
    warnings: tuple[Complaint, ...] = ()
    record: int | None = None
    line: int | None = None
    rule: str = ""
    xml: str = ""
    state: str = ""
    resource: str = ""
    reason: str = ""
    payload: str = ""
    beside: tuple[str, ...] = ()
    is_last: bool = True


def preview(asked: Asked) -> Shown:
    """Read as far as the record asked for and map it; whatever is wrong is in the answer."""
    try:
        program = compile_mapping(load_mapping(asked.mapping.encode(), name=NAME))
        structure = _structure(asked.structure) if asked.structure else None
        against = check_against(program, structure) if structure else ()
        return _shown(asked, program, structure, tuple(map(_complaint, against)))
    except MappingError as error:
        return Shown(errors=tuple(map(_complaint, error.problems)))
    except ConnectorError as error:
        return Shown(errors=(Complaint(message=str(error)),))


@lru_cache(maxsize=1)
def _structure(path: Path) -> Structure:
    return Structure.from_json(path.read_bytes(), name="the PIM's structure")


def _complaint(problem: str) -> Complaint:
    found = _PROBLEM.fullmatch(problem)
    if not found:
        return Complaint(message=problem)
    return Complaint(line=int(found[1]), key=found[2] or "", message=found[3])


def _shown(
    asked: Asked, program: Program, structure: Structure | None, against: tuple[Complaint, ...]
) -> Shown:
    reader = read_records(lambda: asked.sample.open("rb"), program, skip=asked.number - 1)
    found = list(islice(reader, 2))
    if not found:
        message = f"The sample has {reader.records_read} records; there is no {asked.number}."
        return Shown(errors=(Complaint(message=message),), warnings=against)
    record = found[0]
    result = next(preview_records([record], program, structure, Summary()))
    return Shown(
        errors=tuple(_field(each, record, program) for each in result.errors),
        warnings=(*against, *(_field(each, record, program) for each in result.warnings)),
        record=record.number,
        line=record.line,
        rule=record.rule,
        xml=_readable(record.xml),
        state=result.state,
        resource=result.resource or "",
        reason=result.reason or "",
        payload=_json(result),
        beside=tuple(_beside(result)),
        is_last=len(found) == 1,
    )


def _field(error: FieldError, record: SourceRecord, program: Program) -> Complaint:
    """Point at the line of the mapping that gave the value."""
    rule = ("records", record.rule)
    attribute = error.attribute or ""
    paths = ((*rule, "values", attribute), (*rule, attribute))
    places = program.mapping.places
    path = next((path for path in paths if path in places.lines), rule)
    source = f" (read by {error.source})" if error.source else ""
    return Complaint(
        line=places.line(path), key=attribute, message=error.message + source, value=error.value
    )


def _readable(xml: str) -> str:
    """Indent a record that stands on one line; others are shown as they are."""
    xml = xml.replace(f"<?{RECORD_MARK}?>", "")
    if "\n" not in xml.strip():
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        try:
            root = etree.fromstring(xml.encode(), parser)
        except etree.XMLSyntaxError:
            return xml[:MOST_CHARACTERS]
        etree.indent(root)
        xml = etree.tostring(root, encoding="unicode")
    return xml[:MOST_CHARACTERS]


def _json(result: Previewed) -> str:
    if result.payload is None:
        return ""
    return msgspec.json.format(msgspec.json.encode(result.payload), indent=2).decode()


def _beside(result: Previewed) -> Iterator[str]:
    for media in result.media:
        yield f"file for {media.attribute}: {media.location}"
    for option in result.options:
        yield f"option of {option.attribute}: {option.code}, created if the PIM lacks it"
