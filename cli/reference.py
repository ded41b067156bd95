"""The page docs/command-line.md: every command with its example, and what exit statuses mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import fill
from typing import Any

import typer

from cli.statuses import MEANINGS

WIDTH = 100
_EXAMPLE = re.compile(r"Example: (pim-connector .*)")


def commands(group: Any = None, path: str = "pim-connector") -> Iterator[tuple[str, str]]:
    """Give every command's path and help text, in the order of `--help`."""
    if group is None:
        from cli.app import build

        group = typer.main.get_command(build())
    for name, command in group.commands.items():
        here = f"{path} {name}"
        if hasattr(command, "commands"):
            yield from commands(command, here)
        else:
            yield here, command.help or ""


def examples(text: str) -> list[str]:
    """Give the command lines that a help text shows."""
    return _EXAMPLE.findall(text.replace("\b", ""))


def page() -> str:
    """Write docs/command-line.md."""
    statuses = "\n".join(f"| {status} | {meaning} |" for status, meaning in MEANINGS.items())
    return f"""# Command line

Written by `python -m cli.reference`. Every command has `--help`. Those that look at a stack work on
the local one if it is up, otherwise on the deployed one that `--stack` (default `pim-connector`),
`--profile` and `--region` name. With `--json` a command writes JSON for scripts on standard output
and nothing else there.

## Exit statuses

| status | meaning |
| ---: | --- |
{statuses}

## Commands

{chr(10).join(_sections())}"""


def _sections() -> Iterator[str]:
    for name, text in commands():
        told = _EXAMPLE.sub("", text).strip().split("\n\n")
        plain = "\n\n".join(fill(each, WIDTH, break_on_hyphens=False) for each in told if each)
        shown = "\n".join(examples(text))
        yield f"### {name}\n\n{plain}\n\n```sh\n{shown}\n```\n"


if __name__ == "__main__":
    print(page(), end="")
