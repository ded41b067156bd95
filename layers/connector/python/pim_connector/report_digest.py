"""What a person wants to know of a run, gathered record by record in bounded memory."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from msgspec import Struct, field

from pim_connector.states import RecordOutcome

SHOWN_RECORDS: Final = 200
MAX_REASONS: Final = 2_000
MOST_STEPS: Final = 24
STEPS: Final = tuple(60 * minutes for minutes in (1, 2, 5, 10, 15, 30, 60, 180, 360, 720, 1440))
"""Lengths that a run may be told in, in seconds."""
_VARYING = re.compile(r"\"[^\"]*\"|\[[^\]]*\]|\d[\d.,]*")


class Reason(Struct, kw_only=True):
    """One reason why records were rejected: how many, and one of them as an example.

    `identifier` and `number` are those of the example.
    """

    attribute: str
    example: str
    advice: str
    identifier: str
    number: int
    records: int = 0


class Digest(Struct):
    """Counts and samples of a run's outcomes.

    `reasons` are grouped by attribute and by text without its numbers and quoted values, as the
    same mistake names another value in each record. Of rejected and waiting records the first 200
    are kept whole; all of them are in the CSV.
    """

    reasons: dict[tuple[str, str], Reason] = field(default_factory=dict)
    records: list[RecordOutcome] = field(default_factory=list)
    left_over: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    minutes: dict[int, Counter[str]] = field(default_factory=dict)

    def count(self, outcomes: Iterable[RecordOutcome], at: int | None = None) -> None:
        """Count booked records: what was changed of them and, where `at` is known, when.

        `at` is in seconds of the epoch.
        """
        minute = None if at is None else self.minutes.setdefault(at // 60, Counter())
        for outcome in outcomes:
            self.changed.update(outcome.changed)
            if minute is not None:
                minute[outcome.state] += 1

    def explain(self, outcome: RecordOutcome) -> None:
        """Take in one record that was rejected or waits, with its reasons."""
        if len(self.records) < SHOWN_RECORDS:
            self.records.append(outcome)
        else:
            self.left_over += 1
        seen: set[tuple[str, str]] = set()
        for problem in outcome.problems:
            key = (problem.attribute or "", _VARYING.sub("…", problem.reason))
            if key not in self.reasons and len(self.reasons) == MAX_REASONS:
                key = ("", "other reasons")
            found = self.reasons.setdefault(
                key,
                Reason(
                    attribute=key[0],
                    example=problem.reason if key[1] != "other reasons" else key[1],
                    advice=problem.advice or "",
                    identifier=outcome.identifier or "",
                    number=outcome.number,
                ),
            )
            found.records += key not in seen
            seen.add(key)

    def top_reasons(self, number: int) -> list[Reason]:
        """Give the most frequent reasons, the first first."""
        return sorted(self.reasons.values(), key=lambda reason: -reason.records)[:number]

    def timeline(self) -> tuple[int, dict[int, Counter[str]]]:
        """Give a step in seconds, and the states by the step they were reached in, without gaps.

        An hour at least for a night; less for what is over sooner, so that one sees its course.
        """
        if not self.minutes:
            return STEPS[0], {}
        first, last = 60 * min(self.minutes), 60 * max(self.minutes)
        fitting = (s for s in STEPS if last // s - first // s < MOST_STEPS)
        step = next(fitting, STEPS[-1])
        told = {at: Counter[str]() for at in range(first // step * step, last + 1, step)}
        for minute, states in self.minutes.items():
            told[60 * minute // step * step].update(states)
        return step, told
