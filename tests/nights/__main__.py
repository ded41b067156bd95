"""Run nights: `python -m tests.nights --seeds 1000`, or one seed again: `--seed 17 --trace`."""

from __future__ import annotations

import argparse
import os
import sys

from tests.nights.running import HASH_SEED, Tally, run
from tests.nights.simulation import simulate

SHOWN = 10


def main() -> int:
    """Run the seeds that are asked for; 1 if any of them failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.nights", description=__doc__)
    parser.add_argument("--seed", type=int, help="this one only")
    parser.add_argument("--trace", action="store_true", help="with --seed: tell all that happens")
    parser.add_argument("--seeds", type=int, default=100, help="how many (100)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _one(asked.seed, trace=asked.trace)
    return _told(run(range(asked.first, asked.first + asked.seeds), asked.jobs))


def _one(seed: int, *, trace: bool) -> int:
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        arguments = [sys.executable, "-m", "tests.nights", *sys.argv[1:]]
        os.execv(sys.executable, arguments)  # noqa: S606  # the same, with the same order of sets
    outcome = simulate(seed, trace=trace)
    for line in outcome.trace:
        print(line)
    print(f"seed {seed}: {outcome.plan.nights} nights, {len(outcome.plan.files)} files")
    print(f"  {outcome.weather}")
    for violation in outcome.violations:
        print(f"seed {outcome.seed}: {violation}")
    return 1 if outcome.violations else 0


def _told(tally: Tally) -> int:
    print(
        f"{tally.seeds} seeds: {tally.files} files, {tally.records} records, {tally.turns} turns,"
        f" {tally.seconds:.0f} s; {len(tally.failed)} failed"
    )
    for seed in sorted(tally.failed)[:SHOWN]:
        print(f"seed {seed}: {len(tally.failed[seed])} violations")
        for violation in tally.failed[seed][:4]:
            print(f"    {violation[:600]}")
    if tally.failed:
        print(f"failed: {sorted(tally.failed)[:60]}")
        print(f"again: python -m tests.nights --seed {min(tally.failed)} --trace")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
