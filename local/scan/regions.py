"""What a region of AWS lacks of what the templates ask for, as cfn-lint knows the regions."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from local.scan.policy import ScanError
from local.stack.places import SAM_VENV

NOT_THERE: Final = "E3006"
"""cfn-lint's rule: the resource type exists in the region."""
BY_CHOICE: Final = frozenset({"HasWebhookUrl", "HasConsole"})
"""Conditions of what a user of such a region leaves out by a parameter."""


class Lack(NamedTuple):
    """A region that lacks the type of a resource (its logical id)."""

    resource: str
    region: str


def lacks(template: Path) -> list[Lack]:
    """Ask cfn-lint about all regions it knows; the template is one without transforms."""
    command = [SAM_VENV / "bin" / "cfn-lint", "-t", template, "--regions", "ALL_REGIONS"]
    done = subprocess.run(  # noqa: S603  our own command line
        [str(word) for word in command] + ["--format", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    return list(read_lint(done.stdout or done.stderr))


def read_lint(printed: str) -> Iterator[Lack]:
    """Read cfn-lint's JSON. ScanError where there is none: that would look like no lack."""
    try:
        found: list[Any] = json.loads(printed)
    except ValueError as error:
        raise ScanError(f"cfn-lint did not look at the template: {printed[:500]!r}") from error
    for one in found:
        if one["Rule"]["Id"] == NOT_THERE:
            region = str(one["Message"]).rpartition(" in ")[2].strip("'")
            yield Lack(str(one["Location"]["Path"][1]), region)


def undeployable(found: Iterable[Lack], resources: Mapping[str, Any]) -> Iterator[str]:
    """Say what keeps the stack out of a region, whatever its parameters are."""
    for lack in sorted(found):
        if resources[lack.resource].get("Condition") not in BY_CHOICE:
            yield f"{lack.region} has no {resources[lack.resource]['Type']} ({lack.resource})"


def by_resource(found: Sequence[Lack]) -> dict[str, list[str]]:
    """Return the regions that lack each resource."""
    regions: dict[str, list[str]] = defaultdict(list)
    for lack in sorted(found):
        regions[lack.resource].append(lack.region)
    return dict(regions)
