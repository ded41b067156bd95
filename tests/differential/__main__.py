"""Compare many files: `python -m tests.differential [--from N] [--files N] [--fresh N]`.

Seeds from `--from` on gate: a difference among them ends with status 1. `--fresh` adds files of
seeds that nobody has seen; differences among those are reported, with their seed.
"""

from __future__ import annotations

import argparse
import secrets
import sys

from tests.differential.comparing import difference
from tests.differential.documents import made


def compare(seeds: range, *, most: int = 20) -> int:
    """Print the differences of these seeds, and return how many there are."""
    found = 0
    for seed in seeds:
        said = difference(made(seed))
        if said is not None:
            found += 1
            print(f"seed {seed}: {said}", flush=True)
            if found >= most:
                break
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--fresh", type=int, default=0)
    asked = parser.parse_args()
    found = compare(range(asked.first, asked.first + asked.files))
    print(f"{asked.files} files: {found} differ")
    if asked.fresh:
        start = secrets.randbelow(1 << 40) + (1 << 40)
        fresh = compare(range(start, start + asked.fresh))
        print(f"{asked.fresh} fresh files from seed {start}: {fresh} differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
