"""`python -m tests.pim_vectors [DIR]`: one line per failing case, and how many passed."""

import argparse
import sys
from collections import Counter
from pathlib import Path

from tests.pim_vectors.running import FAILED, PASSED, SKIPPED, run_all
from tests.pim_vectors.vectors import IN_SCOPE

DEFAULT = Path(__file__).resolve().parents[2] / ".." / "shared" / "pim-vectors"


def main() -> int:
    """Run the cases; the exit status is 1 when one failed, 2 when there are none."""
    parser = argparse.ArgumentParser(prog="python -m tests.pim_vectors", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT)
    parser.add_argument("--file", action="append", help="only this file (repeatable)")
    parser.add_argument("--by-file", action="store_true", help="also count by file")
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    by_file: dict[str, Counter[str]] = {}
    for outcome in run_all(arguments.folder, tuple(arguments.file or IN_SCOPE)):
        counts[outcome.result] += 1
        by_file.setdefault(outcome.vector.file, Counter())[outcome.result] += 1
        if outcome.result == FAILED:
            print(f"FAILED {outcome.vector.title}: {outcome.reason}")
    if arguments.by_file:
        for file, found in by_file.items():
            print(f"{file}: {_line(found)}")
    print(_line(counts))
    if not counts:
        print(f"There is no case in {arguments.folder}.", file=sys.stderr)
        return 2
    return 1 if counts[FAILED] else 0


def _line(counts: Counter[str]) -> str:
    return f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped"


if __name__ == "__main__":
    sys.exit(main())
