"""Previews run in a process of their own, which is bounded and replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.desk.previewing import Asked
from local.desk.workshop import Workshop

MAPPING = """
version: 1
records:
  item: { path: /shop/item, identifier: "@sku", values: { name: { from: name, type: text } } }
"""


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    sample = tmp_path / "sample.xml"
    sample.write_text('<shop><item sku="1"><name>Lamp</name></item></shop>')
    return Asked(mapping=MAPPING, sample=sample, number=1)


@pytest.fixture
def workshop() -> Iterator[Workshop]:
    found = Workshop()
    yield found
    found.close()


def test_what_takes_too_long_is_stopped_and_the_next_one_is_served(
    tmp_path: Path, asked: Asked
) -> None:
    fifo = tmp_path / "never-ends.xml"
    os.mkfifo(fifo)
    impatient = Workshop(seconds=0.2)
    stuck = Asked(mapping=MAPPING, sample=fifo, number=1)
    try:
        assert "was stopped" in impatient.preview(stuck).errors[0].message
        impatient._seconds = 30
        assert "Lamp" in impatient.preview(asked).payload
    finally:
        impatient.close()


def test_a_process_that_is_killed_is_replaced(workshop: Workshop, asked: Asked) -> None:
    assert "Lamp" in workshop.preview(asked).payload
    process = workshop._process
    assert process is not None
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()

    assert "Lamp" in workshop.preview(asked).payload
