"""Holds the translated template against checkov's rules, but for exceptions that have a reason.

https://www.checkov.io/5.Policy%20Index/cloudformation.html
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from local.stack.places import ROOT, SAM_VENV

SCAN_VENV = ROOT / ".local" / "scan"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A rule that a resource (by its logical id) does not keep."""

    check: str
    resource: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcusedCheck:
    """One rule that some resources do not keep on purpose, and why."""

    check: str
    resources: tuple[str, ...]
    reason: str


class ScanError(Exception):
    """The scanner itself did not work; the message says what it printed."""


def scan(templates: Iterable[Path]) -> tuple[dict[Finding, str], int]:
    """Give each finding with the rule in words, and the number of rules that were kept."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "template.json"
        file.write_text(json.dumps(merged(templates)), encoding="utf-8")
        # `--skip-download`: nothing is asked of, or told to, the scanner's maker.
        options = ["--framework", "cloudformation", "--skip-download", "--soft-fail", "-o", "json"]
        printed = _output([SCAN_VENV / "bin" / "checkov", "-f", file, *options])
    return read_report(printed)


def merged(templates: Iterable[Path]) -> dict[str, Any]:
    """Return the templates as one: checkov takes one that has nothing to check for unread."""
    whole: dict[str, Any] = defaultdict(dict)
    for template in templates:
        for section, said in json.loads(translated(template)).items():
            whole[section] = {**whole[section], **said} if isinstance(said, dict) else said
    return whole


def translated(template: Path) -> str:
    """Return the template as CloudFormation sees it, as JSON."""
    translate = [SAM_VENV / "bin" / "python", ROOT / "local/scan/translation.py", template]
    return _output(translate, AWS_DEFAULT_REGION="eu-central-1")


def read_report(printed: str) -> tuple[dict[Finding, str], int]:
    """Read checkov's JSON. ScanError where it saw no template: that would excuse everything."""
    try:
        report: dict[str, Any] = json.loads(printed)
        summary, failed = report["summary"], report["results"]["failed_checks"]
    except (ValueError, KeyError, TypeError) as error:
        raise ScanError(f"checkov did not scan the template: {printed[:500]!r}") from error
    if summary["parsing_errors"] or not summary["passed"]:
        raise ScanError(f"checkov could not read the template: {summary}")
    found = {
        Finding(one["check_id"], one["resource"].rpartition(".")[2]): str(one["check_name"])
        for one in failed
    }
    return found, int(summary["passed"])


def exceptions() -> list[ExcusedCheck]:
    """Read `exceptions.yaml`."""
    read = yaml.safe_load(resources.files("local.scan").joinpath("exceptions.yaml").read_text())
    return [
        ExcusedCheck(check=one["check"], resources=tuple(one["resources"]), reason=one["reason"])
        for one in read
    ]


def judge(found: Mapping[Finding, str], excused: Collection[ExcusedCheck]) -> Iterator[str]:
    """Say what is wrong: findings without an exception, and exceptions that excuse nothing."""
    allowed = {Finding(one.check, resource) for one in excused for resource in one.resources}
    for finding in sorted(found.keys() - allowed):
        yield f"{finding.resource} does not keep {finding.check}: {found[finding]}"
    for finding in sorted(allowed - found.keys()):
        yield (
            f"exceptions.yaml excuses {finding.resource} from {finding.check}, which it keeps: "
            "take it out"
        )


def _output(command: Sequence[str | Path], **variables: str) -> str:
    done = subprocess.run(  # noqa: S603  programs of this project's own environments
        [str(word) for word in command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ScanError(f"{command[0]} ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout
