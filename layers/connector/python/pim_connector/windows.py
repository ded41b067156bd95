"""Decides for each record of a window whether it goes on to the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from pim_connector.erp.record import SourceRecord, UnreadableFileError
from pim_connector.ledger import LedgerEntry, Version
from pim_connector.manifests import Manifest
from pim_connector.mapping.result import Filtered, Identity, Rejected
from pim_connector.messages import Force
from pim_connector.runs.splits import WINDOW

Disposition: TypeAlias = Literal["q", "u", "s", "f", "r"]
"""queued · unchanged · superseded · filtered · rejected"""

Found: TypeAlias = Identity | Filtered | Rejected

WINDOW_CHARACTERS: Final = 4_000_000
"""A window of heavy records ends early, so that memory does not depend on their size."""


class Sighting(Struct, frozen=True, kw_only=True, gc=False):
    """A record and who it is about. `hash` is 0 and `fingerprint` empty where nobody knows.

    `repeats` says that an earlier record of the file was about the same product.
    """

    record: SourceRecord
    found: Found
    hash: int = 0
    fingerprint: bytes = b""
    repeats: bool = False


class Standing(Struct, frozen=True, kw_only=True):
    """Where a run stands among the others of its source.

    `newer` are the manifests of newer files that were split before it. `shortcut` says that the
    ledger can be trusted to be the PIM's last word: no older file is still under way. `force` says
    what an operator wants sent, changed or not.
    """

    order: str
    digest: str
    shortcut: bool = True
    newer: tuple[Manifest, ...] = ()
    refuse_repeats: bool = False
    force: Force | None = None


def decide(
    sighting: Sighting, entry: LedgerEntry | Version | None, standing: Standing
) -> Disposition:
    """Say what becomes of one record; `entry` is what the PIM last accepted of its product.

    A record that repeats a product of its file is always queued: what the ledger says of the
    product is about to change.
    """
    if not isinstance(sighting.found, Identity):
        return "f" if isinstance(sighting.found, Filtered) else "r"
    if sighting.repeats and standing.refuse_repeats:
        return "r"
    if standing.newer and any(sighting.hash in manifest for manifest in standing.newer):
        return "s"
    if sighting.repeats or entry is None:
        return "q"
    if entry.order > standing.order:
        return "s"
    if standing.force and standing.force.holds(sighting.found.identifier):
        return "q"
    same = entry.fingerprint == sighting.fingerprint and entry.mapping == standing.digest
    return "u" if same and standing.shortcut else "q"


class FileEnd:
    """How reading a file ended: `problem` is None where it was read to its end."""

    problem: UnreadableFileError | None = None


def windows_of(
    records: Iterable[SourceRecord], identify: Callable[[SourceRecord], Found], end: FileEnd
) -> Iterator[list[tuple[SourceRecord, Found]]]:
    """Give the records in windows of 1,000, or of fewer heavy ones; the same ones every time.

    Each is identified as it comes: where its rows were looked up, it has just been parsed. Where
    the file breaks off, what was before comes as the last window, and `end` says why.
    """
    window: list[tuple[SourceRecord, Found]] = []
    characters = 0
    try:
        for record in records:
            window.append((record, identify(record)))
            characters += len(record.xml)
            if len(window) == WINDOW or characters >= WINDOW_CHARACTERS:
                yield window
                window, characters = [], 0
    except UnreadableFileError as error:
        end.problem = error
    if window:
        yield window


def queued(sightings: Sequence[Sighting], dispositions: str) -> Iterator[tuple[Sighting, Identity]]:
    """Give those that go to the queue."""
    for sighting, disposition in zip(sightings, dispositions, strict=True):
        if disposition == "q" and isinstance(sighting.found, Identity):
            yield sighting, sighting.found
