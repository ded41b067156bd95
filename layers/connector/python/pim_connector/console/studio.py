"""The mapping studio: the record on the left, the mapping, and the product it makes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from pim_connector.akeneo.structure import Structure
from pim_connector.aws.bucket import StoredObject
from pim_connector.console import versions as versions_module
from pim_connector.console.exchange import Call, RefusedError, Reply, redirect
from pim_connector.console.history import of_source
from pim_connector.console.mapping_tests import (
    Failure,
    MappingTest,
    failures,
    keep_tests,
    read_tests,
    updated,
)
from pim_connector.console.parts import CONFIG, checked_source
from pim_connector.console.previewing import (
    SECONDS,
    Complaint,
    Direction,
    Sample,
    Shown,
    compare,
    compiled_mapping,
    complaint,
    preview,
    whole,
)
from pim_connector.console.rendering import page
from pim_connector.console.uploads import MOST_SAMPLE_BYTES, SAMPLES
from pim_connector.console.versions import diff, text_of, versions_of
from pim_connector.errors import ConfigurationError, ConnectorError
from pim_connector.mapping.loading import MappingError

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

FOLDERS: Final = ("incoming/", "done/", "failed/", SAMPLES)
MOST_MAPPING_CHARACTERS: Final = 400_000
MOST_RECORD: Final = 5_000_000
MOST_FILES: Final = 15
EMPTY: Final = """\
# What the records of the export are, and which attribute each value goes to.
# The language is described under Help.
version: 1
records:
  products:
    path: /export/product
    identifier: sku
    family: default
    values:
      name: name
"""


class Desk(Struct, frozen=True, kw_only=True):
    """What is on the table: the mapping as it stands in the form, the sample, the place in it."""

    source: str
    mapping: str
    sample: str = ""
    number: int = 1
    against_pim: bool = True
    go: Direction = ""


def choose(parts: Parts, call: Call) -> Reply:
    """Choose whose mapping to work on."""
    if call.query.get("source"):
        return redirect(f"/studio/{checked_source(call.query['source'])}")
    known = parts.sources()
    if len(known) == 1:
        return redirect(f"/studio/{known[0]}")
    return page("studio_choose.html", call, parts, sources=known)


def open_studio(parts: Parts, call: Call) -> Reply:
    """Begin with a source's mapping, a version of it, or an empty one."""
    source = checked_source(call.names["source"])
    text = text_of(parts, source, call.query.get("version") or None)
    samples = list(sample_keys(parts, source))
    sample = call.query.get("sample") or (samples[0] if samples else "")
    desk = Desk(
        source=source,
        mapping=EMPTY if text is None else text,
        sample=sample,
        number=call.number("record", 1, most=MOST_RECORD),
    )
    return _page(parts, call, desk) if text or not sample else _drafted(parts, call, desk)


def draft(parts: Parts, call: Call) -> Reply:
    """Put a draft from the sample on the table; nothing is published."""
    return _drafted(parts, call, desk_of(call))


def _drafted(parts: Parts, call: Call, desk: Desk) -> Reply:
    """Draft a mapping from the sample, with the PIM's attributes where it answers."""
    stored = _own_file(parts, desk)
    try:
        structure = structures(parts).structure(None) if desk.against_pim else None
    except ConnectorError:
        structure = None
    try:
        text = parts.draft(partial(parts.bucket.open, stored), structure)
    except ConnectorError as error:
        return _page(parts, call, desk, problem=f"No draft can be made of this sample: {error}")
    doubts = sum(line.lstrip().startswith("# ?") for line in text.splitlines())
    done = f"Drafted from {desk.sample}: {doubts} places are marked with # ? to look at."
    return _page(parts, call, msgspec.structs.replace(desk, mapping=text), done=done)


def work(parts: Parts, call: Call) -> Reply:
    """Show what comes of the mapping as it stands in the form."""
    return _page(parts, call, desk_of(call))


def whole_file(parts: Parts, call: Call) -> Reply:
    """Map the whole sample, and count."""
    desk = desk_of(call)
    try:
        counted = whole(desk.mapping, _sample(parts, desk), _structure(parts, desk), _clock())
    except MappingError as error:
        return _page(parts, call, desk, problem=_first(error))
    return _page(parts, call, desk, counted=counted)


def review(parts: Parts, call: Call) -> Reply:
    """Show what publishing means before it is done: differences, checks, tests, the last file."""
    desk = desk_of(call)
    published = text_of(parts, desk.source) or ""
    shown: dict[str, Any] = {"problems": [], "failed": [], "compared": None, "tests": 0}
    try:
        problems, failed, tests = examined(parts, desk)
        shown |= {"problems": problems, "failed": failed, "tests": len(tests)}
        if published and desk.sample and not problems:
            shown["compared"] = compare(
                published, desk.mapping, _sample(parts, desk), _structure(parts, desk), _clock()
            )
    except MappingError as error:
        shown["problems"] = [complaint(each) for each in error.problems]
    except ConnectorError as error:
        shown["problems"] = [Complaint(message=str(error))]
    lines = diff(published, desk.mapping)
    return page("review.html", call, parts, desk=desk, lines=lines, is_new=not published, **shown)


