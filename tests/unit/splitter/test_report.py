"""The report of a run, in both forms."""

from __future__ import annotations

import csv
import io
import json

import pytest

from pim_connector.outcomes import STATES, Problem, RecordOutcome
from pim_connector.reports import COLUMNS, ReportWriter, safe_cell, summary
from pim_connector.sync.runs import Run

RUN = Run(
    id="r1",
    source="shop",
    bucket="b",
    key="incoming/shop/a.xml",
    version="v1",
    size=9,
    order="o",
    turn="o",
    phase="finished",
    counts=dict.fromkeys(STATES, 0) | {"created": 2, "rejected": 1},
    records=3,
)
OUTCOME = RecordOutcome(
    number=2,
    line=40,
    state="rejected",
    identifier="Zelt, grün",
    problems=(
        Problem(reason='says "no"', attribute="price", source="cost", value="=1+1", advice="mend"),
        Problem(reason="and more"),
    ),
)


def written(*outcomes: RecordOutcome) -> tuple[dict[str, object], str]:
    json_file, csv_file = io.BytesIO(), io.BytesIO()
    writer = ReportWriter(RUN, json_file, csv_file)
    writer.add(outcomes)
    writer.close()
    return json.loads(json_file.getvalue()), csv_file.getvalue().decode("utf-8-sig")


def test_the_csv_has_a_row_for_every_reason_in_words() -> None:
    rows = list(csv.DictReader(io.StringIO(written(OUTCOME)[1])))
    assert [row["reason"] for row in rows] == ['says "no"', "and more"]
    assert rows[0] == {
        "record": "2",
        "line": "40",
        "identifier": "Zelt, grün",
        "state": "rejected",
        "attribute": "price",
        "source": "cost",
        "value": "'=1+1",
        "reason": 'says "no"',
        "what_to_do": "mend",
    }


def test_the_json_has_the_runs_numbers_and_every_outcome() -> None:
    report, _ = written(OUTCOME, OUTCOME)
    assert report["exact"] is True
    assert report["counts"] == RUN.counts
    assert [each["identifier"] for each in report["outcomes"]] == 2 * ["Zelt, grün"]  # type: ignore[attr-defined]  # JSON


def test_a_report_without_outcomes_is_whole_too() -> None:
    report, table = written()
    assert report["outcomes"] == []
    assert table.strip() == ",".join(COLUMNS)


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tx", " =1", "＝1"]
)
def test_a_cell_is_never_a_formula(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("a;=1+1", "a;'=1+1"),
        ("a; @SUM(A1)", "a; '@SUM(A1)"),
        ("a\n=1", "a\n'=1"),
        ("a\t+1", "a\t'+1"),
        ("=a;=b", "'=a;'=b"),
    ],
)
def test_a_cell_does_not_become_a_formula_where_cells_end_elsewhere(text: str, cell: str) -> None:
    assert safe_cell(text) == cell


@pytest.mark.parametrize("text", ["-5", "+49", "-0,5", "12.50", "plain", "a=b", ""])
def test_numbers_and_plain_text_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_a_run_that_lost_count_says_so() -> None:
    from msgspec.structs import replace

    assert summary(replace(RUN, records=4))["exact"] is False
