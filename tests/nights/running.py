"""Many seeds, on several processes, and what they found together."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing import get_context

from tests.nights.simulation import simulate

HASH_SEED = "0"
"""Sets of texts have their order from it, and so may a history."""
TOLD_EVERY = 100


@dataclass(frozen=True)
class Brief:
    """What is kept of one seed."""

    seed: int
    violations: tuple[str, ...]
    files: int = 0
    records: int = 0
    turns: int = 0


@dataclass
class Tally:
    """What many seeds came to."""

    seeds: int = 0
    files: int = 0
    records: int = 0
    turns: int = 0
    seconds: float = 0.0
    failed: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def add(self, brief: Brief) -> None:
        self.seeds += 1
        self.files += brief.files
        self.records += brief.records
        self.turns += brief.turns
        if brief.violations:
            self.failed[brief.seed] = brief.violations


def brief(seed: int) -> Brief:
    """Run one seed; a harness that breaks is a failed seed too."""
    try:
        outcome = simulate(seed)
    except Exception as error:
        return Brief(seed, (f"the harness broke: {type(error).__name__}: {error}",))
    files = outcome.plan.files
    records = sum(file.whole for file in files)
    return Brief(seed, tuple(outcome.violations), len(files), records, outcome.steps)


def run(seeds: Iterable[int], jobs: int) -> Tally:
    """Run the seeds on so many processes."""
    os.environ["PYTHONHASHSEED"] = HASH_SEED
    begin, tally = time.monotonic(), Tally()
    with get_context("spawn").Pool(jobs) as pool:
        for one in pool.imap_unordered(brief, seeds, chunksize=4):
            tally.add(one)
            if one.violations:
                print(f"seed {one.seed}: {one.violations[0][:300]}", flush=True)
            if tally.seeds % TOLD_EVERY == 0:
                so_far = time.monotonic() - begin
                print(
                    f"{tally.seeds} seeds, {len(tally.failed)} failed, {so_far:.0f} s", flush=True
                )
    tally.seconds = time.monotonic() - begin
    return tally
