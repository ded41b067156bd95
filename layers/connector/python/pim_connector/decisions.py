"""What becomes of the records of a file, by what the ledger, or the last run's baseline, holds."""

from __future__ import annotations

from collections.abc import Sequence

from pim_connector.baseline import Baseline
from pim_connector.ledger import ledger_key
from pim_connector.manifests import manifests_of
from pim_connector.mapping.result import Identity
from pim_connector.runs.run import Run
from pim_connector.split_parts import Plan, SplitterParts, force_of
from pim_connector.windows import Sighting, Standing, decide


class Decisions:
    """Decides for one run; `standing` is where it stands among the others of its source."""

    def __init__(self, run: Run, plan: Plan, parts: SplitterParts) -> None:
        self.standing = _standing(run, plan, parts)
        self._run = run
        self._ledger = parts.ledger
        self._baseline = _baseline(run, self.standing, parts)

    @property
    def rely_on_baseline(self) -> bool:
        """Whether they are true only as long as no other run writes to the ledger."""
        return self._baseline is not None

    def forget_baseline(self) -> None:
        """Ask the ledger about every record from here on."""
        self._baseline = None

    def dispositions(self, sightings: Sequence[Sighting]) -> str:
        """Decide about the records; the ledger is asked about those the baseline does not have.

        Of the first run of a source it has nothing to say. Were it to, by tables that were put
        back, the mapper, which asks it too, would pass over what needs no sending.
        """
        if self._run.first:
            return "".join([decide(sighting, None, self.standing) for sighting in sightings])
        known = [self._is_known(sighting) for sighting in sightings]
        keys = [
            "" if is_known else _ledger_key(self._run.source, sighting)
            for sighting, is_known in zip(sightings, known, strict=True)
        ]
        entries = self._ledger.versions(filter(None, keys))
        return "".join(
            "u" if is_known else decide(sighting, entries.get(key), self.standing)
            for sighting, key, is_known in zip(sightings, keys, known, strict=True)
        )

    def _is_known(self, sighting: Sighting) -> bool:
        return (
            self._baseline is not None
            and sighting.hash != 0
            and not sighting.repeats
            and self._baseline.holds(sighting.hash, sighting.fingerprint)
        )


def _baseline(run: Run, standing: Standing, parts: SplitterParts) -> Baseline | None:
    """Give what the ledger holds of the file before, where it and nothing else wrote there."""
    if not (run.follows and standing.shortcut) or standing.newer or standing.force:
        return None
    before = parts.registry.get(run.follows)
    if before is None or before.finished_at is None or before.order >= run.order:
        return None
    if before.mapping is None or before.mapping.digest != standing.digest:
        return None
    return Baseline.open(before, parts.bucket)


def _standing(run: Run, plan: Plan, parts: SplitterParts) -> Standing:
    return Standing(
        order=run.order,
        digest=plan.pin.digest,
        shortcut=not parts.registry.older_unfinished(run),
        newer=manifests_of(parts.registry.newer_split(run), parts.bucket),
        refuse_repeats=plan.origin.duplicates == "reject",
        force=force_of(run),
    )


def _ledger_key(source: str, sighting: Sighting) -> str:
    if not isinstance(sighting.found, Identity):
        return ""
    return ledger_key(source, sighting.found.resource, sighting.found.identifier)
