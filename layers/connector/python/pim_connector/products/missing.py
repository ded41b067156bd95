"""Products that left a full export: which they are, and whether they may be disabled.

A full export says by silence what is gone. That is only believed of a file that was read to its
end, whose every record says which product it is about, and that lacks no more than the mapping's
share; otherwise the products stay as they are until an operator says so.

Each source has one baseline: its last export that was complete and that nobody had to decide about,
or whose missing products an operator approved. A held run changes nothing of it, however often it
repeats. A product that another source's last full export holds is not missing.
"""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

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
MAPPINGS: Final = "config/erp/"
_DISABLE: Final = (UpdatedSlot(key=("enabled",), data=False),)


class Known(msgspec.Struct, frozen=True, array_like=True):
    """A product that a full export held."""

    resource: str
    identifier: str
    family_key: str
    uuid: bool = False


class Missing(Struct, frozen=True, kw_only=True):
    """What an export lacks: `total` of the `before` products that its `baseline` held.

    `elsewhere` are the products of other sources' last full exports, which are not missing, and
    `others` those sources.
    """

    total: int
    before: int
    baseline: Run
    elsewhere: tuple[Manifest, ...]
    others: tuple[str, ...]

    def lacks(self, value: int, holds: HashSet | Manifest) -> bool:
        """Say whether a product of the baseline is missing from an export that `holds` these."""
        return value not in holds and not any(value in each for each in self.elsewhere)


def _identifiers_prefix(run: Run) -> str:
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
    bucket.put(f"{_identifiers_prefix(run)}{chunk:06d}", msgspec.json.encode(known))


def find_missing(
    run: Run, holds: HashSet | Manifest, registry: Registry, bucket: Bucket
) -> Missing | None:
    """Compare a full export with its source's baseline; None where there is none yet.

    `holds` has the identity hashes of the run's records.
    """
    exports = _full_exports(run.source, registry, bucket)
    baseline = next((one for one in exports if one.order < run.order and settled(one)), None)
    if baseline is None:
        return None
    before = read_manifest(baseline.source, baseline.id, bucket)
    others = tuple(source for source in sources(bucket) if source != run.source)
    found = Missing(
        total=0,
        before=len(before),
        baseline=baseline,
        elsewhere=tuple(_held_elsewhere(others, registry, bucket)),
        others=others,
    )
    return replace(found, total=sum(found.lacks(value, holds) for value in before))


def sources(bucket: Bucket) -> Iterator[str]:
    """Name the sources that have a mapping."""
    for key in bucket.keys(MAPPINGS):
        name = key.removeprefix(MAPPINGS)
        if "/" not in name and name.endswith((".yaml", ".yml")):
            yield name.rpartition(".")[0]


def _full_exports(source: str, registry: Registry, bucket: Bucket) -> Iterator[Run]:
    """Return the full exports of a source that were read to their end, the newest first."""
    for name in reversed(registry.split_after(source)):
        found = registry.get(name.run)
        if found is None or found.problem is not None or found.holes:
            continue
        if any(bucket.keys(_identifiers_prefix(found))):
            yield found


def settled(run: Run) -> bool:
    """Say whether a full export can be a baseline: nobody has to decide, nobody discarded it."""
    return run.hold is None and run.decision != "discarded"


def _held_elsewhere(
    others: Iterable[str], registry: Registry, bucket: Bucket
) -> Iterator[Manifest]:
    """Return the last full export of each source; of one on hold also those down to its baseline.

    What is missing from an export on hold is not decided yet: its products still count as listed.
    """
    for source in others:
        for run in _full_exports(source, registry, bucket):
            yield read_manifest(source, run.id, bucket)
            if settled(run):
                break


def above_share(missing: Missing, origin: Origin) -> str | None:
    """Say in words that more products are missing than the mapping allows; None if not. Pure."""
    share = float(origin.max_missing_share.rstrip("% "))
    if missing.total * 100 <= share * missing.before:
        return None
    found = 100 * missing.total / max(missing.before, 1)
    return (
        f"{missing.total} of {missing.before} products are missing ({found:.1f} %), the mapping"
        f" allows {origin.max_missing_share}"
    )


def why_hold(run: Run, missing: Missing, origin: Origin, bucket: Bucket) -> str | None:
    """Say why an operator has to confirm that the missing products are disabled; None: need not."""
    too_many = above_share(missing, origin)
    if too_many:
        return (
            f"{too_many}: see whether the export is whole, then"
            f" `pim-connector approve {run.id}` or `pim-connector discard {run.id}`"
        )
    if any(one.outcome.identifier is None for one in kept(bucket, run.id)):
        return (
            "records were rejected of which nobody knows the product; it may be one of the"
            f" {missing.total} that are missing: fix them, or `pim-connector approve {run.id}`"
        )
    return None


def list_missing(run: Run, missing: Missing, holds: HashSet | Manifest, bucket: Bucket) -> str:
    """Write the missing products as CSV beside the run's report, and give the key."""
    key = f"reports/{run.id}/missing.csv"
    with tempfile.SpooledTemporaryFile(SPOOL_BYTES) as file:
        file.write(codecs.BOM_UTF8)
        file.write(b"resource,identifier\r\n")
        for known in known_missing(missing, holds, bucket):
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
    for other in missing.others:
        parts.registry.disturb(other, job)
    products = _products(missing, holds, parts.bucket)
    return send_value_updates(job, "withdraw", products, parts, others=missing.others)


def approve(run: Run, parts: JobParts, who: str) -> Run:
    """Disable what `who` was asked about, as a job. ConfigurationError where nobody is asked.

    From then on the export is its source's baseline. Nothing of the source may be under way, and
    no newer file may have come: it knows better.
    """
    if run.hold is None:
        raise ConfigurationError(f"run {run.id} waits for nobody's word: nothing to approve")
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
    parts.registry.decide(run.id, "approved", who, parts.now())
    return job


def discard(run: Run, parts: JobParts, who: str) -> None:
    """Leave enabled what `who` was asked about; the next export is compared with the same baseline.

    ConfigurationError where nobody is asked.
    """
    if run.hold is None:
        raise ConfigurationError(f"run {run.id} waits for nobody's word: nothing to discard")
    parts.registry.decide(run.id, "discarded", who, parts.now())


def _products(
    missing: Missing, holds: HashSet | Manifest, bucket: Bucket
) -> Iterator[ProductUpdate]:
    products = (one for one in known_missing(missing, holds, bucket) if one.resource == "product")
    for number, known in enumerate(products, start=1):
        value_update = ValueUpdate(
            number=number, identifier=known.identifier, uuid=known.uuid, slots=_DISABLE
        )
        yield ProductUpdate(
            resource=known.resource, family_key=known.family_key, value_update=value_update
        )


def known_missing(missing: Missing, holds: HashSet | Manifest, bucket: Bucket) -> Iterator[Known]:
    """Return the missing products by name, each once."""
    seen = HashSet()
    for key in bucket.keys(_identifiers_prefix(missing.baseline)):
        for known in msgspec.json.decode(bucket.get(key), type=list[Known]):
            value = identity_hash(known.resource, known.identifier)
            if missing.lacks(value, holds) and seen.add(value):
                yield known
