"""Writes what a benchmark measured into `RESULTS.md`, where and when it was measured with it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
HEAD: Final = (
    "# Results\n\nWritten by the programs in this folder; each writes its own section. What counts "
    "are the ratios\nwithin one run: absolute times belong to the machine.\n"
)


def write_section(name: str, markdown: str, path: Path = RESULTS) -> None:
    """Put `markdown` between the markers of section `name`, instead of what was there.

    A section that is not there yet goes to the end. Other sections stay as they are, so that each
    benchmark can be run by itself.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    section = f"{begin}\n{markdown.strip()}\n{end}"
    text = path.read_text(encoding="utf-8") if path.exists() else HEAD
    there = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if there.search(text):
        text = there.sub(lambda _: section, text, count=1)
    else:
        text = f"{text.rstrip()}\n\n{section}\n"
    path.write_text(text, encoding="utf-8")


def measured_on(*packages: str) -> str:
    """One line that says on what, with which versions, from which commit and when it was run."""
    versions = ", ".join(f"{package} {metadata.version(package)}" for package in packages)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}, {_processor()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}"
        f"{', ' if versions else ''}{versions}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown that can also be read as it is; all but the first column to the right."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]

    def line(row: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return f"| {' | '.join([first, *others])} |"

    rule = [
        ("-" * width if place == 0 else f"{'-' * (width - 1)}:")
        for place, width in enumerate(widths)
    ]
    return "\n".join([line(cells[0]), line(rule), *map(line, cells[1:])])


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            command, cwd=RESULTS.parent, capture_output=True, check=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = re.findall(r"model name\s*:\s*(.+)", info.read_text()) if info.exists() else []
    return names[0] if names else platform.processor() or platform.machine()
