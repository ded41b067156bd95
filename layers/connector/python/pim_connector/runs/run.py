"""The header of a run: one file version, or an errand, on its way into the PIM, with its counts."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from pim_connector.messages import MappingPin
from pim_connector.states import FINAL_STATES, STATES, State

Phase = Literal[
    "noted", "waiting", "splitting", "preparing", "sending", "delivering", "finished", "failed"
]
"""noted: waits for the night · waiting: for its turn · splitting: is being read · preparing: the
messages of an errand are being written down · sending: they are being sent · delivering: is read,
the mapper works · finished: every record has its state · failed: see `problem`."""
Kind = Literal["file", "withdrawal", "replay", "rewind", "assets"]
"""What a run is about: a file, or an errand that concerns the run `of` (see `errands`)."""


class Run(Struct, frozen=True, kw_only=True):
    """One version of one file, or one errand, and what became of it so far.

    `records` are those read from the file; `sent` and `recorded` count messages. `order` compares
    as text with that of other runs of the source and says which is newer; `turn` is the order in
    which files came and are read, the same unless the file itself says when it was exported.
    `retryable` is said of a run that failed before it sent anything, for a reason outside the
    file: the file still lies in the inbox. `missing`, of a full export, counts the products that
    the last complete one held and this one does not; `hold` says why they were not disabled
    although the mapping asks for it, and waits for an operator's word. `forced` says what is sent
    although it has not changed. `follows` names the run of the source that alone may have written
    to the ledger before this file, "" where nobody knows (see `succession`); `first` says that no
    run of the source began before it, so that the ledger had nothing of the source. `fence` grows
    each time a splitter takes the run over; what an earlier one still writes is refused. Times are
    ISO 8601 in UTC.
    """

    id: str
    source: str
    bucket: str
    key: str
    version: str
    size: int
    order: str
    turn: str
    phase: Phase
    mapping: MappingPin | None = None
    counts: dict[State, int]
    records: int = 0
    sent: int = 0
    recorded: int = 0
    duplicates: int = 0
    dead: int = 0
    missing: int | None = None
    problem: str | None = None
    retryable: bool = False
    fence: int = 0
    checkpoint: str | None = None
    registered_at: str | None = None
    started_at: str | None = None
    split_at: str | None = None
    finished_at: str | None = None
    file: str | None = None
    report: str | None = None
    kind: Kind = "file"
    of: str | None = None
    hold: str | None = None
    forced: str | None = None
    follows: str | None = None
    first: bool = False

    @property
    def settled(self) -> bool:
        """Whether no record can change its state any more."""
        read = self.phase in ("delivering", "finished")
        return read and self.recorded == self.sent and self.counts["parked"] == 0

    @property
    def accounted(self) -> int:
        """The sum of the end states; of a settled run it equals `records`."""
        return sum(self.counts[state] for state in FINAL_STATES)


def header_key(run: str) -> dict[str, str]:
    """Name the item that holds a run's header."""
    return {"pk": f"run#{run}", "sk": "run"}


def from_item(item: dict[str, Any]) -> Run:
    """Read a header; what a newer release added is passed over."""
    fields: dict[str, Any] = {name: item[name] for name in _PLAIN if name in item}
    counts = {state: int(item.get(state, 0)) for state in STATES}
    pin = msgspec.convert(item["mapping"], MappingPin) if item.get("mapping") else None
    numbers: dict[str, Any] = {name: int(item.get(name, 0)) for name in _NUMBERS}
    missing = item.get("missing")
    numbers["missing"] = None if missing is None else int(missing)
    return Run(**fields, **numbers, counts=counts, mapping=pin)


_NUMBERS: Final = ("size", "records", "sent", "recorded", "duplicates", "dead", "fence")
_PLAIN: Final = (
    "id",
    "source",
    "bucket",
    "key",
    "version",
    "order",
    "turn",
    "phase",
    "problem",
    "retryable",
    "checkpoint",
    "registered_at",
    "started_at",
    "split_at",
    "finished_at",
    "file",
    "report",
    "kind",
    "of",
    "hold",
    "forced",
    "follows",
    "first",
)
