"""What benchmarks write into their file of results."""

from __future__ import annotations

from pathlib import Path

from benchmarks.results import measured_on, table, write_section


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    write_section("one", "first \\1", path)
    write_section("two", "second", path)
    write_section("one", "anew \\2", path)
    text = path.read_text()
    assert text.startswith("# Results")
    assert "<!-- one -->\nanew \\2\n<!-- /one -->" in text
    assert "<!-- two -->\nsecond\n<!-- /two -->" in text
    assert "first" not in text


def test_a_table_is_lined_up() -> None:
    assert table(["what", "MB/s"], [["bare", 7], ["ours", 3.5]]).splitlines() == [
        "| what | MB/s |",
        "| ---- | ---: |",
        "| bare |    7 |",
        "| ours |  3.5 |",
    ]


def test_it_says_where_and_with_what_it_was_measured() -> None:
    line = measured_on("lxml")
    assert "UTC" in line
    assert "lxml " in line
    assert "Python 3." in line
