"""Fuzzes the targets one after another, by the code that their bytes reach where atheris is there.

    python -m tests.fuzz [--seconds 60] [TARGET ...]

Without atheris (https://pypi.org/project/atheris/) hypothesis mutates the seeds, and does not see
which code is reached. What was found lies in .local/fuzz-found/<target>/; a finding that is fixed
belongs into tests/fuzz/found/<target>/, where the tests feed it again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOUND = ROOT / ".local" / "fuzz-found"
CORPUS = ROOT / ".local" / "fuzz-corpus"
SLOW_SECONDS = 20
MEMORY_MEGABYTES = 1_024


def main(arguments: list[str]) -> int:
    """Fuzz; 1 if anything was found."""
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="of each target")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.targets) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(unknown)}")
    if not find_spec("atheris"):
        print("atheris is not installed here: hypothesis fuzzes, without looking at the code")
    bad = [name for name in asked.targets or TARGETS if not fuzz(name, asked.seconds)]
    print(f"Found something: {', '.join(bad)}" if bad else "Nothing found.")
    return 1 if bad else 0


def fuzz(name: str, seconds: int) -> bool:
    """Fuzz one target in a process of its own, which may crash. True: nothing was found."""
    print(f"{name}: {seconds} s", flush=True)
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    run = [sys.executable, "-m", "tests.fuzz.one", name, str(seconds)]
    begun = time.monotonic()
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    said = (done.stdout + done.stderr).strip().splitlines()
    print("\n".join(said[-40:] if done.returncode else said[-1:]), flush=True)
    print(f"{name}: ended after {time.monotonic() - begun:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
