"""The splitter's memory does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "splitter_memory.py"


def test_twenty_thousand_records_cost_little_more_memory_than_one() -> None:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(SCRIPT), "20000"],
        capture_output=True,
        check=True,
        text=True,
        timeout=120,
    )
    figures = json.loads(done.stdout.splitlines()[-1])
    assert figures["megabytes"] > 10
    assert figures["peak_above_one_record_mb"] < 20
    assert figures["messages"] == figures["fewest_messages"]
