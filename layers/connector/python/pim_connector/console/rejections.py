"""The rejected records of a run, from its report, or from what is known while it goes on.

A report holds one outcome per line, so a page reads only as far as it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from pim_connector.outcomes import RecordOutcome
from pim_connector.reports import Digest, Reason
from pim_connector.sync.runs import Run

if TYPE_CHECKING:
    from pim_connector.console.parts import Parts

MOST_EXPLAINED: Final = 2_000
"""Rejected records that reasons are counted from: what goes wrong often is among them."""
MOST_MESSAGES: Final = 200
"""Messages of a run under way that a page looks through, 100 records each."""
_OUTCOME = msgspec.json.Decoder(RecordOutcome)


class Shown(Struct, frozen=True, kw_only=True):
    """Some rejected records; `more` says that there are others behind them."""

    outcomes: list[RecordOutcome]
    more: bool


def rejected(parts: Parts, run: Run, *, skip: int, most: int) -> Shown:
    """Return rejected records in the order of the report."""
    found = list(islice(every(parts, run), skip, skip + most + 1))
    return Shown(outcomes=found[:most], more=len(found) > most)


def every(parts: Parts, run: Run) -> Iterator[RecordOutcome]:
    """Return all of them, one after another."""
    for outcome in _reported(parts, run) if run.report else _so_far(parts, run):
        if outcome.state == "rejected":
            yield outcome


def top_reasons(parts: Parts, run: Run, most: int) -> list[Reason]:
    """Return the most frequent reasons among the first rejected records."""
    digest = Digest()
    for outcome in islice(every(parts, run), MOST_EXPLAINED):
        digest.explain(outcome)
    return digest.top_reasons(most)


def _reported(parts: Parts, run: Run) -> Iterator[RecordOutcome]:
    assert run.report is not None  # noqa: S101  by the caller
    stored = parts.bucket.describe(run.report)
    if stored is None:
        return
    with parts.bucket.open(stored) as stream:
        for line in stream:
            text = line.strip().rstrip(b",")
            if text.startswith(b'{"number"'):
                yield _OUTCOME.decode(text)


def _so_far(parts: Parts, run: Run) -> Iterator[RecordOutcome]:
    from pim_connector.products.decisions import kept

    yield from (record.outcome for record in kept(parts.bucket, run.id))
    for message in islice(parts.deliveries.messages(run.id), MOST_MESSAGES):
        yield from message.outcomes
