"""What the tests of real exports share: a file, its mapping and its PIM, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pim_connector.akeneo.structure import Structure
from pim_connector.erp.preview import Previewed, Summary, preview_records
from pim_connector.erp.reader import read_records
from pim_connector.mapping.checking import check_against
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.loading import load_mapping
from pim_connector.mapping.results import Json
from pim_connector.records import UnreadableFileError

PROJECT = Path(__file__).parents[2]
REAL = PROJECT.parent / "shared" / "erp"
OWN = PROJECT / "tests" / "data" / "exports"


@dataclass(frozen=True, slots=True)
class Export:
    """All records of one file as they would be sent; `broken` is why it could not be read on."""

    records: tuple[Previewed, ...]
    summary: Summary
    broken: UnreadableFileError | None

    def __getitem__(self, identifier: str) -> Previewed:
        """The last record of a product or model that is mapped."""
        return next(r for r in reversed(self.records) if r.identifier == identifier)

    @property
    def states(self) -> dict[str, int]:
        return dict(self.summary.states)


def real_export(
    file: str, mapping: str, structure: str, edit: tuple[str, str] = ("", "")
) -> Export:
    """A real file, which is kept outside of the project; skips the test where it is not there."""
    path = REAL / file
    if not path.exists():
        pytest.skip(f"REAL EXPORT NOT TESTED: ../shared/erp/{file} is not there")
    return export(path, mapping, structure, edit)


def own_export(
    file: str,
    mapping: str,
    structure: str,
    edit: tuple[str, str] = ("", ""),
    second: tuple[str, str] = ("", ""),
) -> Export:
    """One of the project's own small files in the same dialects; `second` is a name and a file."""
    return export(OWN / file, mapping, structure, edit, second)


@cache
def export(
    path: Path,
    mapping: str,
    structure: str,
    edit: tuple[str, str],
    second: tuple[str, str] = ("", ""),
) -> Export:
    """Maps a whole file. `edit` is what a user would change in the mapping: this text for that."""
    compiled = compile_mapping(load_mapping(mapping_text(mapping, edit).encode(), name=mapping))
    summary = Summary()
    records: list[Previewed] = []
    broken = None
    try:
        others = {second[0]: lambda: (OWN / second[1]).open("rb")}
        reader = read_records(lambda: path.open("rb"), compiled, others=others)
        records.extend(preview_records(reader, compiled, structure_of(structure), summary))
    except UnreadableFileError as error:
        broken = error
    return Export(tuple(records), summary, broken)


def mapping_text(mapping: str, edit: tuple[str, str] = ("", "")) -> str:
    text = (PROJECT / mapping).read_text()
    before, after = edit
    assert before in text, f"{mapping} no longer has the text that this test edits"
    return text.replace(before, after) if before else text


@cache
def structure_of(name: str) -> Structure:
    """A small PIM; those of the starters stand beside them."""
    beside = PROJECT / "docs/mappings" / name
    path = beside if beside.exists() else PROJECT / "tests/data/structures" / name
    return Structure.from_json(path.read_bytes())


def problems_of(mapping: str, structure: str) -> tuple[str, ...]:
    """What `mapping check` finds."""
    compiled = compile_mapping(load_mapping(mapping_text(mapping).encode(), name=mapping))
    return check_against(compiled, structure_of(structure))


def value(record: Previewed, attribute: str, locale: str | None = None) -> Json:
    """The data of one attribute in one locale; None where nothing is sent."""
    sent = (record.payload or {}).get("values")
    assert isinstance(sent, dict)
    envelopes = sent.get(attribute, [])
    assert isinstance(envelopes, list)
    for envelope in envelopes:
        assert isinstance(envelope, dict)
        if envelope["locale"] == locale:
            return envelope["data"]
    return None


def field(record: Previewed, name: str) -> Json:
    """A field of the payload that is no value, such as categories."""
    return (record.payload or {}).get(name)


def media(record: Previewed) -> dict[str, str]:
    """Attribute → location of every file that would be uploaded."""
    return {item.attribute: item.location for item in record.media}


def labels(record: Previewed, attribute: str) -> dict[str, dict[str, str]]:
    """Option code → labels of the options a record wants of an attribute."""
    return {item.code: item.labels for item in record.options if item.attribute == attribute}


def price(amount: str, currency: str) -> Json:
    return [{"amount": amount, "currency": currency}]
