"""The benchmarks of the splitter still run, and its memory does not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.delta import compared as compared_nights
from benchmarks.split_stand_ins import write_export

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def child(name: str, export: Path) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(BENCHMARKS / "splitter.py"), "--child", name, str(export)],
        capture_output=True,
        check=True,
        text=True,
        timeout=300,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_twenty_thousand_records_cost_little_more_memory_than_one(tmp_path: Path) -> None:
    export = tmp_path / "tents.xml"
    assert write_export(export, 20_000) > 10_000_000
    found = child("splitter", export)
    assert found["peak_above_one_record_mb"] < 20
    assert found["records"] == 20_000
    assert found["messages"] < 20_000 / 100 + 8, (
        "messages are full, but for the last of each message group"
    )


def test_a_split_that_is_stopped_in_the_middle_sends_every_record_once(tmp_path: Path) -> None:
    export = tmp_path / "catalogue.xml"
    write_export(export, 6_000)
    assert child("resumed", export)["records"] == 6_000


def test_a_second_night_sends_what_has_changed_with_few_requests() -> None:
    text = compared_nights(3_000)
    assert "3,000 records" in text
    assert "30 changed" in text
