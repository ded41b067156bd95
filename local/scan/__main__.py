"""Scans the templates, and then what is pinned; ends with 1 if anything is wrong.

python -m local.scan
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from local.scan.policy import ScanError, exceptions, judge, scan, translated
from local.scan.regions import by_resource, lacks, undeployable
from local.scan.weaknesses import audit
from local.stack.builds import TEMPLATES
from local.stack.places import ROOT


def main() -> int:
    """Run both scans, whatever the first one says."""
    try:
        sound = [templates_are_sound(), regions_are_known(), packages_are_sound()]
    except ScanError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if all(sound) else 1


def templates_are_sound() -> bool:
    """Print what the templates do not keep and nobody has excused."""
    found, passed = scan(ROOT / name for name in TEMPLATES)
    problems = list(judge(found, exceptions()))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"Templates: {passed} checks passed, {len(found)} exceptions with a reason")
    return not problems


def regions_are_known() -> bool:
    """Print where the stack cannot be deployed, and what has to be left out where."""
    sound = True
    for name in TEMPLATES:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "template.json"
            file.write_text(text := translated(ROOT / name), encoding="utf-8")
            found = lacks(file)
        for problem in undeployable(found, json.loads(text)["Resources"]):
            print(problem, file=sys.stderr)
            sound = False
        for resource, regions in by_resource(found).items():
            print(f"Regions without {resource}: {', '.join(regions)}")
    return sound


def packages_are_sound() -> bool:
    """Print known weaknesses of what is pinned; that they cannot be looked up fails nothing."""
    pinned = [*(ROOT / "requirements").glob("*.txt"), ROOT / "layers/dependencies/requirements.txt"]
    done = audit(_distinct(pinned))
    if done.unreachable:
        print(f"Packages: NOT AUDITED, SKIPPED: {done.unreachable}", file=sys.stderr)
        return True
    for weakness in done.weaknesses:
        print(weakness, file=sys.stderr)
    print(f"Packages: {done.audited} looked up, {len(done.weaknesses)} weaknesses known")
    if done.unknown:
        print(f"Packages: NOT AUDITED: {', '.join(done.unknown)}", file=sys.stderr)
    return not done.weaknesses


def _distinct(pinned: list[Path]) -> list[Path]:
    """Leave out files whose packages the tests' file pins as well: it is compiled from them."""
    covered = {"local.txt", "cli.txt", "requirements.txt"}
    return sorted(path for path in pinned if path.name not in covered)


if __name__ == "__main__":
    sys.exit(main())
