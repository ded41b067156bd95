"""What a splitter works with, and what a run of it is pinned to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import BinaryIO

import msgspec
from msgspec import Struct

from pim_connector.bucket import StoredObject
from pim_connector.errands import ErrandParts
from pim_connector.ledger import Ledger
from pim_connector.mapping import Program
from pim_connector.mapping.language import Origin
from pim_connector.messages import Force, MappingPin
from pim_connector.runs.leases import Leases
from pim_connector.runs.run import Run
from pim_connector.runs.splits import Splits


class SplitterParts(ErrandParts, frozen=True, kw_only=True):
    """What a splitter works with; what it withdraws are errands of its own."""

    splits: Splits
    leases: Leases
    ledger: Ledger
    trigger: str


class Plan(Struct, frozen=True, kw_only=True):
    """The mapping that a run is pinned to, ready to use, and the files beside the run's own."""

    pin: MappingPin
    program: Program
    origin: Origin
    others: Mapping[str, Callable[[], BinaryIO]]


def force_of(run: Run) -> Force | None:
    """Give what an operator wants sent, changed or not."""
    return msgspec.json.decode(run.forced, type=Force) if run.forced else None


def run_file(run: Run) -> StoredObject:
    """Name the file version of a run, as the bucket knows it."""
    return StoredObject(key=run.key, version=run.version, size=run.size)
