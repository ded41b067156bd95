"""The ERP sources: when they are read, what guards them, what lies in their inbox, what came."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pim_connector.aws.bucket import StoredObject
from pim_connector.console.exchange import Call, Reply
from pim_connector.console.history import of_source
from pim_connector.console.parts import CONFIG, checked_source
from pim_connector.console.rendering import page
from pim_connector.console.today import in_words
from pim_connector.console.uploads import MOST_BYTES
from pim_connector.errors import ConnectorError
from pim_connector.mapping.compiling import compile_mapping
from pim_connector.mapping.language import Origin
from pim_connector.mapping.loading import load_mapping
from pim_connector.products.splitting import INBOX
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

MOST_FILES: Final = 50
LOOKED_AT: Final = 100
LAST: Final = 8


class Mapping(Struct, frozen=True, kw_only=True):
    """What a page says of a source's mapping; `problem` where it cannot be used."""

    problem: str = ""
    records: int = 0
    guards: tuple[tuple[str, str], ...] = ()
    modified: Any = None


class Source(Struct, frozen=True, kw_only=True):
    """One source in the list."""

    name: str
    last: Run | None
    waiting: int


def sources(parts: Parts, call: Call) -> Reply:
    """List the sources with their last file and what waits."""
    runs = parts.newest(LOOKED_AT)
    found = [
        Source(
            name=name,
            last=next((r for r in runs if r.source == name and r.kind == "file"), None),
            waiting=sum(1 for _ in islice(parts.bucket.keys(f"{INBOX}{name}/"), MOST_FILES + 1)),
        )
        for name in parts.sources()
    ]
    return page("sources.html", call, parts, sources=found, most=MOST_FILES)


def source(parts: Parts, call: Call) -> Reply:
    """Show one source; one without a mapping yet is where its first file is dropped."""
    name = checked_source(call.names["source"])
    runs = [run for run in parts.newest(LOOKED_AT) if run.source == name]
    return page(
        "source.html",
        call,
        parts,
        source=name,
        known=name in parts.sources(),
        mapping=_mapping(parts, name),
        inbox=list(_inbox(parts, name)),
        runs=runs[:LAST],
        acts=list(parts.history.of(of_source(name))),
        most=MOST_BYTES,
        trigger=parts.settings.trigger,
        schedule=in_words(parts.settings.sweep_schedule),
    )


def _inbox(parts: Parts, name: str) -> Iterator[StoredObject]:
    for key in islice(parts.bucket.keys(f"{INBOX}{name}/"), MOST_FILES):
        stored = parts.bucket.describe(key)
        if stored is not None:
            yield stored


def _mapping(parts: Parts, name: str) -> Mapping | None:
    key = f"{CONFIG}{name}.yaml"
    stored = parts.bucket.describe(key)
    if stored is None:
        return None
    try:
        compiled = compile_mapping(load_mapping(parts.bucket.get(key), name=key))
    except ConnectorError as error:
        return Mapping(problem=str(error), modified=stored.modified)
    return Mapping(
        records=len(compiled.records),
        guards=tuple(_guards(compiled.mapping.file.source)),
        modified=stored.modified,
    )


def _guards(origin: Origin) -> Iterator[tuple[str, str]]:
    if origin.exports == "full":
        share = origin.max_missing_share
        yield (
            "Products missing from an export",
            {
                "report": "are listed in the report",
                "leave": "are left as they are",
                "disable": f"are disabled; above {share} somebody has to approve",
            }[origin.missing_products],
        )
    else:
        yield "Products missing from an export", "mean nothing: exports hold only what changed"
    yield (
        "A product twice in one file",
        ("is rejected" if origin.duplicates == "reject" else "the last one wins"),
    )
    yield (
        "Undo",
        (
            "a run can be reverted: the values before it are kept"
            if origin.reversible
            else "is off; `source: {reversible: true}` in the mapping keeps the values before a run"
        ),
    )
