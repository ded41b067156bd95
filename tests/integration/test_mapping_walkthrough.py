"""docs/mapping-walkthrough.md as a reader would follow it: each file written, each command run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/mapping-walkthrough.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_of_the_walkthrough_answers_what_the_page_says(tmp_path: Path) -> None:
    shutil.copy(ROOT / "tests/data/exports/visual_foxpro_stock.xml", tmp_path / "stock.xml")
    shutil.copy(ROOT / "docs/mappings/trade.json", tmp_path / "pim.json")
    commands = 0
    for kind, text in BLOCK.findall(PAGE):
        if kind == "yaml":
            (tmp_path / "erp.yaml").write_text(text)
        elif kind == "console":
            for typed, *answer in map(str.splitlines, re.split(r"^\$ ", text, flags=re.M)[1:]):
                commands += 1
                assert_in_order(answered(typed, tmp_path), answer)
    assert commands == 8


def test_the_export_shown_is_that_of_the_project() -> None:
    (shown,) = (text for kind, text in BLOCK.findall(PAGE) if kind == "xml")
    export = (ROOT / "tests/data/exports/visual_foxpro_stock.xml").read_text("cp1252")
    for line in shown.replace("…", "").split():
        assert line in export, line


def answered(typed: str, folder: Path) -> str:
    """What a command of the page says, on both outputs, in its own process and a wide terminal."""
    compiled, *arguments = shlex.split(typed)
    assert compiled == "pim-connector"
    path = f"{ROOT}:{ROOT}/layers/connector/python"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "cli.app", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def assert_in_order(said: str, expected: list[str]) -> None:
    at = 0
    for line in filter(None, map(str.strip, expected)):
        found = said.find(line, at)
        assert found >= 0, f"the page says {line!r}, the command says:\n{said}"
        at = found + len(line)