def publish(parts: Parts, call: Call) -> Reply:
    """Put the mapping in place, if nothing is wrong with it and its tests pass."""
    desk = desk_of(call)
    problems, failed, tests = examined(parts, desk)
    if problems:
        raise RefusedError(409, f"Not published: {problems[0].message}")
    wrong = [each for each in failed if call.form.get(f"accept-{each.place}") != "yes"]
    if wrong:
        raise RefusedError(
            409,
            f"Not published: the test “{wrong[0].test.name}” fails. Fix the mapping, or say that "
            "the new result is right.",
        )
    if failed:
        keep_tests(parts.bucket, desk.source, updated(tests, failed))
    _put(parts, call, desk.source, desk.mapping, "published the mapping")
    return redirect(f"/studio/{desk.source}", said="Published. New files are read by it.")


def examined(parts: Parts, desk: Desk) -> tuple[list[Complaint], list[Failure], list[MappingTest]]:
    """Check a mapping as a publish does: by itself, against the PIM of this minute, by its tests.

    MappingError for one that is none.
    """
    from pim_connector.mapping.checking import check_against

    compiled = compiled_mapping(desk.mapping)
    structure = structures(parts).fresh(compiled.attribute_codes)
    problems = [complaint(each) for each in check_against(compiled, structure)]
    tests = read_tests(parts.bucket, desk.source)
    return problems, failures(tests, compiled, structure), tests


def keep_test(parts: Parts, call: Call) -> Reply:
    """Keep what becomes of the record on the table as a test of the mapping."""
    desk = desk_of(call)
    shown = preview(desk.mapping, _sample(parts, desk), desk.number, _structure(parts, desk))
    if shown.record is None:
        raise RefusedError(409, "There is no record to make a test of.")
    who = str((shown.payload or {}).get("identifier") or (shown.payload or {}).get("code") or "")
    test = MappingTest(
        name=who or f"record {shown.number}",
        record=shown.record,
        state=shown.state,
        payload=shown.payload,
        made_by=call.visitor.actor,
    )
    tests = [one for one in read_tests(parts.bucket, desk.source) if one.name != test.name]
    keep_tests(parts.bucket, desk.source, [*tests, test])
    return _page(parts, call, desk, done=f"Kept as a test: {test.name} must stay {test.state}.")


def remove_test(parts: Parts, call: Call) -> Reply:
    """Remove one test."""
    source, name = checked_source(call.names["source"]), call.form.get("name", "")
    tests = read_tests(parts.bucket, source)
    keep_tests(parts.bucket, source, [test for test in tests if test.name != name])
    what = f"removed the mapping test {name[:80]}"
    parts.history.note(of_source(source), call.visitor.actor, what, parts.clock())
    return redirect(f"/studio/{source}/versions", said="The test is removed.")


def versions(parts: Parts, call: Call) -> Reply:
    """List the versions of a mapping, and what one of them changed."""
    source = checked_source(call.names["source"])
    found = list(versions_of(parts, source))
    chosen = next((v for v in found if v.id == call.query.get("version")), None)
    lines = []
    if chosen is not None:
        place = found.index(chosen)
        before = text_of(parts, source, found[place + 1].id) if place + 1 < len(found) else ""
        lines = diff(before or "", text_of(parts, source, chosen.id) or "")
    return page(
        "versions.html",
        call,
        parts,
        source=source,
        versions=found,
        chosen=chosen,
        lines=lines,
        tests=read_tests(parts.bucket, source),
    )


def roll_back(parts: Parts, call: Call) -> Reply:
    """Publish an earlier version again, if it stands the checks and tests of today."""
    source, version = checked_source(call.names["source"]), call.form.get("version", "")
    if version not in {each.id for each in versions_of(parts, source)}:
        raise RefusedError(404, "There is no such version any more.")
    text = text_of(parts, source, version)
    problems, failed, _ = examined(parts, Desk(source=source, mapping=text or ""))
    if problems:
        raise RefusedError(
            409, f"This version does not fit the PIM any more: {problems[0].message}"
        )
    if failed:
        raise RefusedError(
            409,
            f"With this version the test “{failed[0].test.name}” fails. Open it in the studio and "
            "publish it from there.",
        )
    _put(parts, call, source, text or "", "rolled the mapping back")
    return redirect(f"/studio/{source}/versions", said="Rolled back. New files are read by it.")


def words(parts: Parts, call: Call) -> Reply:  # noqa: ARG001  as every page
    """Return the keys of the mapping language, by the key they stand under, for the editor."""
    return Reply(
        body=_words(),
        content_type="application/json",
        headers={"cache-control": "private, max-age=3600"},
    )


@cache
def _words() -> str:
    from pim_connector.mapping.language import json_schema

    schema = json.loads(json_schema())
    definitions = schema.get("$defs", {})
    found: dict[str, list[str]] = {"": []}
    for name, one in definitions.items():
        for key, value in one.get("properties", {}).items():
            below = sorted(_below(value, definitions))
            if below:
                found[key] = sorted({*found.get(key, ()), *below})
        if name == "MappingFile":
            found[""] = sorted(one.get("properties", {}))
    return json.dumps(found)


