"""Expected results of some records, kept beside a mapping and run at every publish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from pim_connector.akeneo.structure import Structure
from pim_connector.aws.bucket import Bucket
from pim_connector.console.previewing import Difference, differences, mapped
from pim_connector.errors import RejectedError
from pim_connector.mapping.compiled import CompiledMapping
from pim_connector.records import SourceRecord

MOST: Final = 50
MOST_BYTES: Final = 2_000_000


class MappingTest(Struct, frozen=True, kw_only=True):
    """One record as the ERP sent it, and what is to become of it; `payload` where it is mapped."""

    name: str
    record: SourceRecord
    state: str
    payload: Mapping[str, Any] | None = None
    made_by: str = ""


class Failure(Struct, frozen=True, kw_only=True):
    """A test whose record becomes something else; `place` is its number in the list."""

    place: int
    test: MappingTest
    state: str
    payload: Mapping[str, Any] | None
    differences: tuple[Difference, ...]


def read_tests(bucket: Bucket, source: str) -> list[MappingTest]:
    """Return the tests of a source; RejectedError where somebody else wrote over their file."""
    try:
        return msgspec.json.decode(bucket.get(_key(source)), type=list[MappingTest])
    except FileNotFoundError:
        return []
    except msgspec.MsgspecError as error:
        raise RejectedError(f"{_key(source)} does not hold mapping tests: {error}") from error


def keep_tests(bucket: Bucket, source: str, tests: Sequence[MappingTest]) -> None:
    """Replace the tests of a source. RejectedError for more than a publish should wait for."""
    data = msgspec.json.encode(tests)
    if len(tests) > MOST or len(data) > MOST_BYTES:
        raise RejectedError(f"A mapping has at most {MOST} tests, of 2 MB in all; remove some.")
    bucket.put(_key(source), data)


def failures(
    tests: Sequence[MappingTest], compiled: CompiledMapping, structure: Structure | None
) -> list[Failure]:
    """Run the tests and return those that fail. Pure."""
    found = []
    for place, test in enumerate(tests):
        rule = test.record.rule
        if rule not in compiled.records:
            found.append(_failed(place, test, "no such record rule", None))
            continue
        result = mapped(compiled, test.record, structure)
        if (result.state, result.payload) != (test.state, test.payload):
            found.append(_failed(place, test, result.state, result.payload))
    return found


def updated(tests: Sequence[MappingTest], failed: Sequence[Failure]) -> list[MappingTest]:
    """Return the tests with the new results in place of the old. Pure."""
    new = {each.place: each for each in failed}
    return [
        msgspec.structs.replace(test, state=new[place].state, payload=new[place].payload)
        if place in new
        else test
        for place, test in enumerate(tests)
    ]


def _failed(
    place: int, test: MappingTest, state: str, payload: Mapping[str, Any] | None
) -> Failure:
    found = differences(test.name, test.payload or {}, payload or {})
    return Failure(place=place, test=test, state=state, payload=payload, differences=tuple(found))


def _key(source: str) -> str:
    return f"config/tests/{source}.json"
