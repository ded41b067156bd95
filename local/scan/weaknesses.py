"""Looks every pinned package up in the list of known weaknesses, if that list can be reached.

https://pypi.org/project/pip-audit/. A package that the list's server does not know was not
looked up: behind a mirror without that list all of them are, and pip-audit says "none found".
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.scan.policy import SCAN_VENV, ScanError

UNREACHABLE = ("ConnectionError", "Max retries exceeded", "Timeout", "ServiceError", "HTTPError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was looked up: number of packages, weaknesses in words, packages nobody knows.

    `unreachable` says why nothing could be looked up; "" if the list was reached.
    """

    audited: int = 0
    weaknesses: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    unreachable: str = ""


def audit(pinned: Sequence[Path]) -> Audit:
    """Look up what the requirement files pin. ScanError where pip-audit itself does not work.

    File by file: taken together, a package that two of them pin otherwise is an error to it.
    """
    audits = []
    for path in pinned:
        audits.append(_audit_file(path))
        if audits[-1].unreachable:
            return audits[-1]
    return Audit(
        audited=sum(one.audited for one in audits),
        weaknesses=tuple(dict.fromkeys(each for one in audits for each in one.weaknesses)),
        unknown=tuple(dict.fromkeys(each for one in audits for each in one.unknown)),
    )


def _audit_file(path: Path) -> Audit:
    options = ["--require-hashes", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    options += ["--timeout", "20"]
    done = subprocess.run(  # noqa: S603  a program of this project's own environment
        [str(SCAN_VENV / "bin" / "pip-audit"), "--requirement", str(path), *options],
        capture_output=True,
        text=True,
        check=False,
    )
    return read_audit(done.stdout, done.stderr)


def read_audit(printed: str, said: str) -> Audit:
    """Read pip-audit's JSON, or why there is none."""
    try:
        dependencies: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError, TypeError) as error:
        last = (said.strip().splitlines() or ["no output"])[-1]
        if any(word in said for word in UNREACHABLE):
            return Audit(unreachable=last[:300])
        raise ScanError(f"pip-audit did not work: {last[:300]}") from error
    known = [one for one in dependencies if "skip_reason" not in one]
    unknown = tuple(str(one["name"]) for one in dependencies if "skip_reason" in one)
    if not known:
        return Audit(unknown=unknown, unreachable="the server knows none of the packages")
    return Audit(
        audited=len(known),
        weaknesses=tuple(_words(one, weakness) for one in known for weakness in one["vulns"]),
        unknown=unknown,
    )


def _words(package: dict[str, Any], weakness: dict[str, Any]) -> str:
    mended = ", ".join(weakness["fix_versions"]) or "no release yet"
    return f"{package['name']} {package['version']}: {weakness['id']}, fixed in {mended}"