def _below(value: Any, definitions: dict[str, Any]) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield from definitions[value["$ref"].rpartition("/")[2]].get("properties", {})
        for kind in ("anyOf", "allOf"):
            for each in value.get(kind, ()):
                yield from _below(each, definitions)
        for kind in ("items", "additionalProperties"):
            yield from _below(value.get(kind), definitions)


def desk_of(call: Call) -> Desk:
    """Read the form of the studio."""
    mapping = call.form.get("mapping", "").replace("\r\n", "\n")
    if len(mapping) > MOST_MAPPING_CHARACTERS:
        raise RefusedError(413, f"A mapping has at most {MOST_MAPPING_CHARACTERS:,} characters.")
    go = call.form.get("go", "")
    return Desk(
        source=checked_source(call.names["source"]),
        mapping=mapping,
        sample=call.form.get("sample", ""),
        number=max(1, call.number("record", 1, most=MOST_RECORD)),
        against_pim="against_pim" in call.form,
        go=go if go in ("next", "previous", "rejected") else "",  # type: ignore[arg-type]  # narrowed
    )


def _page(
    parts: Parts, call: Call, desk: Desk, *, problem: str = "", done: str = "", counted: Any = None
) -> Reply:
    return page(
        "studio.html",
        call,
        parts,
        desk=desk,
        shown=_shown(parts, desk),
        samples=list(
            dict.fromkeys([*filter(None, [desk.sample]), *sample_keys(parts, desk.source)])
        ),
        published=text_of(parts, desk.source) is not None,
        problem=problem,
        done=done,
        counted=counted,
        most_sample=MOST_SAMPLE_BYTES,
    )


def _shown(parts: Parts, desk: Desk) -> Shown:
    sample = None
    try:
        sample = _sample(parts, desk) if desk.sample else None
        structure = _structure(parts, desk)
    except MappingError as error:
        return Shown(errors=tuple(map(complaint, error.problems)), number=desk.number)
    except ConnectorError as error:
        shown = preview(desk.mapping, sample, desk.number, None, go=desk.go, until=_clock())
        unchecked = Complaint(message=f"Not checked against the PIM: {error}")
        return Shown(
            **{name: getattr(shown, name) for name in Shown.__struct_fields__}
            | {"warnings": (*shown.warnings, unchecked)}
        )
    return preview(desk.mapping, sample, desk.number, structure, go=desk.go, until=_clock())


def _sample(parts: Parts, desk: Desk) -> Sample:
    stored = _own_file(parts, desk)
    compiled = compiled_mapping(desk.mapping)
    others = {
        table.file: partial(parts.bucket.open, _beside(parts, desk.source, table.file))
        for table in compiled.mapping.file.tables.values()
        if table.file
    }
    return Sample(open=partial(parts.bucket.open, stored), others=others)


def _own_file(parts: Parts, desk: Desk) -> StoredObject:
    key = desk.sample
    mine = key.startswith(tuple(f"{folder}{desk.source}/" for folder in FOLDERS))
    stored = parts.bucket.describe(key) if mine else None
    if stored is None:
        raise ConfigurationError(f"{key[:200]} is not a file of {desk.source} any more.")
    return stored


def _beside(parts: Parts, source: str, name: str) -> StoredObject:
    stored = parts.bucket.describe(f"{CONFIG}{source}/{name}")
    if stored is None:
        raise ConfigurationError(
            f"The mapping reads tables from {name}: put it beside the mapping."
        )
    return stored


def sample_keys(parts: Parts, source: str) -> Iterator[str]:
    """Return files of a source to try a mapping on: own samples first, then what came of late."""
    seen = set()
    for key in list(parts.bucket.keys(f"{SAMPLES}{source}/"))[-MOST_FILES:]:
        seen.add(key)
        yield key
    for run in parts.newest(60):
        key = run.file or run.key
        if run.source == source and run.kind == "file" and key not in seen and len(seen) < 30:
            seen.add(key)
            yield key


def _structure(parts: Parts, desk: Desk) -> Structure | None:
    if not desk.against_pim:
        return None
    found: Structure = structures(parts).structure(compiled_mapping(desk.mapping).attribute_codes)
    return found


def structures(parts: Parts) -> Any:
    """Return the PIM's structure as all functions share it."""
    from pim_connector.akeneo.structure_cache import StructureCache, fetch_structure

    def fetch(codes: Any) -> Structure:
        with parts.pim() as client:
            return fetch_structure(client, codes)

    return StructureCache(parts.bucket, fetch)


def _put(parts: Parts, call: Call, source: str, text: str, what: str) -> None:
    versions_module.put(parts, source, text, call.visitor.actor)
    parts.history.note(of_source(source), call.visitor.actor, what, parts.clock())


def _clock() -> Callable[[], bool]:
    began = time.monotonic()
    return lambda: time.monotonic() - began > SECONDS


def _first(error: MappingError) -> str:
    return f"The mapping has errors: {error.problems[0]}"
