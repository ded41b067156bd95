"""Products that left a full export: which they are, and whether they may be disabled.

A full export says by silence what is gone. That is only believed of a file that was read to its
end, whose every record says which product it is about, and that lacks no more than the mapping's
share; otherwise the products stay as they are until an operator says so.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Iterator
from typing import Final

import msgspec
from msgspec import Struct

from pim_connector.aws.bucket import Bucket
from pim_connector.errors import ConfigurationError
from pim_connector.mapping.language import Origin
from pim_connector.mapping.results import Identity
from pim_connector.products.decisions import kept
from pim_connector.reports import safe_cell
from pim_connector.sync.chunks import HashSet, Manifest, identity_hash, read_manifest
from pim_connector.sync.jobs import (
    JobParts,
    ProductUpdate,
    begin,
    job_name,
    refuse_while_busy,
    send_value_updates,
)
from pim_connector.sync.messages import UpdatedSlot, ValueUpdate
from pim_connector.sync.runs import Registry, Run

SPOOL_BYTES: Final = 8 * 1_048_576
_DISABLE: Final = (UpdatedSlot(key=("enabled",), data=False),)


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A product that a full export held."""

    resource: str
    identifier: str
    family_key: str
    uuid: bool = False


class Missing(Struct, frozen=True, kw_only=True):
    """What an export lacks. `total` products of `before` that the last complete one held.

    `earlier` are the runs that held them: the last complete one, and those before it whose
    missing products nobody has decided about yet.
    """

    total: int
    before: int
    earlier: tuple[Run, ...]


def identifiers_prefix(run: Run) -> str:
    """Say where the identifiers of a full export lie: JSON lists of `Known`."""
    return f"manifests/{run.source}/{run.id}.identifiers/"


def keep_identifiers(bucket: Bucket, run: Run, chunk: int, identities: Iterator[Identity]) -> None:
    """Keep what a chunk of a full export held; writing it again changes nothing."""
    known = [
        Known(
            resource=each.resource,
            identifier=each.identifier,
            family_key=each.family_key,
            uuid=each.uuid is not None,
        )
        for each in identities
    ]
    bucket.put(f"{identifiers_prefix(run)}{chunk:06d}", msgspec.json.encode(known))


def find_missing(
    run: Run, holds: HashSet | Manifest, registry: Registry, bucket: Bucket
) -> Missing | None:
    """Compare a full export with the last complete one; None where there is none to compare with.

    `holds` has the identity hashes of the run's records.
    """
    earlier = tuple(_earlier(run, registry, bucket))
    if not earlier:
        return None
    gone = HashSet()
    for each in earlier:
        for value in read_manifest(each.source, each.id, bucket):
            if value not in holds:
                gone.add(value)
    before = read_manifest(earlier[0].source, earlier[0].id, bucket)
    return Missing(total=len(gone), before=len(before), earlier=earlier)


def _earlier(run: Run, registry: Registry, bucket: Bucket) -> Iterator[Run]:
    for name in reversed(registry.split_after(run.source)):
        found = registry.get(name.run) if name.order < run.order else None
        if found is None or found.problem is not None or found.holes:
            continue
        if not any(bucket.keys(identifiers_prefix(found))):
            continue
        yield found
        if found.hold is None:
            return


def why_hold(run: Run, missing: Missing, origin: Origin, bucket: Bucket) -> str | None:
    """Say why an operator has to confirm that the missing products are disabled; None: need not."""
    share = float(origin.max_missing_share.rstrip("% "))
    if missing.total * 100 > share * missing.before:
        found = 100 * missing.total / max(missing.before, 1)
        return (
            f"{missing.total} of {missing.before} products are missing ({found:.1f} %), the mapping"
            f" allows {origin.max_missing_share}: see whether the export is whole, then"
            f" `pim-connector confirm {run.id}`"
        )
    if any(one.outcome.identifier is None for one in kept(bucket, run.id)):
        return (
            "records were rejected of which nobody knows the product; it may be one of the"
            f" {missing.total} that are missing: fix them, or `pim-connector confirm {run.id}`"
        )
    return None


def list_missing(run: Run, missing: Missing, holds: HashSet | Manifest, bucket: Bucket) -> str:
    """Write the missing products as CSV beside the run's report, and give the key."""
    key = f"reports/{run.id}/missing.csv"
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        file.write(codecs.BOM_UTF8)
        file.write(b"resource,identifier\r\n")
        for known in _known(missing, holds, bucket):
            line = io.StringIO()
            csv.writer(line).writerow([known.resource, safe_cell(known.identifier)])
            file.write(line.getvalue().encode())
        file.seek(0)
        bucket.put(key, file)
    return key


def withdraw(
    run: Run, missing: Missing, holds: HashSet | Manifest, parts: JobParts, *, name: str = ""
) -> Run:
    """Disable the missing products, as a job of its own that changes no count of `run`.

    Product models have nothing that could be disabled; their variants have. Under the same `name`,
    by default the one that belongs to the run's split, doing it twice is doing it once.
    Any other disturbs what the next file would take for granted.
    """
    job = begin(run, "withdrawal", name or f"{run.id}-withdrawal", parts, disturbs=bool(name))
    return send_value_updates(job, "withdraw", _products(missing, holds, parts.bucket), parts)


def confirm(run: Run, parts: JobParts) -> Run:
    """Disable what an operator was asked about. ConfigurationError where there is nothing to say.

    Nothing of the source may be under way, and no newer file may have come: it knows better.
    """
    if run.hold is None:
        raise ConfigurationError(f"run {run.id} waits for nobody's word: nothing to confirm")
    newer = parts.registry.newer_split(run)
    if newer:
        raise ConfigurationError(
            f"run {newer[-1].run} is newer than {run.id} and was compared with what came before: "
            "see whether that one waits for your word"
        )
    refuse_while_busy(run, parts.registry)
    manifest = read_manifest(run.source, run.id, parts.bucket)
    missing = find_missing(run, manifest, parts.registry, parts.bucket)
    if missing is None:
        raise ConfigurationError(f"the exports that {run.id} was compared with are gone")
    name = job_name(run, "withdrawal", parts.clock())
    job = withdraw(run, missing, manifest, parts, name=name)
    parts.registry.release_hold(run.id)
    return job


def _products(
    missing: Missing, holds: HashSet | Manifest, bucket: Bucket
) -> Iterator[ProductUpdate]:
    products = (one for one in _known(missing, holds, bucket) if one.resource == "product")
    for number, known in enumerate(products, start=1):
        value_update = ValueUpdate(
            number=number, identifier=known.identifier, uuid=known.uuid, slots=_DISABLE
        )
        yield ProductUpdate(
            resource=known.resource, family_key=known.family_key, value_update=value_update
        )


def _known(missing: Missing, holds: HashSet | Manifest, bucket: Bucket) -> Iterator[Known]:
    seen = HashSet()
    for run in missing.earlier:
        for key in bucket.keys(identifiers_prefix(run)):
            for known in msgspec.json.decode(bucket.get(key), type=list[Known]):
                value = identity_hash(known.resource, known.identifier)
                if value not in holds and seen.add(value):
                    yield known
