"""What every function has in common before its first event."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/handler.py"))
COMPILED = """
import gc, sys
gc.collect()
collections = []
gc.callbacks.append(lambda phase, told: collections.append(phase))
import functions.{name}.handler
print(len(collections), gc.isenabled(), gc.get_freeze_count() > 10_000)
"""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_garbage_is_looked_for_while_a_function_is_imported_but_then_it_is(
    function: str,
) -> None:
    answer = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", COMPILED.format(name=function)],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT}/layers/connector/python"},
        check=True,
        capture_output=True,
        text=True,
    )
    assert answer.stdout.split() == ["0", "True", "True"]
